"""Days of a company as pure functions, and the lint that keeps others out (D-01, DAY-010)."""

import importlib.util
import unittest
from datetime import date, datetime, timedelta
from pathlib import Path

from odoo.addons.mrp_mmr.domain import days

LA, TOKYO, APIA, NEW_YORK = 'America/Los_Angeles', 'Asia/Tokyo', 'Pacific/Apia', 'America/New_York'


class TestDays(unittest.TestCase):

    def test_day_of(self):
        """D-01, DAY-010: the day on the clock of the zone, west and east, across changes of clocks, on 29 February."""
        for zone, moment, day in (
                (LA, '2029-01-01 07:59', '2028-12-31'), (LA, '2029-01-01 08:00', '2029-01-01'),
                (TOKYO, '2028-12-31 14:59', '2028-12-31'), (TOKYO, '2028-12-31 15:00', '2029-01-01'),
                (APIA, '2028-12-31 10:59', '2028-12-31'), (APIA, '2028-12-31 11:00', '2029-01-01'),
                # 23:30 and 00:30 of summer and winter.
                (LA, '2031-07-02 06:30', '2031-07-01'), (LA, '2031-07-02 07:30', '2031-07-02'),
                (LA, '2031-01-02 07:30', '2031-01-01'), (LA, '2031-01-02 08:30', '2031-01-02'),
                # The night on which the hour of 2:00 is skipped, and the one on which that of 1:00 comes twice.
                (LA, '2026-03-08 07:59', '2026-03-07'), (LA, '2026-03-09 06:59', '2026-03-08'),
                (LA, '2026-03-09 07:00', '2026-03-09'), (LA, '2026-11-01 06:59', '2026-10-31'),
                (LA, '2026-11-01 08:30', '2026-11-01'), (LA, '2026-11-01 09:30', '2026-11-01'),
                (LA, '2026-11-02 07:59', '2026-11-01'), (LA, '2026-11-02 08:00', '2026-11-02'),
                # A day that Apia never had.
                (APIA, '2011-12-30 09:59', '2011-12-29'), (APIA, '2011-12-30 10:00', '2011-12-31'),
                (LA, '2028-03-01 07:59', '2028-02-29'), (TOKYO, '2028-02-28 15:00', '2028-02-29'),
                ('UTC', '2028-02-29 23:59', '2028-02-29'), ('', '2028-02-29 23:59', '2028-02-29'),
                (None, '2028-02-29 23:59', '2028-02-29'), ('Nowhere/Atlantis', '2028-02-29 23:59', '2028-02-29'),
                ('../../etc/passwd', '2028-02-29 23:59', '2028-02-29'), ('Europe', '2028-02-29 23:59', '2028-02-29')):
            with self.subTest(zone=zone, moment=moment):
                self.assertEqual(str(days.day_of(datetime.fromisoformat(moment), zone)), day)
                self.assertEqual(str(days.day_of(f"{moment.replace(' ', 'T')}:00Z", zone)), day)
        self.assertIsNone(days.day_of(None, LA))
        self.assertIsNone(days.day_of(False, LA))

    def test_begin_of(self):
        """DAY-010: a day begins at midnight where the company is, or when a change of clocks lets it begin."""
        for zone, day, begin in (
                (LA, '2026-03-08', '2026-03-08 08:00'), (LA, '2026-03-09', '2026-03-09 07:00'),
                (LA, '2026-11-02', '2026-11-02 08:00'), (TOKYO, '2029-01-01', '2028-12-31 15:00'),
                # Midnight is skipped; it comes twice; the whole day is skipped.
                ('America/Santiago', '2024-09-08', '2024-09-08 04:00'), ('America/Havana', '2024-11-03', '2024-11-03 04:00'),
                (APIA, '2011-12-30', '2011-12-30 10:00'), (APIA, '2011-12-31', '2011-12-30 10:00')):
            with self.subTest(zone=zone, day=day):
                begin, day = datetime.fromisoformat(begin), date.fromisoformat(day)
                self.assertEqual(days.begin_of(day, zone), begin)
                self.assertLess(days.day_of(begin - timedelta(seconds=1), zone), day)
                self.assertGreaterEqual(days.day_of(begin, zone), day)

    def test_clock(self):
        """D-02: printed times are readable, and the two hours of a change of clocks differ."""
        self.assertEqual(days.clock('2026-11-01T05:30:00Z', NEW_YORK), '2026-11-01 01:30:00 EDT')
        self.assertEqual(days.clock('2026-11-01T06:30:00Z', NEW_YORK), '2026-11-01 01:30:00 EST')
        self.assertEqual(days.clock(datetime(2026, 3, 8, 7), NEW_YORK), '2026-03-08 03:00:00 EDT')
        self.assertEqual(days.clock(datetime(2026, 3, 8, 7), 'UTC'), '2026-03-08 07:00:00 UTC')
        self.assertIsNone(days.clock(None, NEW_YORK))
        year = datetime(2026, 1, 1), datetime(2026, 12, 31)
        self.assertEqual(days.offsets(*year, NEW_YORK), {'EST': 'UTC-05:00', 'EDT': 'UTC-04:00'})
        self.assertEqual(days.offsets(*year, TOKYO), {'JST': 'UTC+09:00'})
        self.assertEqual(days.offsets(year[0], year[0], 'Asia/Kathmandu'), {'+0545': 'UTC+05:45'})

    def test_year_10000(self):
        """DAY-010: a day that a person enters is one of the years 1 to 9999; nothing fails at the end of them."""
        for value in ('10000-01-01', '99999-12-31', '0000-01-01', '2029-02-29', '2029-13-01', '31.12.2028', '20281231', 7, 1.5,
                      '2028-12-31 10:00:00', datetime(2028, 12, 31), ' 2028-12-31'):
            with self.subTest(value=value), self.assertRaises(ValueError):
                days.parse_day(value)
        for value in ('2028-02-29', '9999-12-31', '0001-01-01'):
            self.assertEqual(str(days.parse_day(value)), value)
        self.assertEqual(days.parse_day(date(2028, 2, 29)), date(2028, 2, 29))
        self.assertIsNone(days.parse_day(False))
        last = datetime(9999, 12, 31, 20)
        self.assertEqual([days.has_day(last, zone) for zone in (LA, 'UTC', TOKYO, APIA)], [True, True, False, False])
        self.assertEqual(days.day_of(last, TOKYO), date.max)
        self.assertEqual(days.day_of(datetime(1, 1, 1, 2), LA), date.min)
        self.assertEqual(days.in_days(date(9999, 12, 30), 5), date.max)
        self.assertEqual(days.in_years(date(9999, 2, 1), 5), date(9999, 2, 1))

    def test_29_february(self):
        """DAY-010: a year after 29 February ends with the 28th, as PostgreSQL counts; four years after it is the 29th."""
        for years, day in ((1, '2029-02-28'), (2, '2030-02-28'), (4, '2032-02-29')):
            self.assertEqual(str(days.in_years(date(2028, 2, 29), years)), day)
        self.assertEqual(days.gs1_day(date(2028, 2, 29)), '280229')

    def test_expiry(self):
        """D-01: the day of expiry is the last one on which a lot is used, whatever hour Odoo stored with it."""
        expires = datetime(2028, 12, 31, 16)        # 08:00 in Los Angeles, 1 January in Tokyo
        for zone, today, expected in (
                (LA, '2028-12-31', False), (LA, '2029-01-01', True), (TOKYO, '2029-01-01', False), (TOKYO, '2029-01-02', True)):
            self.assertIs(days.is_expired(expires, zone, date.fromisoformat(today)), expected)
        self.assertIs(days.is_expired(None, LA, date(2029, 1, 1)), False)


