"""One step as the shop-floor screen shows it: what is to be done, with what, what was recorded, and what is missing."""

from decimal import Decimal
from fractions import Fraction

from odoo import api, fields, models
from odoo.fields import Domain

from ....domain.canonical import iso_utc
from ....domain.criterion import stated_text
from ....domain.limits import amount_range, is_permitted
from ....domain.numbers import convert, decimal_string, exact, round_fraction
from ....domain.roles import ROLE_GROUPS
from ....domain.step_kinds import ENTRY_OF_STEP
from ....domain.step_states import CLOSED, POINT_FIELDS, VERIFIES
from ...base.notation import get_plain_writer

#: As many lots and units are proposed.
MAX_PROPOSALS = 30
NOTES = ('comment', 'handover')


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    # === SIGNATURES === #

    def _get_labels(self, name):
        """Return what the values of a selection field are called, in the language of the user."""
        return dict(self._fields[name]._description_selection(self.env))

    @api.model
    def _get_point_task(self, point):
        """Return what the person does who signs a point, in words that follow the role."""
        return {
            'performed': self.env._("performs"),
            'verified': self.env._("verifies"),
            'added': self.env._("adds"),
            'addition_verified': self.env._("verifies the addition"),
            'hold': self.env._("decides on the material"),
        }[point]

    def _get_point_role(self, point):
        """Return the role that signs a point of this step."""
        self.ensure_one()
        if point == 'hold':
            return 'qc'
        return self.verifier_role or 'verifier' if point in VERIFIES else self.performer_role or 'operator'

    def _get_floor_signatures(self):
        """Return who signed each of these steps, and when; for everybody who may read the step (SIG-020)."""
        signatures = self.env['mrp.esignature'].sudo().browse(
            signature.id for step in self for name in POINT_FIELDS.values() for signature in step[name])
        signatures.fetch(['signer_name', 'signed_at', 'meaning'])
        return {step: [
            {'point': point, 'name': signature.signer_name, 'meaning': signature._get_meaning_label(),
             'at': iso_utc(signature.signed_at)}
            for point in step.points for signature in step.sudo()[POINT_FIELDS[point]]] for step in self}

    def _prepare_floor_points(self):
        self.ensure_one()
        roles = self._get_labels('performer_role')
        signed = {row['point']: row for row in self._get_floor_signatures()[self]}
        return [{
            'point': point, 'task': self._get_point_task(point), 'role': self._get_point_role(point),
            'role_label': roles[self._get_point_role(point)], 'signature': signed.get(point, False),
        } for point in self.points]

    # === HAND-OVER === #

    def _prepare_floor_handovers(self):
        """Return the notes for the next shift that nobody else has acknowledged, at steps that are not closed."""
        entries = self.filtered(lambda step: step.state not in CLOSED).sudo().entry_ids
        read = {(entry.about_id, entry.user_id) for entry in entries if entry.about_id}
        return [{
            'id': entry.id, 'step_id': entry.step_id.id, 'code': entry.step_id.code, 'text': entry.text,
            'user': entry.user_name, 'at': iso_utc(entry.at), 'is_own': entry.user_id == self.env.user,
        } for entry in entries if entry.kind == 'handover'
            and not any(about == entry and user != entry.user_id for about, user in read)]

    # === THE STEP IN FULL === #

    def _prepare_floor_step(self, stages):
        """Return everything that is shown of one step.

        :param list stages: see ``mrp.bpr._get_floor_stages``
        """
        self.ensure_one()
        step, planned = self.sudo(), self.planned
        criterion = planned['criterion'] or {}
        obstacle = step._get_obstacle(own_deviations=self.state != 'started')
        point = self.next_point
        is_open = self.state == 'open'
        waiting = step._get_waiting_for()[:3] if is_open else step.browse()
        current = step.entry_ids._get_current()
        return {
            **self._prepare_floor_instruction(stages),
            'started_at': iso_utc(self.started_at),
            'started_by': step.started_by_id.name,
            'closed_at': iso_utc(self.closed_at),
            'time_limit': planned['time_limit'],
            'not_before': iso_utc(step._get_minimum_end()),
            'is_timed': bool(self.started_at) and not step[POINT_FIELDS[self.points[0]]],
            'points': self._prepare_floor_points(),
            'next_point': point,
            'performer_label': self._get_labels('performer_role')[self.performer_role or 'operator'],
            'can_perform': self.env.user.has_group(ROLE_GROUPS[self.performer_role or 'operator']),
            'obstacle': obstacle and {'message': obstacle[0], 'next_action': obstacle[2]},
            'waiting': waiting.mapped('display_name'),
            'missing': step._get_missing(point) if point and not is_open else [],
            'limits': step._get_limits_label(),
            'criterion': criterion.get('text') or False,
            'target_value': criterion.get('target') or False,
            'unit': criterion.get('unit') or False,
            'corrective_action': planned['corrective_action'],
            'documents': [row for row in (*planned['documents'], planned['method']) if row],
            'checklist': self._prepare_floor_checklist(current),
            'equipment': step._prepare_floor_equipment(),
            'unready': step._get_units_of_start()._mmr_get_readiness(step.bpr_id) if is_open else [],
            'sample': self._prepare_floor_sample(current),
            'weighing': step._prepare_floor_weighing(),
            'band': self._prepare_floor_band(),
            'packs': step._prepare_floor_packs(),
            'needs_retest': step._is_retest_missing(ENTRY_OF_STEP.get(self.kind)),
            'entries': step._prepare_floor_entries(),
        }

    def _prepare_floor_instruction(self, stages):
        """Return the definition of the step and what it requires, which no entry changes."""
        planned, stage = self.planned, next(row for row in stages if row['stage'] == self.stage)
        return {
            'id': self.id,
            'code': self.code,
            # As it was signed, whatever a column says.
            'name': planned['name'],
            'kind': self.kind,
            'kind_label': self._get_labels('kind')[self.kind],
            'result_kind': ENTRY_OF_STEP.get(self.kind, False),
            'state': self.state,
            'state_label': self._get_state_label(),
            'stage': stage['name'],
            'stage_kind': stage['kind'],
            'stage_instruction': stage['instruction'],
            'storage_conditions': stage['storage_conditions'],
            'workcenter': stage['workcenter'],
            'instruction': planned['instruction'],
            'precaution': planned['precaution'],
            'picture': self._prepare_floor_file(planned['picture']),
            'is_critical': self.is_critical,
            'is_hold_point': self.is_hold_point,
            'is_automated': planned['execution'] == 'automated',
        }

    def _prepare_floor_file(self, file):
        return bool(file) and {'name': file['name'], 'url': f"/web/image/mrp.mmr.file/{file['id']}/data"}

    def _prepare_floor_band(self):
        """Return the yield band with its ends as quantities, for people who look at a scale."""
        band = self.planned['band']
        if self.kind != 'yield' or not band:
            return False
        theoretical = Decimal(band['theoretical'])
        return {**band, 'low': decimal_string(theoretical * Decimal(band['minimum']) / 100),
                'high': decimal_string(theoretical * Decimal(band['maximum']) / 100)}

    def _prepare_floor_packs(self):
        """Return the pack sizes that are packed or labelled here, with materials and label; their version is not told.

        People type the version that is printed on the labels in their hands (BPR-120).
        """
        if self.kind not in ('label', 'material'):
            return []
        packs = [self.planned['pack']] if self.planned.get('pack') else self._get_snapshot_document().get('packs', [])
        return [{
            'position': pack['position'], 'name': pack['name'], 'description': pack['description'],
            'label': pack['label'] and pack['label']['code'], 'has_version': bool(pack['label'] and pack['label']['version']),
            'materials': [
                {'position': row['position'], 'name': row['product']['name'], 'quantity': row['quantity'], 'unit': row['unit']}
                for row in pack['materials']],
        } for pack in packs]

    def _prepare_floor_checklist(self, current):
        answers = {entry.position: entry for entry in current if entry.kind == 'check'}
        return [{
            **row, 'entry_id': answers[row['position']].id if row['position'] in answers else False,
            'outcome': answers[row['position']].outcome if row['position'] in answers else False,
        } for row in self.planned['checklist']]

    def _prepare_floor_sample(self, current):
        sample = self.planned['sample']
        return bool(sample) and {**sample, 'taken': decimal_string(sum(
            Decimal(entry.value) for entry in current if entry.kind == 'sample'))}

    def _prepare_floor_equipment(self):
        """Return the equipment of the step: what is planned, what was identified, and what may be chosen (BPR-030)."""
        planned = self.planned
        if not planned['unit']:
            return False
        unit, kind = planned['unit']['equipment'], planned['unit']['class']
        candidates = self.env['maintenance.equipment'].search(
            Domain('id', '=', unit['id']) if unit else Domain('category_id', '=', kind['id'])
            & Domain('company_id', 'in', (False, self.company_id.id)), limit=MAX_PROPOSALS, order='name, id')
        bpr = self.sudo().bpr_id
        status = candidates._mmr_get_status(bpr=bpr)
        return {
            'name': self._get_planned_unit_name(),
            'is_class': not unit,
            'preparation': planned['unit']['preparation'],
            'identified': self._get_units(planned['equipment']).mapped('display_name'),
            'candidates': [
                {'id': row.id, 'name': row.name, 'code': row.serial_no or False,
                 'unclean': row._mmr_get_cleaning_issue(status[row.id], bpr) or False} for row in candidates],
        }

    # === WEIGHING === #

    def _prepare_floor_weighing(self):
        """Return the component of a step that weighs or adds it: target, what was weighed so far, lots to take."""
        target = self._get_target()
        if not target:
            return False
        weights = self._get_weights()
        weighed = sum(entry._get_quantity() for entry in weights)
        total = round_fraction(weighed)
        low, high = amount_range(target)
        wanted = exact(target['quantity'])
        unit = self.env['uom.uom'].browse(target['unit_id'])
        is_weighed = self.kind == 'weigh'
        return {
            'product': target['product']['name'],
            'code': target['product']['code'],
            'target': target['quantity'],
            'low': decimal_string(low),
            'high': high is not None and decimal_string(high),
            'has_range': low != high,
            'stated': stated_text(target),
            'unit': target['unit'],
            'unit_id': unit.id,
            'units': [{'id': row.id, 'name': row.name} for row in self._get_floor_units(unit)] if is_weighed else [],
            'total': decimal_string(total),
            'remaining': decimal_string(wanted - total),
            'excess': high is not None and weighed > Fraction(high) and decimal_string(total - wanted),
            'is_within': is_permitted(weighed, target),
            'weights': [
                {'id': entry.id, 'lot': entry.lot_name, 'value': entry.value, 'unit': entry.unit} for entry in weights],
            'lots': self._get_floor_lots(target) if is_weighed and self.state not in CLOSED else [],
            'is_tracked': self._get_floor_product(target).tracking != 'none',
        }

    def _get_floor_product(self, target):
        return self.env['product.product'].browse(target['product']['id'])

    def _get_floor_units(self, unit):
        """Return the units in which the same may be weighed: those of the same reference."""
        root = unit.parent_path.split('/')[0]
        return self.env['uom.uom'].search([('id', 'child_of', int(root))], order='factor, id')

    def _get_floor_lots(self, target):
        """Return the lots of a component at the source of the order, first expiry first; unusable ones last, with why."""
        product = self._get_floor_product(target)
        unit = self.env['uom.uom'].browse(target['unit_id'])
        quants = self.env['stock.quant'].search_fetch([
            ('product_id', '=', product.id), ('location_id', 'child_of', self.production_id.location_src_id.id),
            ('lot_id', '!=', False), ('quantity', '>', 0)], ['lot_id', 'location_id', 'quantity', 'in_date'])
        issues, company = self._get_floor_lot_issues(quants.lot_id), self.sudo().company_id
        rows = []
        for lot, own in quants.grouped('lot_id').items():
            quantity = convert(sum(own.mapped('quantity')), product.uom_id, unit)
            rows.append({
                'id': lot.id, 'name': lot.name, 'quantity': None if quantity is None else decimal_string(quantity),
                'unit': unit.name, 'issue': issues.get(lot, False),
                'expires': fields.Date.to_string(company._get_mmr_day(lot.expiration_date)) or False,
                'locations': ', '.join(own.location_id.mapped('display_name')), 'since': iso_utc(min(own.mapped('in_date'))),
            })
        rows.sort(key=lambda row: (bool(row['issue']), row['expires'] or '9', row['since'] or '9', row['id']))
        return rows[:MAX_PROPOSALS]

    def _get_floor_lot_issues(self, lots):
        """Return why lots are not to be used, by lot; the rule itself is in ``_check_lot``."""
        company = self.sudo().company_id
        return {lot: self.env._("expired") for lot in lots if lot._mmr_is_expired(company)}

    def _find_floor_lot(self, names):
        """Return what a scanned code is as a lot of this step's component, or as the lot of labels; None if neither."""
        target = self._get_target()
        if self.kind in ('label', 'material'):
            return {'type': 'text', 'text': names[0]}
        if self.kind != 'weigh' or not target:
            return None
        product = self._get_floor_product(target)
        if product.tracking == 'none':
            return {'type': 'text', 'text': names[0]}
        lots = self.env['stock.lot'].search([
            ('name', 'in', names), ('company_id', 'in', (False, self.company_id.id))], limit=MAX_PROPOSALS)
        own = lots.filtered(lambda lot: lot.product_id == product)[:1]
        if own:
            return {'type': 'lot', 'id': own.id, 'name': own.name, 'issue': self._get_floor_lot_issues(own).get(own, False)}
        if lots:
            return {'type': 'unknown', 'message': self.env._(
                "Lot %(lot)s is %(actual)s, not %(planned)s.", lot=lots[0].name, actual=lots[0].product_id.name,
                planned=product.name)}
        return None

    # === ENTRIES === #

    def _prepare_floor_entries(self):
        """Return everything recorded at the step, what was corrected included, oldest first."""
        entries = self.entry_ids.sorted('id')
        kinds = dict(entries._fields['kind']._description_selection(self.env))
        show = get_plain_writer(self.env)
        signatures = entries.filtered('to_sign').esignature_ids.grouped('res_id')
        corrections = {}
        for entry in entries:
            if entry.supersedes_id:
                corrections.setdefault(entry.supersedes_id, []).append(entry.id)
        return [{
            'id': entry.id,
            'kind': entry.kind,
            'kind_label': kinds[entry.kind],
            'position': entry.position,
            'value': entry.value,
            'unit': entry.unit,
            'text': entry.text,
            'data': entry.data or {},
            'summary': entry._summarize(show),
            'outcome': entry.outcome,
            'lot_id': entry.lot_id.id,
            'lot': entry.lot_name,
            'equipment': entry.equipment_name,
            'photo': bool(entry.file_id) and f'/web/image/mrp.mmr.file/{entry.file_id.id}/data',
            'user': entry.user_name,
            'at': iso_utc(entry.at),
            'device': entry.device,
            'reason': entry.reason,
            'about_id': entry.about_id.id,
            'corrects_id': entry.supersedes_id.id,
            'corrected_by': corrections.get(entry, []),
            'is_late': entry.is_late,
            'is_current': entry.is_current,
            'is_proposed': entry.is_proposed,
            'is_note': entry.kind in NOTES,
            'can_correct': entry not in corrections and entry.kind not in NOTES and not (
                entry.kind == 'value' and entry.outcome == 'fail' and (entry.is_current or entry.id in signatures)),
            'signatures': [
                {'name': row.signer_name, 'meaning': row._get_meaning_label(), 'at': iso_utc(row.signed_at)}
                for row in signatures.get(entry.id, self.env['mrp.esignature']).sorted('id')],
        } for entry in entries]
