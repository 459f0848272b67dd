"""What the guards of the ORM let pass: the steps of a workflow, by the records that they name."""

from contextlib import contextmanager
from contextvars import ContextVar

_transition = ContextVar('mrp_mmr_transition', default=frozenset())
_signing = ContextVar('mrp_mmr_signing', default=None)


@contextmanager
def transition(*recordsets):
    """Let a workflow step of the addon write what its guards refuse, on exactly these records.

    A context variable of the process cannot be sent by a client, unlike a key of the environment's context,
    and does not leak into the actions that buttons return. It names the records, so that other code that
    happens to run inside the step (automation rules, other addons) gains nothing on any other record.
    """
    opened = {(records._name, record_id) for records in recordsets for record_id in records.ids}
    token = _transition.set(_transition.get() | opened)
    try:
        yield
    finally:
        _transition.reset(token)


def in_transition(records):
    """Whether a workflow step of the addon works on every one of ``records`` (see :func:`transition`)."""
    opened = _transition.get()
    return all((records._name, record_id) in opened for record_id in records.ids)


@contextmanager
def signing(digest):
    """Let one signature be stored: the one whose own digest this is."""
    token = _signing.set(digest)
    try:
        yield
    finally:
        _signing.reset(token)


def is_signing(digest):
    """Whether the signature with this digest is being stored (see :func:`signing`)."""
    return bool(digest) and _signing.get() == digest


def without_defaults(model, names):
    """Return ``model`` without ``default_…`` context keys for fields that only the system sets."""
    keys = {f'default_{name}' for name in names} & model.env.context.keys()
    if not keys:
        return model
    context = {key: value for key, value in model.env.context.items() if key not in keys}
    return model.with_env(model.env(context=context))
