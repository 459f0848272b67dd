"""Payloads: what is digested, and then signed or frozen, with the JSON Schema of each.

One row here is one kind of content. ``schema/README.md`` is this table with the method that makes each of them; the tests
hold every signature that they make, and a whole batch from its master to its release, against it.
"""

import json
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent.parent / 'schema'
#: What other schemas refer to.
COMMON = 'common'


class Payload(NamedTuple):
    """One kind of content whose canonical JSON is digested.

    ``code`` is the value of its key ``schema``, or None where it has none; ``schema`` the file of its schema without
    ``.schema.json``, with ``#/…`` where it is a part of one; ``signed`` how its digest is used; ``made_by`` the method that
    makes it, as ``Class.method``, where no method names the code.
    """
    code: str | None
    schema: str
    title: str
    signed: str
    made_by: str | None = None


SIGNED, FROZEN, BOUND, BUNDLE = 'signed', 'frozen', 'by digest', 'bundle'

PAYLOADS = (
    # Master
    Payload('mrp_mmr/mmr/3', 'mmr', "Content of a revision", SIGNED),
    Payload('mrp_mmr/mmr/2', 'mmr-2', "Content of a revision, before numbers kept their digits", SIGNED),
    Payload('mrp_mmr/mmr/1', 'mmr-1', "Content of a revision, as the first versions made it", SIGNED),
    Payload('mrp_mmr/redline/1', 'redline', "Differences between two revisions", BOUND),
    Payload(None, 'annex', "What reviewers and approver of a revision sign with its document", SIGNED,
            'MrpMmrRevision._prepare_annex'),
    Payload('mrp_mmr/label/1', 'label', "Product label, approved or retired", SIGNED),
    Payload('mrp_mmr/requirement/1', 'requirement', "Requirement switched on or off", SIGNED),
    Payload('mrp_mmr/reviewer/1', 'reviewer', "Review of the approval route, put in force or taken out", SIGNED),
    # Order
    Payload('mrp_mmr/snapshot/1', 'snapshot', "What an order is released with", FROZEN),
    Payload('mrp_mmr/decision/1', 'decision', "Running batch continued or stopped", SIGNED),
    # Batch record
    Payload(None, 'plan', "Planned steps of a batch, all of them", BOUND, 'MrpBpr._prepare_plan'),
    Payload(None, 'plan#/$defs/planned', "One planned step", BOUND, 'plan_steps'),
    Payload('mrp_mmr/issue/1', 'issue', "Batch record issued to the floor", SIGNED),
    Payload('mrp_mmr/cancel/1', 'cancel', "Running batch cancelled", SIGNED),
    Payload('mrp_mmr/step/1', 'step', "Step performed, verified or decided on", SIGNED),
    Payload('mrp_mmr/entry/1', 'entry', "Correction or late entry", SIGNED),
    Payload('mrp_mmr/transcription/1', 'transcription', "Entries typed from a worksheet", SIGNED),
    Payload('mrp_mmr/results/2', 'results', "Test results approved", SIGNED),
    Payload('mrp_mmr/results/1', 'results-1', "Test results approved, before bounds and rounding", SIGNED),
    Payload('mrp_mmr/retest/1', 'retest', "Retest authorised", SIGNED),
    Payload('mrp_mmr/review/1', 'review', "Batch record reviewed", SIGNED),
    Payload(None, 'exceptions', "What the rules of the review found", BOUND,
            'MrpBpr._get_review_digest_content'),
    Payload('mrp_mmr/bpr/1', 'bpr', "The whole batch record", FROZEN),
    Payload('mrp_mmr/made/1', 'made', "What production answers for of a batch record", BOUND),
    Payload('mrp_mmr/production/2', 'production', "Signature of the production responsible", SIGNED),
    Payload('mrp_mmr/production/1', 'production-1', "Signature of the production responsible, as given on a review", SIGNED),
    Payload('mrp_mmr/certification/1', 'certification', "Certification by the Qualified Person", SIGNED),
    Payload('mrp_mmr/release/1', 'release', "Batch or packaged lot released or rejected", SIGNED),
    # Deviations
    Payload('mrp_mmr/deviation/1', 'deviation', "Deviation decided on or closed", SIGNED),
    Payload('mrp_mmr/deviation-contributor/1', 'deviation-contributor', "Contribution to an investigation", SIGNED),
    Payload('mrp_mmr/capa/1', 'capa', "CAPA closed", SIGNED),
    # Equipment and stock
    Payload('mrp_mmr/equipment/1', 'equipment', "Line of an equipment log", SIGNED),
    Payload('mrp_mmr/lot/1', 'lot', "Lot released, rejected or put in quarantine", SIGNED),
    Payload('mrp_mmr/destruction/1', 'destruction', "Destruction of a quantity of a lot", SIGNED),
    # Retention, quality
    Payload('mrp_mmr/hold/1', 'hold', "Legal hold set or lifted", SIGNED),
    Payload('mrp_mmr/disposal/1', 'disposal', "Disposal of batch records", SIGNED),
    Payload('mrp_mmr/quality_review/1', 'quality_review', "Product quality review", SIGNED),
    # Evidence
    Payload('mrp_mmr/signature/1', 'signature#/properties/signed', "Electronic signature", FROZEN),
    Payload('mrp_mmr/signature/2', 'signature#/properties/signed', "Electronic signature with annex or basis", FROZEN),
    Payload('mrp_mmr/signature/3', 'signature#/properties/signed', "Electronic signature with the signer's key", FROZEN),
    Payload('mrp_mmr/signature/4', 'signature#/properties/signed', "Electronic signature with the signer's passkey", FROZEN),
    Payload('mrp_mmr/key/2', 'key', "Key of a signer enrolled or revoked", SIGNED),
    Payload('mrp_mmr/key/1', 'key-1', "Key of a signer enrolled or revoked, before passkeys", SIGNED),
    Payload('mrp_mmr/ledger/1', 'ledger#/properties/line', "Line of the audit trail", FROZEN),
    Payload('mrp_mmr/seal/2', 'seal', "Daily seal", FROZEN),
    Payload('mrp_mmr/seal/1', 'seal-1', "Daily seal, before it had guards and keys", FROZEN),
    Payload('mrp_mmr/guards/1', 'guards', "Guards of PostgreSQL as an update left them", BOUND),
    Payload('mrp_mmr/settings/1', 'settings', "Rules, rights, jobs and views as an update or a change left them", BOUND),
    Payload('mrp_mmr/acceptance/1', 'acceptance', "Text of accountability", BOUND),
    Payload('mrp_mmr/drill/1', 'drill', "Results of a tamper drill", SIGNED),
    # Files of a bundle; its manifest names the digest of each
    Payload('mrp_mmr/bundle/1', 'bundle', "Manifest of a bundle", BUNDLE),
    Payload('mrp_mmr/bundle-revision/1', 'revision', "Revision in a bundle", BUNDLE),
    Payload('mrp_mmr/bundle-order/1', 'order', "Order in a bundle", BUNDLE),
    Payload('mrp_mmr/bundle-batch/2', 'batch', "Batch record in a bundle", BUNDLE),
    Payload('mrp_mmr/bundle-record/1', 'record', "Other record of an inspection pack", BUNDLE),
    Payload('mrp_mmr/bundle-key/2', 'bundle-key', "Public key of a signer in a bundle", BUNDLE),
    Payload('mrp_mmr/bundle-key/1', 'bundle-key-1', "Public key of a signer in a bundle, before passkeys", BUNDLE),
    Payload('mrp_mmr/bundle-signature/1', 'signature', "Signature in a bundle", BUNDLE),
)
#: Those that are recognised by their key ``schema``.
BY_CODE = {payload.code: payload for payload in PAYLOADS if payload.code}
#: The files of all schemas, each once.
SCHEMAS = (COMMON, *dict.fromkeys(payload.schema.partition('#')[0] for payload in PAYLOADS))


def schema_path(name):
    """Return where the schema ``name`` lies."""
    return FOLDER / f'{name}.schema.json'


def load_schema(name):
    """Return the schema ``name`` as a dict."""
    return json.loads(schema_path(name).read_text(encoding='utf-8'))