class TestDayLint(unittest.TestCase):
    """What dev/day_check.py refuses, and that the addon has none of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        spec = importlib.util.spec_from_file_location(
            'day_check', Path(__file__).resolve().parents[2] / 'dev' / 'day_check.py')
        cls.lint = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(cls.lint)

    def test_refused(self):
        """DAY-010: a day that does not come from the helpers is refused, and the message names them."""
        for name, line in (
                ('a.py', "today = fields.Date.today()"), ('a.py', "default=fields.Date.context_today"),
                ('a.py', "fields.Date.context_today(self)"), ('a.py', "date.today()"), ('a.py', "datetime.now().date()"),
                ('a.py', "fields.Datetime.now().date()"), ('a.py', "(now - timedelta(hours=12)).date()"),
                ('a.py', "row['expires'][:10]"), ('a.py', "f'{lot.expiration_date:%y%m%d}'"), ('a.py', "f'{at:%Y-%m-%d}'"),
                ('a.py', "fields.Date.to_string(lot.expiration_date)"), ('a.py', "tz=company.partner_id.tz or 'UTC'"),
                ('a.py', '"SELECT CURRENT_DATE"'), ('a.sql', "WHERE l.retest > NEW.at::date"), ('a.sql', "now()::date"),
                ('a.sql', "(clock_timestamp() AT TIME ZONE 'UTC')::date"), ('a.sql', "x AT TIME ZONE z.name"),
                ('a.sql', "date_trunc('day', at)"), ('a.sql', "to_date(x, 'YYYY')"), ('a.xml', "context_today()"),
                ('a.js', "DateTime.now().toISODate()")):
            with self.subTest(line=line):
                found = list(self.lint.find(Path(name), line))
                self.assertTrue(found)
                self.assertRegex(found[0][2], "_get_mmr_|mrp_mmr_company_|server")
        for name, line in (
                ('a.py', "company._get_mmr_today()"), ('a.py', "fields.Date.to_string(row.date_effective)"),
                ('a.py', "f'{at:%Y-%m-%d %H:%M:%S} UTC'"), ('a.sql', "mrp_mmr_company_today(b.company_id)"),
                ('a.sql', "to_char(NEW.expiration_date, 'YYYY')"), ('a.py', "fields.Date.to_date(value)")):
            with self.subTest(line=line):
                self.assertFalse(list(self.lint.find(Path(name), line)))

    def test_addon(self):
        """DAY-010: no code of the addon takes a day from elsewhere."""
        self.assertEqual(self.lint.check(), [])
