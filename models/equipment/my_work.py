"""My Work about equipment: lines of its log to be attested, units to clean, calibrations (USR-010, BPR-040, IPC-070)."""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL, LazyTranslate

from ...domain.my_work import WorkLine, WorkSource

_lt = LazyTranslate(__name__)
OPERATOR, VERIFIER, PRODUCTION, QC, AUDITOR = (
    f'mrp_mmr.group_mmr_{role}' for role in ('operator', 'verifier', 'production', 'qc', 'auditor'))
MANAGER = 'maintenance.group_equipment_manager'
#: Statuses of calibration by which a unit is not used, and the one that comes before.
LATE, SOON = ('never', 'failed', 'overdue'), 'soon'


class MrpMyWork(models.AbstractModel):
    _inherit = 'mrp.my.work'

    _work_sources = {
        'equipment_sign': WorkSource(
            section='sign', order=35, model='mrp.equipment.log', roles=(OPERATOR, VERIFIER, QC), find='_find_log_lines',
            title=_lt("Cleaning, maintenance and calibration to attest"), why=_lt("You have the role that signs it.")),
        'equipment_clean': WorkSource(
            section='today', order=40, model='maintenance.equipment', roles=(OPERATOR,), find='_find_dirty_units',
            title=_lt("Equipment to clean"), why=_lt("You are an operator.")),
        'equipment_calibrate': WorkSource(
            section='today', order=41, model='maintenance.equipment', roles=(QC, MANAGER), find='_find_units_due',
            title=_lt("Calibrations due soon"), why=_lt("You see to calibration.")),
        'calibration_late': WorkSource(
            section='late', order=40, model='maintenance.equipment', roles=(OPERATOR, PRODUCTION, QC, MANAGER, AUDITOR),
            find='_find_uncalibrated_units', title=_lt("Instruments out of calibration"),
            why=_lt("Nobody may measure with it.")),
    }

    @api.model
    def _find_log_lines(self, shared):
        # Of a log of many years few lines wait: those with fewer signatures than they need.
        self.env['mrp.equipment.log'].flush_model(['needs_signature', 'needs_check'])
        waiting = [row[0] for row in self.env.execute_query(SQL(
            """SELECT l.id FROM mrp_equipment_log l
                WHERE l.needs_signature AND 1 + COALESCE(l.needs_check, FALSE)::integer > (
                      SELECT count(*) FROM mrp_esignature s WHERE s.res_model = 'mrp.equipment.log' AND s.res_id = l.id)"""))]
        lines = self._find_work('mrp.equipment.log', [('id', 'in', waiting)], order='id')
        waiting = lines.filtered(lambda line: line.state in ('sign', 'check')).grouped(lambda line: line._get_next_point())
        return [WorkLine(record=line, since=line.recorded_at)
                for point, own in waiting.items() for line in own._filter_offered(point)]

    @api.model
    def _find_units(self, shared):
        """Return the instruments, and the units that need cleaning, that batches use."""
        return shared.once('units', lambda: self._find_work(
            'maintenance.equipment', Domain('mmr_in_gmp_use', '=', True) & (
                Domain('mmr_is_instrument', '=', True) | Domain('mmr_needs_cleaning', '=', True)), order='name, id'))

    @api.model
    def _find_dirty_units(self, shared):
        units = self._find_units(shared).filtered(lambda unit: unit.mmr_cleaning_status == 'dirty')
        labels = dict(units._fields['mmr_cleaning_status']._description_selection(self.env))
        return [WorkLine(record=unit, what=labels[unit.mmr_cleaning_status], since=unit.mmr_used_at) for unit in units]

    @api.model
    def _prepare_units(self, shared, statuses):
        units = self._find_units(shared).filtered(lambda unit: unit.mmr_calibration_status in statuses)
        labels = dict(units._fields['mmr_calibration_status']._description_selection(self.env))
        return [WorkLine(record=unit, what=labels[unit.mmr_calibration_status], due=unit.mmr_calibration_due,
                         is_late=unit.mmr_calibration_status in LATE) for unit in units]

    @api.model
    def _find_units_due(self, shared):
        return self._prepare_units(shared, (SOON,))

    @api.model
    def _find_uncalibrated_units(self, shared):
        return self._prepare_units(shared, LATE)
