"""Two wordings as one text, with what was removed and what was added."""

import difflib
import re

#: Longer texts are compared by lines instead of words.
MAX_DIFF_TOKENS = 3000

#: As many pairs of words or lines are looked at; what is left is shown as replaced. It bounds the time to a second,
#: also for texts that repeat the same words over and over.
MAX_DIFF_WORK = 6_000_000

TOKEN = re.compile(r'\s+|\w+|[^\w\s]')


class _BoundedMatcher(difflib.SequenceMatcher):
    """A matcher that stops looking for equal parts after :data:`MAX_DIFF_WORK`; unlike a clock, the same each time."""

    def __init__(self, old, new):
        super().__init__(None, old, new, autojunk=False)
        self._work = 0

    def find_longest_match(self, alo=0, ahi=None, blo=0, bhi=None):
        places = self.b2j
        self._work += ahi - alo + sum(len(places.get(token, ())) for token in self.a[alo:ahi])
        if self._work > MAX_DIFF_WORK:
            return difflib.Match(alo, blo, 0)
        return super().find_longest_match(alo, ahi, blo, bhi)


def word_diff(before, after):
    """Return two texts as one: a list of ``[kind, text]`` with kind same, removed or added."""
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    if max(len(old), len(new)) > MAX_DIFF_TOKENS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    matcher = _BoundedMatcher(old, new)
    # Texts that share single words only are read one after the other, not interleaved.
    if matcher.quick_ratio() < 0.6 or matcher.ratio() < 0.6:
        return [['removed', before], ['added', after]]
    parts = []

    def add(kind, text):
        if not text:
            return
        # White space between two changes belongs to them: a sentence that was replaced reads as one.
        if parts and parts[-1][0] == kind:
            parts[-1][1] += text
        else:
            parts.append([kind, text])

    for operation, i1, i2, j1, j2 in matcher.get_opcodes():
        if operation == 'equal':
            add('same', ''.join(old[i1:i2]))
        else:
            add('removed', ''.join(old[i1:i2]))
            add('added', ''.join(new[j1:j2]))
    return parts
