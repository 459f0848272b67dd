"""Copies the content of a bill of materials and of another revision into a draft: no signature, date or decision (REV-030)."""

from odoo.fields import Command

from ....domain.numbers import convert, exact


class ContentCopy:
    """Fills one draft; remembers which row became which, as rows refer to one another.

    :param revision: the draft
    :param bool to_review: mark every quantity and yield as *to be reviewed* (MMR-040)
    :param ratio: Decimal by which quantities and yields are proposed, or None (see ``_copy_content_from``)
    """

    def __init__(self, revision, to_review, ratio):
        self.revision = revision
        self.to_review = to_review
        self.ratio = ratio if to_review else None
        #: By model: id of a row → id of its copy.
        self.mapping = {}
        self.operations = self.lines = None

    def copy_formula(self, bom):
        """Copy stages, components and by-products that are for this variant of the product."""
        product, own_bom = self.revision.product_id, self.revision.bom_id
        self.operations = bom.operation_ids.filtered(lambda row: not row._skip_operation_line(product))
        self.lines = bom.bom_line_ids.filtered(lambda row: not row._skip_bom_line(product))
        byproducts = bom.byproduct_ids.filtered(lambda row: not row._skip_byproduct_line(product))
        in_bom = {'bom_id': own_bom.id}
        copies = self._copy(self.operations, in_bom, self._change_operation)
        stages = self.mapping['mrp.routing.workcenter']
        for row, stage in zip(self.operations, copies, strict=True):
            blockers = [stages[blocker.id] for blocker in row.blocked_by_operation_ids if blocker.id in stages]
            if blockers:
                stage.blocked_by_operation_ids = [Command.set(blockers)]
        # Who copies an overage has not judged it, even where that is a member of Quality Control (PRD-050).
        self._copy(self.lines, in_bom, self._change_line)._mmr_reset_overage_confirmation()
        self._copy(byproducts, in_bom, self._change_byproduct)
        if own_bom.allow_operation_dependencies != bom.allow_operation_dependencies:
            own_bom.allow_operation_dependencies = bom.allow_operation_dependencies

    def copy_instructions(self, source):
        """Copy what a revision says beyond its formula, as far as its stages and components were copied."""
        revision = self.revision
        in_revision = {'revision_id': revision.id}
        self._copy(source.equipment_ids.filtered(lambda row: row.operation_id in self.operations), in_revision)
        self._copy(source.pack_ids, in_revision)
        self._copy(source.pack_ids.line_ids, in_revision)
        self._copy(source.step_ids.filtered(
            lambda row: row.operation_id in self.operations
            and (not row.bom_line_id or row.bom_line_id in self.lines)), in_revision)
        self._copy(source.step_ids.check_ids.filtered(lambda row: row.step_id.id in self.mapping['mrp.mmr.step']), in_revision)
        for rows in (source.specification_ids, source.ingredient_ids, source.reference_ids):
            self._copy(rows, in_revision)
        self._copy(source.answer_ids.filtered(lambda row: row.requirement_id.profile_id == revision.profile_id), in_revision)
        # A device keeps the sections that the source has not.
        revision.section_ids.filtered(lambda row: row.code in source.section_ids.mapped('code')).unlink()
        self._copy(source.section_ids, in_revision)
        vals = {name: source[name] for name in (
            'precautions', 'product_description', 'dosage_form', 'dosage_unit_weight', 'dosage_unit_weight_unit',
            'process_rationale', 'yield_min', 'yield_max', 'yield_rationale')}
        # It is in the unit of the batch size, which may be another one here.
        converted = None if source.uom_id == revision.uom_id else convert(
            source.theoretical_yield, source.uom_id, revision.uom_id)
        revision.write(dict(
            vals, theoretical_yield=self._scale(source.theoretical_yield if converted is None else float(converted)),
            yield_to_review=self.to_review or source.yield_to_review))

    def _scale(self, value):
        return float(exact(exact(value) * self.ratio)) if self.ratio and value is not None else value

    def _copy(self, rows, parent, change=None):
        vals_list = []
        for row in rows:
            vals = dict(row._mmr_copy_vals(self.mapping), **parent)
            vals_list.append(change(row, vals) if change else vals)
        copies = self.revision.env[rows._name].create(vals_list)
        self.mapping[rows._name] = dict(zip(rows.ids, copies.ids, strict=True))
        return copies

    def _change_operation(self, row, vals):
        return dict(
            vals, mmr_theoretical_yield=self._scale(row.mmr_theoretical_yield),
            mmr_yield_to_review=row.mmr_yield_control and (self.to_review or row.mmr_yield_to_review))

    def _change_line(self, row, vals):
        quantity = self._scale(row._get_mmr_quantity())
        if vals.get('mmr_overage_kind') == 'amount':
            vals['mmr_overage'] = self._scale(row.mmr_overage)
        vals['mmr_base_qty'] = self._scale(row.mmr_base_qty) if row._has_overage() else quantity
        if row.mmr_make_up_to is not None:
            vals['mmr_make_up_to'] = self._scale(row.mmr_make_up_to)
        return dict(
            vals, gmp_qty=quantity, mmr_tolerance=self._scale(row.mmr_tolerance),
            mmr_to_review=self.to_review or row.mmr_to_review)

    def _change_byproduct(self, row, vals):
        return dict(vals, product_qty=self._scale(row.product_qty), cost_share=row.cost_share)
