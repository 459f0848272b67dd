"""Days are days of the company, in the ORM and in PostgreSQL: west and east of UTC, shortly before and after midnight."""

from datetime import datetime
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.mrp_mmr.domain import days

from ..equipment.test_equipment import EquipmentCommon
from ..people.test_qualification import QualificationCommon
from ..stock.test_lot_status import LotCommon

ZONES = ('America/Los_Angeles', 'Asia/Tokyo', 'Pacific/Apia')
#: A day and the one after it where the company is: in summer, in winter, on both nights on which clocks change in Los
#: Angeles, and about 29 February.
NIGHTS = (('2031-07-01', '2031-07-02'), ('2030-12-31', '2031-01-01'), ('2031-03-09', '2031-03-10'),
          ('2031-11-02', '2031-11-03'), ('2032-02-29', '2032-03-01'))
#: When people look: at 00:30 and 23:30 of the first day, and at 00:30 of the second.
LOOKS = ((0, '00:30', True), (0, '23:30', True), (1, '00:30', False))


def at(zone, text):
    """Return a time on the clock of a zone in UTC, as Odoo stores it."""
    local = datetime.fromisoformat(text).replace(tzinfo=days.get_zone(zone))
    return local.astimezone(days.UTC).replace(tzinfo=None)


class DayMixin:

    def _looks(self, zones=ZONES, nights=NIGHTS):
        """Let each zone be that of the company, and people look about midnight.

        :return: iterator of zone, first day, second day, and whether it still is the first one
        """
        for zone in zones:
            self.company.mmr_tz = zone
            self.env.flush_all()
            for night in nights:
                for number, clock, is_first in LOOKS:
                    moment = at(zone, f"{night[number]} {clock}")
                    with self.subTest(zone=zone, day=night[number], clock=clock), freeze_time(moment):
                        self.env.invalidate_all()
                        yield zone, *night, is_first

    def _try(self, function, *args, refused=None, exception=UserError):
        """Call a function and take back what it did; it is refused where ``refused`` is a pattern."""
        class Undo(Exception):
            pass

        def run():
            with self.env.cr.savepoint():
                function(*args)
                self.env.flush_all()
                raise Undo
        with mute_logger('odoo.sql_db'):
            if refused:
                with self.assertRaisesRegex(exception, refused):
                    run()
            else:
                with self.assertRaises(Undo):
                    run()
        self.env.invalidate_all()

    def _postgres_day(self, moment):
        return self.env.execute_query(SQL("SELECT mrp_mmr_company_day(%s, %s)", moment, self.company.id))[0][0]


