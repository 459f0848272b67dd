"""Recomputes signatures, documents, snapshots and files from their columns (SIG-030, REC-060, 21 CFR 11.70)."""

from ..domain.proofs import CHAIN_COLUMNS
from .check_batches import BatchChecks
from .check_files import FileChecks
from .check_guards import GuardChecks
from .check_hardening import HardeningChecks
from .check_masters import MasterChecks
from .check_people import PeopleChecks
from .check_places import PlaceChecks
from .check_results import ResultChecks
from .check_sessions import SessionChecks
from .check_settings import SettingChecks
from .check_signatures import SignatureChecks
from .check_signers import SignerChecks
from .check_stock import StockChecks
from .check_trail import TrailChecks
from .ledger import CHECKPOINT
from .session import trusted_names


class Verification(
        TrailChecks, GuardChecks, FileChecks, SignatureChecks, SignerChecks, PeopleChecks, MasterChecks, ResultChecks,
        BatchChecks, StockChecks, PlaceChecks, SettingChecks, SessionChecks, HardeningChecks):
    """Verifies all evidence that a cursor reads; iterating yields each :class:`Finding`.

    Nothing but the batch at hand is in memory. ``counts`` grows on the way: records read, by what they are.

    :param int company: verify what belongs to this company; 0 is what belongs to none, None is everything
    :param dict position: the :attr:`position` at which another verification was interrupted, maybe long ago:
        evidence is only added, so what was verified before stays verified
    """

    #: Part of the evidence → the method that yields its findings.
    CHECKS = {
        'ledger': '_check_ledger',
        'baseline': '_check_baseline',
        'chains': '_check_chains',
        'seals': '_check_seals',
        'guards': '_check_guards',
        'settings': '_check_settings',
        'files': '_check_files',
        'signatures': '_check_signatures',
        'acceptances': '_check_acceptances',
        'keys': '_check_keys',
        'roles': '_check_roles',
        'signers': '_check_signers',
        'suspensions': '_check_suspensions',
        'secrets': '_check_secrets',
        'recoveries': '_check_recoveries',
        'sessions': '_check_sessions',
        'revisions': '_check_revisions',
        'reviews': '_check_reviews',
        'labels': '_check_labels',
        'orders': '_check_orders',
        'plans': '_check_plans',
        'stock': '_check_stock',
        'lots_on_stock': '_check_lots_on_stock',
        'places': '_check_places',
        'lots_made': '_check_lots_made',
        'lots_surplus': '_check_lots_surplus',
        'drills': '_check_drills',
        'disposals': '_check_disposals',
        'quality_reviews': '_check_quality_reviews',
        'hardening': '_check_hardening',
    }
    #: All parts in the order of a verification; the last ones are the tables that the ledger follows.
    PARTS = (*CHECKS, *CHAIN_COLUMNS)

    def __init__(self, cr, company=None, position=None):
        self.cr = cr
        self.company = company
        self.counts = dict.fromkeys((
            'lines', 'signatures', 'revisions', 'orders', 'files', 'labels', 'records', 'disposed',
            'without_key'), 0)
        self.partial = []   # chains that were not seen whole (see LedgerCheck)
        self.part, self._after = (position['part'], position['after']) if position else (self.PARTS[0], None)

    @property
    def position(self):
        """Where another verification goes on, as JSON can hold it; valid at a checkpoint, None after the last one."""
        return self.part and {'part': self.part, 'after': self._after}

    def __iter__(self):
        for step in self.steps():
            if step is not CHECKPOINT:
                yield step

    def steps(self):
        """Yield findings and, between batches, ``CHECKPOINT``: here it may be interrupted."""
        for part, following in zip(self.PARTS, (*self.PARTS[1:], None), strict=True):
            if part == self.part:
                yield from self.check_part(part)
                self.part, self._after = following, None
                yield CHECKPOINT

    def check_part(self, part, **bounds):
        """Yield the findings of one part of the evidence, and checkpoints.

        :param bounds: start and stop of the ledger (see :class:`LedgerCheck`)
        """
        with trusted_names(self.cr):
            if part in CHAIN_COLUMNS:
                yield from self._check_logged(part)
                yield from self._check_vanished(part)
            else:
                yield from getattr(self, self.CHECKS[part])(**bounds)

    def estimate(self):
        """Return how many lines and records there are about, each counted as often as ``counts`` will."""
        with trusted_names(self.cr):
            self.cr.execute(f"""
                SELECT (SELECT COALESCE(sum(c.head_index), 0)
                          FROM mrp_audit_chain c WHERE {self._company_condition('c.company_id')})
                     + (SELECT count(*) FROM mrp_esignature s WHERE {self._company_condition('s.company_id')})
                     + (SELECT 2 * count(*) FROM mrp_mmr_revision t WHERE {self._model_condition('mrp.mmr.revision')})
                     + (SELECT 2 * count(*) FROM mrp_production t
                         WHERE t.mmr_snapshot_sha256 IS NOT NULL AND {self._model_condition('mrp.production')})
                     + (SELECT 2 * count(*) FROM mrp_mmr_label t WHERE {self._model_condition('mrp.mmr.label')})
                     + (SELECT count(*) FROM mrp_mmr t WHERE {self._model_condition('mrp.mmr')})
                     + (SELECT count(*) FROM mrp_mmr_review t WHERE {self._model_condition('mrp.mmr.review')})""")
            [number] = self.cr.fetchone()
        return int(number)
