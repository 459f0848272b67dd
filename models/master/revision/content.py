"""The content of a revision: where it is copied from, and what orders take from it."""

from odoo import models
from odoo.tools import SQL

from ....domain.canonical import iso_utc, sha256
from ....domain.refusals import refusal
from .content_copy import ContentCopy
from .document import agrees


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    # === CONTENT === #

    def _copy_content_from(self, bom, source=None, to_review=False, ratio=None):
        """Fill this draft from a bill of materials, and from the revision ``source`` where there is one.

        Content is copied, never a signature, date or decision (REV-030).

        :param bom: the bill of materials that components, stages and by-products come from
        :param source: the revision that everything else comes from
        :param bool to_review: mark every quantity and yield as *to be reviewed* (MMR-040)
        :param ratio: Decimal; propose quantities and yields multiplied by it. Only together with ``to_review``:
            an approved MMR is never scaled automatically (MMR-030).
        """
        self.ensure_one()
        copying = ContentCopy(self, to_review, ratio)
        copying.copy_formula(bom)
        if source:
            copying.copy_instructions(source.sudo())

    # === USE ON ORDERS === #

    def _lock_for_release(self):
        """Keep these revisions effective until the orders that use them are committed."""
        if self.ids:
            self.env.execute_query(SQL(
                "SELECT id FROM mrp_mmr_revision WHERE id IN %s ORDER BY id FOR SHARE", tuple(self.ids)))

    def _is_content_signed(self):
        """Whether the frozen document is intact and the live content still is what it says.

        Names of products, units and work centers may change later; which ones they are may not.
        """
        self.ensure_one()
        document = self.document
        return sha256(document) == self.document_sha256 and agrees(self._prepare_document(), document)

    def _is_formula_signed(self, document):
        """Whether ``document`` is intact and the live formula still is what it says.

        The rest of the content orders take from the document itself.
        """
        self.ensure_one()
        return sha256(document) == self.document_sha256 and agrees(self._prepare_formula(), document, partly=True)

    def _check_bom_is_signed(self, document):
        """Refuse where the bill of materials is not the signed content any more (MMR-050).

        :param dict document: the document that orders are about to embed; the ORM copies it whenever it is read
        :raise UserError: naming each component with both quantities
        """
        self.ensure_one()
        self._check_signatures()
        if self._is_formula_signed(document):
            return
        signed = {row['position']: row for row in document['components']}
        current = {row['position']: row for row in self._prepare_formula()['components']}
        rows = []
        for position in sorted(signed.keys() | current.keys()):
            was, now = signed.get(position), current.get(position)
            if not (was and now and agrees(now, was, partly=True)):
                rows.append(self.env._(
                    "%(component)s: %(now)s in the bill of materials, %(was)s in the MMR",
                    component=(was or now)['product']['name'],
                    now=f"{now['quantity']} {now['unit']}" if now else self.env._("missing"),
                    was=f"{was['quantity']} {was['unit']}" if was else self.env._("missing")))
        raise refusal(
            self.env,
            self.env._("The bill of materials of %(revision)s differs from what was signed.\n%(rows)s",
                       revision=self.display_name, rows='\n'.join(f"• {row}" for row in rows)),
            "MMR-050, 21 CFR 111.210, 11.70",
            self.env._("inform Quality Control; a new revision is required."), record=self)

    def _check_signatures(self):
        """Refuse where a signature is not intact or not over the frozen document (SIG-030, 21 CFR 11.70).

        :raise UserError: naming the signature
        """
        self.ensure_one()
        for signature in (self.prepared_signature_id, self.approved_signature_id):
            if not signature._is_intact() or signature.content_sha256 != self.document_sha256:
                raise refusal(
                    self.env,
                    self.env._("%(revision)s: verification of %(signature)s failed.", revision=self.display_name,
                               signature=signature.display_name or self.env._("a signature")),
                    "SIG-030, 21 CFR 11.70",
                    self.env._("inform Quality Control and your administrator; a new revision is required."),
                    record=self)

    def _prepare_snapshot(self):
        """Return what an order embeds: the signed document, its digest and its signatures (USE-030)."""
        self.ensure_one()
        return {
            'schema': 'mrp_mmr/snapshot/1',
            'document': self.document,
            'document_sha256': self.document_sha256,
            'signatures': [
                signature._get_printed_vals()
                for signature in (self.prepared_signature_id, self.approved_signature_id)],
            'effective_at': iso_utc(self.effective_at),
        }
