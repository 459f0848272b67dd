"""What people sign, as types: the rule that a model declares for each signature, and the signature that is asked for now.

They pass between the records, the signature dialog and ``mrp.esignature``; models/evidence/esignature_mixin.py uses them.
"""

from dataclasses import dataclass
from typing import Any

#: Characters of a name or text that a client sent, as far as the log and the ledger keep them.
SHOWN = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class SigningRule:
    """One row of the table ``_signing_actions`` of a model: one signature that its records offer.

    The record may narrow meaning, role and statement by its own content: what it plans, who takes part in it.
    """

    #: What the signature means: a key of ``mrp.esignature.meaning`` (21 CFR 11.50(a)(3)).
    meaning: str
    #: xmlid of the role that signs; None where each record names a role of its own.
    group: str | None
    #: What the signer states, to be translated (``_lt``).
    statement: Any
    #: Method of the model that checks the content and returns what is signed: ``method(action) -> SigningAction``.
    prepare: str
    #: Method of the model that does what was signed, in the same transaction: ``method(action, signature)``.
    apply: str
    #: Method of the model that refuses persons who may not sign, besides the role: ``method(action, user)``.
    check_signer: str | None = None
    #: Method of the model that returns those of its records that a person may sign, besides the role, in few queries for all of
    #: them: ``method(action, user) -> records``. ``check_signer`` judges the person by it (VER-100, USR-010).
    filter_signer: str | None = None
    #: Values of the model's ``_signing_state_field`` from which it is signed; None where ``prepare`` judges.
    states: tuple | None = None
    #: The value of that field to which it leads, where ``apply`` writes it.
    leads_to: str | bool | None = None
    #: Field of the signature, where it is given once.
    once: str | None = None
    #: Whether the signer gives a reason.
    comment_required: bool = False
    #: Whether the dialog opens for persons without the role, so that a colleague signs beside them (SIG-040, VER-050).
    at_terminal: bool = False
    #: Requirement and citation by which it is refused in another status; those of the model where it is None.
    citation: str | None = None
    #: What to do instead of signing in another status, to be translated (``_lt``).
    next_step: Any = None


@dataclass(frozen=True, kw_only=True, eq=False)
class SigningAction:
    """What a person signs at one moment: everything that the dialog shows and the signature covers (SIG-020, SIG-030)."""

    meaning: str
    #: In the language of the signer.
    statement: str
    #: The role, as a record of ``res.groups``.
    group: Any
    #: SHA-256 of the canonical JSON of what is signed.
    digest: str
    #: What is signed, where it may change later; None where the record keeps it.
    content: dict | None = None
    comment_required: bool = False
    #: What else is signed, by its digest: the redline, for instance.
    annex: dict | None = None
    #: The signature that this one is given on; where that one is void, this one is.
    basis: Any = None
    #: The signature that this one makes void.
    voids: Any = None


def is_storable(text):
    """Whether PostgreSQL can hold ``text``: a string without NUL and without halves of surrogate pairs."""
    if not isinstance(text, str) or '\0' in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def storable(value):
    """Return whatever a client sent as a text that PostgreSQL holds, whole."""
    return str(value).replace('\0', '\ufffd').encode(errors='replace').decode()


def shown(value):
    """Return whatever a client sent as a short text for the log and the ledger."""
    text = storable(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + '…'
