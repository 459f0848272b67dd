"""What a personal PIN is, and the half of the key that the browser of a terminal holds (SIG-130, 21 CFR 11.200(a)(1)(i))."""

import re
from itertools import pairwise

#: Digits of a PIN: the least that a company may ask for, what it asks for by default, and the most.
LEAST, USUAL, MOST = 4, 6, 12
#: Minutes without a signature after which a PIN signs no more: by default, and the most that a company may allow.
USUAL_IDLE, MOST_IDLE = 10, 60
#: Wrong entries that end a continuous session, in all.
FAILURES = 3
_DIGITS = re.compile(r'[0-9]+')
_HALF = re.compile(r'[0-9a-f]{64}')


def is_pin(text):
    """Whether a client sent what may be a PIN at all."""
    return isinstance(text, str) and len(text) <= MOST and bool(_DIGITS.fullmatch(text))


def is_half(text):
    """Whether a client sent the half of a browser: 32 bytes, in hexadecimal digits."""
    return isinstance(text, str) and bool(_HALF.fullmatch(text))


def is_easy(pin):
    """Whether everybody would try this PIN first: digits that are all the same, or rise or fall one by one."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return len(steps) <= 1 and steps <= {0, 1, 9}