@tagged('post_install', '-at_install')
class TestCompanyDay(DayMixin, LotCommon):

    def test_same_day(self):
        """DAY-010: ORM and PostgreSQL say the same day, for each zone and time; unknown zones are UTC for both."""
        for _zone, first, second, is_first in self._looks():
            now = fields.Datetime.now()
            expected = first if is_first else second
            self.assertEqual(str(self.company._get_mmr_today()), expected)
            self.assertEqual(str(self.company._get_mmr_day(now)), expected)
            self.assertEqual(str(self._postgres_day(now)), expected)
            user = self.env['res.company'].with_context(tz='Pacific/Kiritimati').browse(self.company.id)
            self.assertEqual(str(user._get_mmr_today()), expected, "whoever looks")
        for moment in ('2026-03-08 09:59:59', '2026-03-08 10:00:00', '2026-11-01 08:30:00', '2026-11-01 09:30:00',
                       '2011-12-30 09:59:59', '2011-12-30 10:00:00', '9999-12-31 20:00:00'):
            for zone in (*ZONES, False):
                self.company.mmr_tz = zone
                self.env.flush_all()
                with self.subTest(zone=zone, moment=moment):
                    self.assertEqual(
                        self.company._get_mmr_day(fields.Datetime.to_datetime(moment)), self._postgres_day(moment))
        self.assertIsNone(self._postgres_day(None))
        with self._unguarded('res_company') as cr:
            cr.execute(SQL("UPDATE res_company SET mmr_tz = 'Nowhere/Atlantis' WHERE id = %s", self.company.id))
        self.assertEqual(str(self.company._get_mmr_day(datetime(2031, 7, 1, 23, 30))), '2031-07-01')
        self.assertEqual(str(self._postgres_day('2031-07-01 23:30:00')), '2031-07-01')

    def test_today_of_postgres(self):
        """DAY-010: PostgreSQL's own today is that of the company, whatever zone the session has."""
        for zone in ('Pacific/Kiritimati', 'Pacific/Pago_Pago'):
            self.company.mmr_tz = zone
            self.env.flush_all()
            self.env.cr.execute("SELECT set_config('timezone', 'Asia/Tokyo', true)")
            [[today, now]] = self.env.execute_query(SQL(
                "SELECT mrp_mmr_company_today(%s), now() AT TIME ZONE 'UTC'", self.company.id))
            self.assertEqual(today, self.company._get_mmr_day(now))

    def test_setting(self):
        """DAY-010, AUD-060: the zone is a setting with a line in the ledger; a zone that nobody knows is refused."""
        self.company.mmr_tz = 'Asia/Tokyo'
        self.company.mmr_tz = 'America/Los_Angeles'
        entry = self.env['mrp.audit.entry'].search([('kind', '=', 'setting'), ('res_id', '=', self.company.id)],
                                                   order='id desc', limit=1)
        self.assertEqual(entry.values['mmr_tz'], {'old': 'Asia/Tokyo', 'new': 'America/Los_Angeles'})
        self._refused("DAY-010", self.company.write, {'mmr_tz': 'Nowhere/Atlantis'})
        for zone in ('Nowhere/Atlantis', 'UTC+25', ''):
            self._sql_refused("DAY-010", "UPDATE res_company SET mmr_tz = %s WHERE id = %s", zone, self.company.id)
        with patch.object(type(self.company), '_is_mmr_zone', lambda company, name: False):
            self._refused("DAY-010", self.company.write, {'mmr_tz': 'Asia/Tokyo'})
        settings = self.env['res.config.settings'].create({'mmr_tz': 'Pacific/Apia'})
        settings.execute()
        self.assertEqual(self.company._get_mmr_zone(), 'Pacific/Apia')

    def test_default(self):
        """DAY-010: a company takes the zone of its address, else of its working hours, else of the administrator, else UTC."""
        admin = self.env.ref('base.user_admin')
        admin.tz = 'Asia/Tokyo'
        partner = self.env['res.partner'].create({'name': "Apia Ltd.", 'tz': 'Pacific/Apia'})
        companies = self.env['res.company'].create([{'name': "Apia Ltd.", 'partner_id': partner.id}, {'name': "Other Ltd."}])
        self.assertEqual(companies[0].mmr_tz, 'Pacific/Apia')
        self.assertEqual(companies[1].mmr_tz, companies[1].resource_calendar_id.tz)
        companies[1].resource_calendar_id = False
        companies[1]._compute_mmr_tz()
        self.assertEqual(companies[1].mmr_tz, 'Asia/Tokyo')
        admin.tz = False
        companies[1]._compute_mmr_tz()
        self.assertEqual(companies[1].mmr_tz, 'UTC')

    def test_year_10000(self):
        """DAY-010: nobody enters a day of the year 10000, on a lot, sample, calibration or qualification."""
        self.company.mmr_tz = 'Asia/Tokyo'
        lot = self._create_lot(expiration_date='9999-12-31 14:59:59')
        self.assertEqual(str(lot.mmr_expiry_day), '9999-12-31')
        self._refused("DAY-010", lot.write, {'expiration_date': '9999-12-31 15:00:00'})
        for value in ('10000-01-01', '10000-01-01 00:00:00'):
            for name in ('expiration_date', 'mmr_retest_date'):
                with self.assertRaises(ValueError), self.env.cr.savepoint():
                    lot.with_user(self.user_qc).write({name: value})
        scale = self.env['maintenance.equipment'].create({'name': "SC-1", 'mmr_is_instrument': True})
        self._refused("IPC-070", scale.with_user(self.operator).action_mmr_record, 'calibration', {
            'result': 'pass', 'as_found': "1000 g", 'performed_by': "Lab", 'next_due': '10000-01-01'})
        # What is reckoned with the last day of the calendar stays on it.
        [[until]] = self.env.execute_query(SQL(
            "SELECT mrp_mmr_retention_date('P111', 'released', '2025-02-01', '9999-12-31', false, NULL, NULL, false, 0)"))
        self.assertEqual(str(until), '9999-12-31')

    def test_release_of_lots(self):
        """D-01, USE-060: a lot is released through its day of expiry, and before its day of retest."""
        expiring, retested = self._create_lot("E"), self._create_lot("R")
        for zone, first, second, is_first in self._looks():
            # Stored in the morning: the hour says nothing.
            expiring.expiration_date = at(zone, f"{first} 08:00")
            self.assertEqual(str(expiring.mmr_expiry_day), first)
            retested.with_user(self.user_qc).mmr_retest_date = second
            self.assertEqual(expiring._mmr_get_end_of_use(), False if is_first else first)
            self.assertEqual(retested._mmr_get_end_of_use(), False if is_first else second)


