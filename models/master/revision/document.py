"""The document of a revision: its whole content, frozen when the preparer signs."""

from odoo import fields, models

from ....domain.durations import Duration
from ....domain.limits import AS_NEEDED, MAKE_UP
from ....domain.numbers import Number, convert, decimal_string, exact
from ...base.exact_number import text_of

DOCUMENT_SCHEMA = 'mrp_mmr/mmr/3'


def agrees(live, frozen, partly=False):
    """Whether live content still is what a frozen document says.

    :param bool partly: ``live`` is a part of the document only, such as the formula

    Records that the document identifies by id or code may have been renamed since; which ones they are may
    not change. What a later version of the addon adds to the content is not in an older document, and does
    not count; nor does a signature that a label got later.
    """
    if isinstance(frozen, dict):
        if not isinstance(live, dict):
            return False
        ignored = {'name', 'schema'} if {'id', 'code'} & frozen.keys() else {'schema'}
        if 'id' in frozen:
            ignored.add('code')
        if {'unit_id', 'percent'} & frozen.keys():
            # An overage is in the unit of its component, which is compared there.
            ignored.add('unit')
        if 'requirement' in frozen:
            ignored.add('text')
        if frozen.get('approval', True) is None:
            ignored.add('approval')
        if partly:
            ignored |= frozen.keys() - live.keys()
        return all(key in live and agrees(live[key], frozen[key], partly) for key in frozen.keys() - ignored)
    if isinstance(frozen, list):
        return isinstance(live, list) and len(live) == len(frozen) and all(
            agrees(*rows, partly) for rows in zip(live, frozen, strict=True))
    return live == frozen


def value_with_unit(value, unit):
    """Return a number whose unit is a word and no unit of Odoo, with its digits; None where it is blank."""
    return None if value is None else {'value': value.text, 'unit': unit or None}


def ordered(rows):
    """Return rows as people put them; a cached list may hold new ones at its end."""
    return rows.sorted(lambda row: (row.sequence, row.id))


