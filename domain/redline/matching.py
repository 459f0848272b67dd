"""Which row of one document is which row of the other: by what they are, then by their words."""

import difflib
import re
from bisect import bisect_left
from collections import Counter

from .texts import SEPARATOR

#: From here on two wordings are versions of one another.
SIMILAR = 0.5

#: More rows than this on a side are compared by their words only, which is much faster.
MAX_DIFFLIB_ROWS = 20

#: More pairs of rows than this are not compared by their words: what no key recognises is gone, or new.
MAX_SIMILAR_PAIRS = 500_000

WORD = re.compile(r'\w+')


def words(*texts):
    return frozenset(WORD.findall(' '.join(text for text in texts if text).lower()))


class Side:
    """One of the two documents: its rows by position, and which row of the other document each one is."""

    def __init__(self, document):
        self.document = document
        #: By identity of the row: what both sides call it.
        self.tokens = {}
        self.labels = {}
        self.order = {}
        self.positions = {}
        self._rows = {}

    def rows(self, name):
        """Return a list of the document, the same object each time."""
        if name not in self._rows:
            self._rows[name] = self.document.get(name) or []
        return self._rows[name]

    def register(self, rows, label):
        """Name rows, telling apart those of the same name."""
        seen = Counter()
        # The list is kept with it, so that no other one can get its identity.
        self.positions[id(rows)] = ({row.get('position'): row for row in rows}, rows)
        for number, row in enumerate(rows, 1):
            self.order[id(row)] = number
            text = label(row)
            seen[text] += 1
            self.labels[id(row)] = text if seen[text] == 1 else f"{text} ({seen[text]})"

    def follow(self, rows, position):
        """Return what both sides call the row at a position, and its name; the number where there is no such row."""
        if position is None:
            return None, None
        found, _rows = self.positions.get(id(rows)) or ({}, None)
        row = found.get(position)
        if row is None:
            return ('nothing', position), str(position)
        return self.tokens[id(row)], self.labels[id(row)]


def longest_increasing(numbers):
    """Return the numbers of a longest increasing subsequence."""
    tails, previous = [], {}
    for number in numbers:
        place = bisect_left(tails, number)
        previous[number] = tails[place - 1] if place else None
        tails[place:place + 1] = [number]
    kept, number = set(), tails[-1] if tails else None
    while number is not None:
        kept.add(number)
        number = previous[number]
    return kept


class Matching:
    """Recognises rows of two documents; each side keeps what its rows are called."""

    def __init__(self, before, after):
        self.before, self.after = Side(before), Side(after)
        self.sides = (self.before, self.after)
        self.changes = []

    def _match_materials(self, name, before=None, after=None, prefix=''):
        """Match components, by-products or packing materials: by product, place and occurrence."""
        def place(row, side):
            return side.follow(side.rows('operations'), row.get('operation'))[0]

        return self._match(
            self.before.rows(name) if before is None else before,
            self.after.rows(name) if after is None else after,
            lambda row, side: prefix + row['product']['name'],
            lambda row, side: (row['product']['id'], place(row, side), row['quantity'], row['unit_id']),
            lambda row, side: (row['product']['id'], place(row, side)),
            lambda row, side: row['product']['id'],
            lambda row, side: row['product'].get('code') or None,
            lambda row, side: row['product']['name'])

    def _match(self, before, after, label, *keys, similar=None):
        """Find for each row which row of the other document it is.

        :param label: what a person calls a row
        :param keys: functions that identify a row, best first; None identifies nothing
        :param similar: function to the words of a row, for rows that no key identifies
        :return: pairs of rows in the order of the newer document, then rows that are gone
        """
        for side, rows in ((self.before, before), (self.after, after)):
            side.register(rows, lambda row, side=side: label(row, side))
        left, right = list(before), list(after)
        found = []
        if before and after:
            for key in keys:
                if not left or not right:
                    break
                left, right = self._match_by(key, left, right, found)
            if similar and left and right and len(left) * len(right) <= MAX_SIMILAR_PAIRS:
                left, right = self._match_similar(similar, left, right, found)
        partner = {id(new): old for old, new in found}
        pairs = [(partner.get(id(row)), row) for row in after] + [(row, None) for row in left]
        for number, pair in enumerate(pairs):
            for side, row in zip(self.sides, pair, strict=True):
                if row is not None:
                    # Lists of a document are objects of their own, which is how their rows are told apart.
                    side.tokens[id(row)] = (id(after), number)
        return pairs

    def _match_by(self, key, left, right, found):
        buckets = {}
        for row in left:
            value = key(row, self.before)
            if value is not None:
                buckets.setdefault(value, []).append(row)
        rest, taken = [], set()
        for row in right:
            value = key(row, self.after)
            candidates = buckets.get(value) if value is not None else None
            if candidates:
                old = candidates.pop(0)
                taken.add(id(old))
                found.append((old, row))
            else:
                rest.append(row)
        return [row for row in left if id(row) not in taken], rest

    def _match_similar(self, similar, left, right, found):
        thorough = max(len(left), len(right)) <= MAX_DIFFLIB_ROWS
        old_words = [similar(row, self.before) for row in left]
        new_words = [similar(row, self.after) for row in right]
        scores = []
        for i, old in enumerate(left):
            for j, new in enumerate(right):
                total = len(old_words[i]) + len(new_words[j])
                score = 2 * len(old_words[i] & new_words[j]) / total if total else 0
                if thorough and score < SIMILAR:
                    matcher = difflib.SequenceMatcher(
                        None, self._plain_label(old, self.before), self._plain_label(new, self.after), autojunk=False)
                    if matcher.real_quick_ratio() > 0.7 and matcher.quick_ratio() > 0.7:
                        score = max(score, matcher.ratio() - 0.2)
                if score >= SIMILAR:
                    # Among equals the nearest place wins, the same in both directions.
                    scores.append((-score, abs(i - j), i + j, i, j))
        used_left, used_right = set(), set()
        for _score, _distance, _sum, i, j in sorted(scores):
            if i not in used_left and j not in used_right:
                used_left.add(i)
                used_right.add(j)
                found.append((left[i], right[j]))
        return (
            [row for i, row in enumerate(left) if i not in used_left],
            [row for j, row in enumerate(right) if j not in used_right])

    def _plain_label(self, row, side):
        """The name of a row without its number and the row that it belongs to."""
        return re.sub(r'^[\d.]+ ', '', side.labels[id(row)].split(SEPARATOR)[-1]).lower()
