"""Whether reordering rules are confirming orders, and not a person."""

from contextlib import contextmanager
from contextvars import ContextVar

_scheduling = ContextVar('mrp_mmr_scheduling', default=False)


@contextmanager
def scheduling():
    """Leave orders that the gate refuses drafts while reordering rules confirm theirs.

    One order without MMR must not stop the replenishment of all other products.
    """
    token = _scheduling.set(True)
    try:
        yield
    finally:
        _scheduling.reset(token)


def is_scheduling():
    """Whether reordering rules confirm orders (see :func:`scheduling`)."""
    return _scheduling.get()
