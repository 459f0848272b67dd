"""What an attack of the tamper drill is, and the list of them all."""

from typing import NamedTuple

#: All attacks, in the order in which a drill tries them.
ATTACKS = []


class Detected(Exception):
    """The attack went through, and the rule holds all the same, as verification found it: the text says how."""


class Skipped(Exception):
    """There is nothing to try this attempt on."""


class Attempt(NamedTuple):
    """One try of an attack: who or which column, and what is called."""
    label: str
    call: object
    #: Persons who have no right at all are refused by that alone.
    by_person: bool = False


class Attack(NamedTuple):
    """One forbidden act: what is tried, the rule against it, and what refuses it (a constraint or a text)."""
    key: str
    group: str
    title: str
    rule: str
    expected: str
    #: Called with the drill; returns the record that it is tried on and the attempts.
    attempts: object


def attack(group, title, rule, expected):
    """Register a function as an attack; title and texts are part of the evidence and are not translated.

    The function is called with the drill. It returns the record that the attack is tried on, chosen from those that are
    there, and the attempts; or None where there is nothing to try it on.

    :param str expected: regular expression of what refuses it
    """
    def register(function):
        ATTACKS.append(Attack(function.__name__, group, title, rule, expected, function))
        return function
    return register
