"""Whether a unit is ready for a batch, told before somebody begins to work with it."""

from odoo import fields, models


class MaintenanceEquipment(models.Model):
    _inherit = 'maintenance.equipment'

    def _mmr_get_calibration_issue(self, row, day):
        """Return why a unit is not calibrated on a day, or None (IPC-070).

        :param row: of ``_mmr_get_status``
        """
        self.ensure_one()
        return {
            'never': self.env._("%s has never been calibrated.", self.display_name),
            'failed': self.env._("%s failed its last calibration and is out of service.", self.display_name),
            'overdue': self.env._("The calibration of %(equipment)s was due on %(date)s.", equipment=self.display_name,
                                  date=row['due']),
        }.get(self._mmr_judge_calibration(row, day))

    def _mmr_get_readiness(self, bpr):
        """Return what these units lack that a batch is to use now, as ``_mmr_check_usable`` would refuse them.

        :return: list of dicts of ``id``, ``issue`` (a text with all that is missing) and ``needs_cleaning``, of those that
            are not ready
        """
        status, day, rows = self._mmr_get_status(), bpr.company_id._get_mmr_day(fields.Datetime.now()), []
        for unit in self:
            row = status[unit.id]
            dirt = unit._mmr_get_cleaning_issue(row, bpr)
            issues = [unit._mmr_get_calibration_issue(row, day), dirt]
            if not unit.active:
                issues.insert(0, self.env._("%s is archived.", unit.display_name))
            if any(issues):
                rows.append({'id': unit.id, 'issue': ' '.join(filter(None, issues)), 'needs_cleaning': bool(dirt)})
        return rows
