"""The equipment of a step: identified, fit for the batch, and its use logged with the signature."""

from odoo import fields, models

from ....domain.refusals import refusal


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    equipment_log_ids = fields.One2many('mrp.equipment.log', 'step_id', "Equipment Used", readonly=True)

    # === IDENTIFICATION === #

    def _prepare_equipment(self, vals):
        """Return the identified unit: the one of the MMR or, where it names a class, a unit of it (BPR-030)."""
        equipment = self._find_unit(vals)
        if not equipment or not self._is_planned_unit(equipment):
            raise refusal(
                self.env, self.env._("%(step)s is to be done with %(planned)s, not with %(actual)s.", step=self.display_name,
                                     planned=self._get_planned_unit_name() or self.env._("an identified unit"),
                                     actual=equipment.name or vals.get('code') or self.env._("an unknown unit")),
                "BPR-030, 21 CFR 111.260(b), 211.105(b)", self.env._("scan or choose the unit that you are using."),
                record=self)
        return self._describe_unit(equipment)

    def _prepare_instrument(self, vals):
        """Return the instrument with which a value was measured, where it is told; it is calibrated in any case (IPC-070).

        It is the unit that the step plans or, where that is a machine and no instrument, any measuring instrument.
        """
        if not vals.get('equipment_id') and not vals.get('code'):
            position = self.planned['equipment']
            units = self._get_units(position) if position else self.env['maintenance.equipment']
            units._mmr_check_usable(self.bpr_id, self._get_moment_of_use())
            return {}
        equipment = self._find_unit(vals)
        if equipment.mmr_is_instrument and not self._get_planned_units().filtered('mmr_is_instrument'):
            return self._describe_unit(equipment)
        return self._prepare_equipment(vals)

    def _find_unit(self, vals):
        """Return the unit that was chosen, or whose serial number was scanned."""
        units = self.env['maintenance.equipment'].sudo()
        if isinstance(vals.get('equipment_id'), int):
            return units.browse(vals['equipment_id']).exists()
        code = vals['code'].strip() if isinstance(vals.get('code'), str) else ''
        return units.search([('serial_no', '=', code)], limit=1) if code else units

    def _describe_unit(self, equipment):
        """Return what an entry holds of a unit that this batch may use: name, valid cleaning and calibration (BPR-040)."""
        data = equipment._mmr_check_usable(self.bpr_id, self._get_moment_of_use())[equipment]
        return {
            'equipment_id': equipment.id, 'equipment_name': ' '.join(filter(None, (equipment.name, equipment.serial_no))),
            'data': data}

    def _get_moment_of_use(self):
        """Return when the step used its equipment, where that is recorded after the step was signed; else None."""
        return self.started_at if self.state not in ('open', 'started') else None

    # === PLANNED AND USED === #

    def _get_planned_unit_name(self):
        unit = self.planned['unit'] or {}
        return (unit.get('equipment') or unit.get('class') or {}).get('name', '')

    def _is_planned_unit(self, equipment):
        """Whether a unit is the one of the snapshot, or of the class that it names; any one, where it names none."""
        planned = self.planned['unit'] or {}
        unit, kind = planned.get('equipment'), planned.get('class')
        return equipment.id == unit['id'] if unit else not kind or equipment.category_id.id == kind['id']

    def _get_planned_units(self):
        """Return the units of which the snapshot says that this step uses one."""
        planned = self.planned['unit'] or {}
        units = self.env['maintenance.equipment'].sudo()
        if planned.get('equipment'):
            return units.browse(planned['equipment']['id']).exists()
        return units.search([('category_id', '=', planned['class']['id'])]) if planned.get('class') else units

    def _get_units(self, position):
        """Return the units identified in this stage for a row of its equipment."""
        steps = self.bpr_id.sudo().step_ids.filtered(
            lambda step: step.stage == self.stage and (step == self or step.planned['equipment'] == position))
        return steps.entry_ids._get_current().equipment_id.filtered(self._is_planned_unit)

    def _get_units_of_start(self):
        """Return the units that this step starts with: what the snapshot names, or what was identified before for a class."""
        position = self.planned['equipment']
        if not position:
            return self.env['maintenance.equipment'].sudo()
        return self._get_planned_units() if (self.planned['unit'] or {}).get('equipment') else self._get_units(position)

    def _check_units(self):
        """Refuse to start a step on equipment that the batch must not use (BPR-040, IPC-070).

        That is the unit which the snapshot names, or the one identified before in this stage for a class.
        """
        self._get_units_of_start()._mmr_check_usable(self.bpr_id)

    # === USE === #

    def _log_use(self, units=None):
        """Write what this step used into the logs of the equipment, in the transaction of its signature (BPR-030, BPR-040).

        :param units: those of a later correction; by default all of the step, and those of its stage that it plans
        """
        step = self.sudo()
        if units is None:
            position = step.planned['equipment']
            units = step.entry_ids._get_current().equipment_id
            units |= step._get_units(position) if position else units
        if not units:
            return
        point = next(iter(step.points))
        # PostgreSQL compares with the signature that the step holds.
        step.flush_recordset()
        step.env['mrp.equipment.log'].with_env(self.env)._append([{
            'equipment_id': unit.id, 'company_id': step.company_id.id, 'kind': 'use', 'bpr_id': step.bpr_id.id,
            'step_id': step.id, 'product_id': step.bpr_id.product_id.id, 'signature_id': step[f'{point}_signature_id'].id,
            'started_at': step.started_at, 'ended_at': fields.Datetime.now()} for unit in units])
