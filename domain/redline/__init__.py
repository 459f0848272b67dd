"""What differs between two frozen MMR documents, as a document of its own that can be signed.

Rows are recognised by what they are (product, parameter, name, then wording), so that a step which was moved,
renamed or pushed down by another one is shown as that. References that are positions are followed: a stage that
comes in before all others changes the number of each, and nothing else.

Nothing here depends on the language of the reader; labels for people are made in models/master/revision/redline.py.
"""

from .compare import GROUPS, SCHEMA, compare
from .texts import SEPARATOR, file_content
from .words import word_diff