def text(value):
    """Return a text for the document: None where it is blank."""
    return value if value and value.strip() else None


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    def _prepare_document(self):
        """Return the whole content of the revision, live, as the document that is signed.

        Quantities are decimal strings, times ISO 8601 UTC; ``schema/mmr.schema.json`` describes it.
        """
        self.ensure_one()
        # Signed wording must not depend on the language of the signer; who may sign may read all of it.
        # Nor on a key that shows what is archived: an archived stage is not run.
        revision = self.sudo().with_context(lang=None, active_test=True)
        document = revision._prepare_formula()
        components = {line.id: position for position, line in enumerate(ordered(revision.bom_id.bom_line_ids), 1)}
        packs = {pack.id: position for position, pack in enumerate(ordered(revision.pack_ids), 1)}
        for row, operation in zip(document['operations'], ordered(revision.bom_id.operation_ids), strict=True):
            equipment = {line.id: position for position, line in enumerate(ordered(operation.mmr_equipment_ids), 1)}
            row['equipment'] = revision._document_equipment(operation, equipment)
            row['steps'] = [
                revision._document_step(position, step, components, equipment, packs)
                for position, step in enumerate(ordered(operation.mmr_step_ids), 1)]
        return dict(
            document,
            ingredients=revision._document_ingredients(),
            specifications=revision._document_specifications(),
            packs=revision._document_packs(),
            references=[{
                'position': position, 'document': row.sop_id._get_document(), 'purpose': text(row.purpose),
            } for position, row in enumerate(ordered(revision.reference_ids), 1)],
            sections=revision._document_sections(),
            reviewers=revision.document.get('reviewers', []) if revision.document else [
                {'position': position, 'name': reviewer.name, 'role': reviewer.group_id.name}
                for position, reviewer in enumerate(revision._get_reviewers(), 1)],
            answers=[{
                'requirement': row.requirement_id.code, 'text': row.requirement_id.name, 'answer': row.answer,
            } for row in revision.answer_ids.sorted(lambda row: row.requirement_id.code)],
            # Documents without it are what they were before revisions could ask for training.
            **({'training_required': True} if revision.training_required else {}),
        )

    def _document_equipment(self, operation, positions):
        return [{
            'position': positions[line.id],
            'equipment': {'id': line.equipment_id.id, 'name': line.equipment_id.name} if line.equipment_id else None,
            'class': {'id': line.category_id.id, 'name': line.category_id.name} if line.category_id else None,
            'preparation': text(line.preparation),
        } for line in ordered(operation.mmr_equipment_ids)]

    def _document_ingredients(self):
        return [{
            'position': position,
            'name': row.name,
            'is_dietary': row.is_dietary,
            'product': self._document_product(row.product_id),
            'amount': value_with_unit(row.amount, row.amount_unit),
        } for position, row in enumerate(ordered(self.ingredient_ids), 1)]

    def _document_specifications(self):
        return [{
            'position': position,
            'scope': row.scope,
            'product': self._document_product(row.product_id),
            'parameter': row.name,
            'is_identity': row.is_identity,
            'criterion': row._get_criterion(),
            'method': text(row.method),
            'method_document': row.method_id._get_document(),
            'document': row.document_id._get_document(),
            'corrective_action': text(row.corrective_action),
        } for position, row in enumerate(ordered(self.specification_ids), 1)]

    def _document_packs(self):
        return [{
            'position': position,
            'name': pack.name,
            'size': {'quantity': pack.quantity.text, 'unit': pack.uom_id.name, 'unit_id': pack.uom_id.id},
            **({'packed_under': pack.packed_under} if text(pack.packed_under) else {}),
            'description': text(pack.description),
            'coding_position': text(pack.coding_position),
            'clearance': text(pack.clearance),
            'checks': text(pack.checks),
            'label': pack.label_id._get_document(),
            'materials': [{
                'position': number,
                'product': self._document_product(row.product_id),
                'quantity': row.quantity.text,
                'unit': row.uom_id.name,
                'unit_id': row.uom_id.id,
            } for number, row in enumerate(ordered(pack.line_ids), 1)],
        } for position, pack in enumerate(ordered(self.pack_ids), 1)]

    def _document_sections(self):
        return [{
            'code': row.code,
            'name': dict(row._fields['code']._description_selection(row.env))[row.code],
            'text': text(row.text),
            'file': row.file_id._get_document(),
            'location': text(row.location),
            'not_applicable_reason': text(row.not_applicable_reason),
        } for row in self.section_ids.sorted('id')]

    def _prepare_formula(self):
        """Return what orders are made by, live: the part of the document that lies in the bill of materials."""
        self.ensure_one()
        revision = self.sudo().with_context(lang=None, active_test=True)
        mmr = revision.mmr_id
        bom = revision.bom_id
        product = mmr.product_id
        operations = ordered(bom.operation_ids)
        positions = {operation.id: position for position, operation in enumerate(operations, 1)}
        return {
            'schema': DOCUMENT_SCHEMA,
            'number': mmr.name,
            'revision': revision.revision,
            'company': {'id': mmr.company_id.id, 'name': mmr.company_id.name},
            'profile': {'code': mmr.profile_id.code, 'name': mmr.profile_id.name},
            'product': revision._document_product(product),
            'formulation': mmr.formulation_code,
            'batch_size': revision._document_quantity(mmr.batch_size, mmr.uom_id, product),
            'change': {
                'category': revision.change_category,
                'description': revision.description or None,
                'reason': revision.reason or None,
            },
            'effective_date': fields.Date.to_string(revision.date_effective) or None,
            'precautions': revision.precautions or None,
            'identity': {
                'description': text(revision.product_description),
                'dosage_form': text(revision.dosage_form),
                'dosage_unit_weight': value_with_unit(revision.dosage_unit_weight, revision.dosage_unit_weight_unit),
            },
            'process_rationale': text(revision.process_rationale),
            'components': [
                dict(revision._document_line(position, line, positions), **revision._document_component(line))
                for position, line in enumerate(ordered(bom.bom_line_ids), 1)],
            'operations': [revision._document_operation(operation, bom, positions) for operation in operations],
            'yield': revision._document_yield(
                revision.theoretical_yield, mmr.uom_id, revision.yield_min, revision.yield_max, revision.yield_rationale)
            if (revision.theoretical_yield or 0) != 0 or (revision.yield_max or 0) != 0 else None,
            'by_products': [
                revision._document_line(position, line, positions)
                for position, line in enumerate(ordered(bom.byproduct_ids), 1)],
        }

    def _document_product(self, product):
        if not product:
            return None
        return {'id': product.id, 'code': product.default_code or None,
                'name': product.with_context(display_default_code=False).display_name}

    def _document_quantity(self, quantity, unit, product):
        # A unit's ratio is content as well: it says how much a drum is.
        converted = convert(quantity, unit, product.uom_id)
        return {
            'quantity': quantity.text if isinstance(quantity, Number) else decimal_string(quantity),
            'unit': unit.name,
            'unit_id': unit.id,
            'product_unit_quantity': None if converted is None else decimal_string(converted),
        }

    def _document_line(self, position, line, positions):
        """Return what components and by-products have in common."""
        quantity = line.gmp_qty if 'gmp_qty' in line._fields else line.product_qty
        return {
            'position': position,
            'product': self._document_product(line.product_id),
            **self._document_quantity(quantity, line.product_uom_id, line.product_id),
            'operation': positions.get(line.operation_id.id),
        }

    def _document_component(self, line):
        return {
            'is_active': line.mmr_is_active,
            'is_declared': line.mmr_is_declared,
            'in_product': not line.mmr_not_in_product,
            'supplier': {'id': line.mmr_supplier_id.id, 'name': line.mmr_supplier_id.name} if line.mmr_supplier_id else None,
            'strength': value_with_unit(line.mmr_strength, line.mmr_strength_unit),
            'overage': self._document_overage(line),
            'tolerance': text_of(line.mmr_tolerance) or '0',
            'tolerance_justification': text(line.mmr_tolerance_justification),
            'weighing_verified': line.mmr_weighing_verified,
            'addition_verified': line.mmr_addition_verified,
            # Only where they are used: documents without them say the same as before.
            **({'assay': {
                'reference': text_of(line.mmr_assay_reference) or '0', 'unit': text(line.mmr_assay_unit) or '%',
                'basis': line.mmr_assay_basis or 'as_is'}} if line.mmr_assay_adjusted else {}),
            **({'is_filler': True} if line.mmr_is_filler else {}),
            **({'stated': self._document_stated(line)} if line.mmr_stated_as else {}),
        }

    def _document_stated(self, line):
        """Return how a quantity is stated that is not simply weighed (NUM-050)."""
        if line.mmr_stated_as == AS_NEEDED:
            return {'kind': AS_NEEDED}
        whole, unit = line.mmr_make_up_to, line.mmr_make_up_uom_id
        return {
            'kind': MAKE_UP, 'value': text(line.mmr_make_up_value),
            'to': None if whole is None else {'value': whole.text, 'unit': unit.name or '', 'unit_id': unit.id or None}}

    def _document_overage(self, line):
        """Return the statement of overage; 'none' is a statement, a blank is None (21 CFR 111.210(e))."""
        kind = line.mmr_overage_kind
        if not kind:
            return None
        amount = line._get_overage_amount()
        if kind == 'percent':
            percent = text_of(line.mmr_overage) or '0'
        elif amount and line.mmr_base_qty:
            percent = decimal_string(amount / exact(line.mmr_base_qty) * 100)
        else:
            percent = '0'
        return {
            'kind': kind, 'percent': percent, 'amount': decimal_string(amount), 'unit': line.product_uom_id.name,
            'rationale': text(line.mmr_overage_rationale),
        }

    def _document_yield(self, theoretical, unit, minimum, maximum, rationale):
        return {
            'theoretical': text_of(theoretical) or '0', 'unit': unit.name or None, 'unit_id': unit.id or None,
            'minimum': text_of(minimum) or '0', 'maximum': text_of(maximum) or '0', 'rationale': text(rationale),
        }

    def _document_operation(self, operation, bom, order):
        return {
            'position': order[operation.id],
            'name': operation.name,
            'work_center': {'id': operation.workcenter_id.id, 'name': operation.workcenter_id.name},
            'instruction': operation.mmr_instruction or None,
            'predecessors': sorted(
                order[blocker.id] for blocker in operation.blocked_by_operation_ids if blocker.id in order)
            # Without dependencies Odoo runs the operations one after the other.
            if bom.allow_operation_dependencies else list(range(1, order[operation.id]))[-1:],
            'stage': operation.mmr_stage or None,
            'yield': self._document_yield(
                operation.mmr_theoretical_yield, operation.mmr_yield_uom_id, operation.mmr_yield_min,
                operation.mmr_yield_max, operation.mmr_yield_rationale) if operation.mmr_yield_control else None,
            'time_limit': text_of(operation.mmr_time_limit) if (operation.mmr_time_limit or 0) != 0 else None,
            'hold_time': text_of(operation.mmr_hold_time) if (operation.mmr_hold_time or 0) != 0 else None,
            'storage_conditions': text(operation.mmr_storage_conditions),
        }

    def _document_time(self, name, number, unit):
        """Return a time in minutes, which execution and guards read, and as it was written where that is another unit."""
        if (number or 0) == 0:
            return {name: None}
        if unit in (False, 'min'):
            return {name: number.text}
        written = Duration(number, unit)
        return {name: written.converted_to('min').number.text, f'{name}_written': str(written)}

    def _document_step(self, position, step, components, equipment, packs):
        return {
            'position': position,
            'name': step.name,
            'kind': step.kind,
            'instruction': text(step.instruction),
            'precaution': text(step.precaution),
            'component': components.get(step.bom_line_id.id),
            'performer_role': step.performer_role or None,
            'performer_meaning': step.performer_meaning or None,
            'verifier_role': step.verifier_role or None,
            'verifier_meaning': step.verifier_meaning or None,
            'is_critical': step.is_critical,
            'is_hold_point': step.is_hold_point,
            'execution': step.execution,
            'equipment': equipment.get(step.equipment_id.id),
            # Documents without it are what they were before steps could name their pack.
            **({'pack': packs[step.pack_id.id]} if step.pack_id.id in packs else {}),
            'criterion': step._get_criterion(),
            'corrective_action': text(step.corrective_action),
            'plausibility': {
                'minimum': text_of(step.plausible_min), 'maximum': text_of(step.plausible_max),
            } if step.has_plausibility else None,
            **self._document_time('minimum_time', step.minimum_time, step.time_unit),
            **self._document_time('time_limit', step.time_limit, step.time_unit),
            'sample': {
                'count': step.sample_count, 'size': text_of(step.sample_size), 'unit': step.sample_unit or None,
                'timing': text(step.sample_timing), 'role': step.sample_role or None,
            } if step.sample_required or step.kind == 'sampling' else None,
            'method': step.method_id._get_document(),
            'documents': [sop._get_document() for sop in step.sop_ids.sorted('id')],
            'checklist': [
                {'position': number, 'text': row.name, 'mandatory': row.is_mandatory}
                for number, row in enumerate(ordered(step.check_ids), 1)],
            'picture': step.file_id._get_document(),
        }