@tagged('post_install', '-at_install')
class TestDaysOfWork(DayMixin, EquipmentCommon):

    def test_lots(self):
        """D-01, USE-060: ORM and PostgreSQL weigh a lot through its day of expiry, and before its day of retest."""
        order = self._release()
        step = order.bpr_id.step_ids.sorted('sequence')[0].with_user(self.operator)
        step.action_start(acknowledged=True)
        entries, lot = self.env['mrp.bpr.entry'], self.lots[self.component_a]
        vals = {'step_id': step.id, 'kind': 'weight', 'value': '90', 'lot_id': lot.id, 'lot_name': lot.name,
                'data': {'quantity': '90'}, 'is_late': False, 'to_sign': False}
        for field in ('expiration_date', 'mmr_retest_date'):
            for zone, first, second, is_first in self._looks():
                with self._unguarded('stock_lot') as cr:
                    cr.execute(SQL("UPDATE stock_lot SET expiration_date = %s, mmr_retest_date = %s WHERE id = %s", *(
                        (at(zone, f"{first} 08:00"), None) if field == 'expiration_date' else (None, second)), lot.id))
                date = first if field == 'expiration_date' else second
                self._try(step._check_lot, lot, self.component_a, refused=None if is_first else f"USE-060|{date}")
                self._try(entries._append, vals, refused=None if is_first else "USE-060", exception=CheckViolation)
                proposed = step._get_floor_lots(step._get_target())
                if field == 'expiration_date':
                    self.assertEqual([(row['expires'], bool(row['issue'])) for row in proposed], [(first, not is_first)])

    def test_calibration(self):
        """D-01, IPC-070: an instrument is used through the day on which its calibration is due; ORM and PostgreSQL."""
        order = self._release()
        step = order.bpr_id.step_ids.sorted('sequence')[0].with_user(self.operator)
        step.action_start(acknowledged=True)
        entries, lot = self.env['mrp.bpr.entry'], self.lots[self.component_a]
        vals = {'step_id': step.id, 'kind': 'weight', 'value': '90', 'lot_id': lot.id, 'lot_name': lot.name,
                'equipment_id': self.scale.id, 'equipment_name': "SC-1", 'data': {'quantity': '90'}, 'is_late': False,
                'to_sign': False}
        self._clean(self.scale)
        line = self._calibrate(self.scale)
        for _zone, first, _second, is_first in self._looks():
            with self._unguarded('mrp_equipment_log') as cr:
                cr.execute(SQL("UPDATE mrp_equipment_log SET next_due = %s WHERE id = %s", first, line.id))
            self.assertEqual(self.scale.mmr_calibration_status, 'soon' if is_first else 'overdue')
            found = self.env['maintenance.equipment'].search([('mmr_calibration_status', 'in', ['overdue'])])
            self.assertEqual(self.scale in found, not is_first)
            self._try(self.scale._mmr_check_usable, order.bpr_id, refused=None if is_first else f"IPC-070|{first}")
            self._try(entries._append, vals, refused=None if is_first else "IPC-070", exception=CheckViolation)

    def test_next_calibration(self):
        """D-01, IPC-070: the next calibration is due so many days after the day on which it was done there."""
        for _zone, first, second, is_first in self._looks(nights=NIGHTS[:1]):
            line = self._log_equipment(self.scale, 'calibration', sign=False, result='pass', as_found="1000 g",
                                       performed_by="Lab")
            self.assertEqual(line.next_due, fields.Date.add(fields.Date.to_date(first if is_first else second), days=180))


