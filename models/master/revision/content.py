"""The content of a revision: where it is copied from, and what orders take from it."""

from odoo import models
from odoo.fields import Command
from odoo.tools import SQL

from ....domain.canonical import iso_utc, sha256
from ....domain.numbers import convert, exact
from ....domain.refusals import refusal
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
            an approved MMR is never scaled by itself (MMR-030).
        """
        self.ensure_one()
        source = (source or self.browse()).sudo()
        product = self.product_id
        operations = bom.operation_ids.filtered(lambda row: not row._skip_operation_line(product))
        lines = bom.bom_line_ids.filtered(lambda row: not row._skip_bom_line(product))
        byproducts = bom.byproduct_ids.filtered(lambda row: not row._skip_byproduct_line(product))
        mapping = {}

        def scaled(value):
            return float(exact(exact(value) * ratio)) if ratio and to_review else value

        def copy(rows, parent, change=None):
            vals_list = []
            for row in rows:
                vals = dict(row._mmr_copy_vals(mapping), **parent)
                vals_list.append(change(row, vals) if change else vals)
            copies = self.env[rows._name].create(vals_list)
            mapping[rows._name] = dict(zip(rows.ids, copies.ids, strict=True))
            return copies

        def change_operation(row, vals):
            return dict(
                vals, mmr_theoretical_yield=scaled(row.mmr_theoretical_yield),
                mmr_yield_to_review=row.mmr_yield_control and (to_review or row.mmr_yield_to_review))

        def change_line(row, vals):
            quantity = scaled(row._get_mmr_quantity())
            if vals.get('mmr_overage_kind') == 'amount':
                vals['mmr_overage'] = scaled(row.mmr_overage)
            vals['mmr_base_qty'] = scaled(row.mmr_base_qty) if row.mmr_overage else quantity
            return dict(
                vals, gmp_qty=quantity, mmr_tolerance=scaled(row.mmr_tolerance),
                mmr_to_review=to_review or row.mmr_to_review)

        def change_byproduct(row, vals):
            return dict(vals, product_qty=scaled(row.product_qty), cost_share=row.cost_share)

        in_bom = {'bom_id': self.bom_id.id}
        copies = copy(operations, in_bom, change_operation)
        stages = mapping['mrp.routing.workcenter']
        for row, stage in zip(operations, copies, strict=True):
            blockers = [stages[blocker.id] for blocker in row.blocked_by_operation_ids if blocker.id in stages]
            if blockers:
                stage.blocked_by_operation_ids = [Command.set(blockers)]
        # Who copies an overage has not judged it, even where that is a member of Quality Control (PRD-050).
        copy(lines, in_bom, change_line)._mmr_reset_overage_confirmation()
        copy(byproducts, in_bom, change_byproduct)
        if self.bom_id.allow_operation_dependencies != bom.allow_operation_dependencies:
            self.bom_id.allow_operation_dependencies = bom.allow_operation_dependencies
        if not source:
            return
        in_revision = {'revision_id': self.id}
        copy(source.equipment_ids.filtered(lambda row: row.operation_id in operations), in_revision)
        copy(source.step_ids.filtered(
            lambda row: row.operation_id in operations and (not row.bom_line_id or row.bom_line_id in lines)), in_revision)
        copy(source.step_ids.check_ids.filtered(lambda row: row.step_id.id in mapping['mrp.mmr.step']), in_revision)
        copy(source.pack_ids, in_revision)
        copy(source.pack_ids.line_ids, in_revision)
        for rows in (source.specification_ids, source.ingredient_ids, source.reference_ids):
            copy(rows, in_revision)
        copy(source.answer_ids.filtered(lambda row: row.requirement_id.profile_id == self.profile_id), in_revision)
        # A device keeps the sections that the source has not.
        self.section_ids.filtered(lambda row: row.code in source.section_ids.mapped('code')).unlink()
        copy(source.section_ids, in_revision)
        vals = {name: source[name] for name in (
            'precautions', 'product_description', 'dosage_form', 'dosage_unit_weight', 'dosage_unit_weight_unit',
            'process_rationale', 'yield_min', 'yield_max', 'yield_rationale')}
        # It is in the unit of the batch size, which may be another one here.
        converted = convert(source.theoretical_yield, source.uom_id, self.uom_id)
        self.write(dict(
            vals, theoretical_yield=scaled(source.theoretical_yield if converted is None else float(converted)),
            yield_to_review=to_review or source.yield_to_review))

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
            self.env._("The bill of materials of %(revision)s is not what was signed.\n%(rows)s",
                       revision=self.display_name, rows='\n'.join(f"• {row}" for row in rows)),
            "MMR-050, 21 CFR 111.210, 11.70",
            self.env._("inform Quality Control; a new revision is needed."), record=self)

    def _check_signatures(self):
        """Refuse where a signature is not intact or not over the frozen document (SIG-030, 21 CFR 11.70).

        :raise UserError: naming the signature
        """
        self.ensure_one()
        for signature in (self.prepared_signature_id, self.approved_signature_id):
            if not signature._is_intact() or signature.content_sha256 != self.document_sha256:
                raise refusal(
                    self.env,
                    self.env._("%(revision)s: %(signature)s does not verify.", revision=self.display_name,
                               signature=signature.display_name or self.env._("a signature")),
                    "SIG-030, 21 CFR 11.70",
                    self.env._("inform Quality Control and your administrator; a new revision is needed."),
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
