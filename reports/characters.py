"""Characters that neither XML nor spreadsheets take."""

import re

#: What lxml refuses as text; visible in print instead of lost.
CONTROL_CHARACTERS = re.compile(r'[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]')