@tagged('post_install', '-at_install')
class TestDueDays(DayMixin, QualificationCommon):

    def _overdue(self, records, field='is_overdue'):
        """Whether a record is overdue, as it says and as it is found."""
        found = records.search([(field, '=', True)])
        self.assertEqual(bool(records & found), records[field])
        self.assertEqual(bool(records & records.search([(field, '=', False)])), not records[field])
        return records[field]

    def test_reviews(self):
        """D-01, REV-070, PRD-030: a periodic review is due through its day; planner, search and MMR agree."""
        mmr = self._make_effective(self._create_mmr()).mmr_id
        for _zone, first, _second, is_first in self._looks():
            self.env.cr.execute(SQL("UPDATE mrp_mmr SET date_next_review = %s WHERE id = %s", first, mmr.id))
            self.env.invalidate_all()
            self.assertEqual(self._overdue(mmr, 'is_review_overdue'), not is_first)
            [cell] = [cell for cells in mmr._get_planner_cells(
                [(mmr.product_id, mmr.formulation_code, mmr.company_id)], fields.Domain('id', '=', mmr.id)).values()
                for cell in cells]
            self.assertEqual(cell['review_overdue'], not is_first)

    def test_effective(self):
        """D-01, REV-050: a revision becomes effective with its day where the company is, and is not refused on it."""
        draft = self._create_mmr()
        for _zone, first, second, is_first in self._looks():
            draft.date_effective = first
            self.assertEqual(draft.date_effective < draft._get_today(), not is_first)
            draft.date_effective = second
            self.assertEqual(draft.date_effective <= draft._get_today(), not is_first)

    def _report(self):
        return self.env['mrp.deviation'].with_user(self.user_qc)._report(self.product, 'occurrence', "Glass", "A lamp broke.")

    def test_deviations(self):
        """D-01, DEV-010, DEV-090: deviations and CAPA are due through their day, and reminders come after it."""
        deviation = self._report()
        capa = self.env['mrp.capa'].with_user(self.user_qc).create({
            'title': "Glass", 'cause_id': self.env.ref('mrp_mmr.deviation_cause_equipment').id, 'cause': "Lamp.",
            'effectiveness_criterion': "None found", 'effectiveness_due': '2099-12-31',
            'deviation_ids': [Command.link(deviation.id)],
            'action_ids': [Command.create({'name': "Cover", 'owner_id': self.user_qc.id, 'due_date': '2099-09-30'})]})
        capa.action_start()
        deviation, capa = deviation.sudo(), capa.sudo()
        self.env.flush_all()
        for _zone, first, _second, is_first in self._looks():
            with self._unguarded('mrp_deviation', 'mrp_capa_action') as cr:
                cr.execute(SQL("UPDATE mrp_deviation SET due_date = %s WHERE id = %s", first, deviation.id))
                cr.execute(SQL("UPDATE mrp_capa_action SET due_date = %s, reminded_on = NULL WHERE id = %s",
                               first, capa.action_ids.id))
            self.assertEqual(self._overdue(deviation), not is_first)
            self.assertEqual(self._overdue(capa), not is_first)
            self._try(lambda: self.env['mrp.capa']._cron_remind() or self.assertEqual(
                capa.action_ids.reminded_on, not is_first and self.company._get_mmr_today()))  # noqa: B023
        for _zone, first, second, is_first in self._looks(nights=NIGHTS[:1]):
            self.assertEqual(self._report().due_date, fields.Date.add(
                fields.Date.to_date(first if is_first else second), days=self.company.mmr_deviation_days))

    def test_people(self):
        """D-01, SEC-030, SEC-010: roles and auditors end with their last day, and the cron takes them away after it."""
        auditor = new_test_user(self.env, login='t_inspector', groups='mrp_mmr.group_mmr_auditor')
        row = self._of(self.user_qc, 'qc')
        self.assertEqual(len(row), 1)
        for _zone, first, second, is_first in self._looks():
            with self._unguarded('mrp_qualification') as cr:
                cr.execute(SQL("UPDATE mrp_qualification SET valid_from = '2025-01-01', valid_to = %s WHERE id = %s",
                               first, row.id))
                cr.execute(SQL("UPDATE res_users SET mmr_auditor_until = %s WHERE id = %s", first, auditor.id))
            self.env.registry.clear_cache()
            self.assertEqual(row.state, 'current' if is_first else 'expired')
            self.assertEqual(auditor._is_auditor_lapsed(), not is_first)
            self._try(lambda: self.env['res.users']._cron_end_auditors() or self.assertEqual(
                self._role('auditor') in auditor.group_ids, is_first))  # noqa: B023
            with self._unguarded('mrp_qualification') as cr:
                cr.execute(SQL("UPDATE mrp_qualification SET valid_from = %s, valid_to = NULL WHERE id = %s", second, row.id))
            self.assertEqual(row.state, 'future' if is_first else 'current')

    def test_defaults(self):
        """D-01, RPT-030, PRD-100: periods and first days that dialogs propose are those of the company."""
        for _zone, first, second, is_first in self._looks():
            today = fields.Date.to_date(first if is_first else second)
            env = self.env(user=self.user_qc, context=dict(self.env.context, tz='UTC'))
            review = env['mrp.quality.review'].default_get(['date_from', 'date_to'])
            self.assertEqual([str(fields.Date.to_date(review[name])) for name in ('date_from', 'date_to')],
                             [f"{today.year - 1}-01-01", f"{today.year - 1}-12-31"])
            self.assertEqual(fields.Date.to_date(env['mrp.inspection.pack'].default_get(['date_to'])['date_to']), today)
            self.assertEqual(
                fields.Date.to_date(env['mrp.qualification.grant'].default_get(['valid_from'])['valid_from']), today)
