"""Texts on labels printed in ZPL."""

from markupsafe import Markup

#: Characters of a text that would be commands of ZPL, and how its hexadecimal escape writes them.
ZPL_ESCAPES = str.maketrans({char: f'_{ord(char):02X}' for char in '^~_\\'})


def zpl_text(value):
    """Return a text as the data of a ZPL field (``^FH^FD``): nothing in it is a command, nor markup of QWeb."""
    return Markup(' '.join(str(value or '').split()).translate(ZPL_ESCAPES))
