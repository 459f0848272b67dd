"""The time zone of a company, and its days (DAY-010)."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, ormcache

from odoo.addons.base.models.res_partner import _tz_get

from ...domain import days
from ...domain.refusals import refusal

RULE = "DAY-010, 21 CFR 111.260, 211.137, 211.188"


class ResCompany(models.Model):
    _inherit = 'res.company'

    mmr_tz = fields.Selection(
        _tz_get, "Time Zone", compute='_compute_mmr_tz', store=True, readonly=False,
        help="Dates of expiry, retest, calibration, due and retention are calendar days in this time zone of the company.")

    # Computed once: a company that moves its calendar does not move its dates with it.
    def _compute_mmr_tz(self):
        admin = self.env.ref('base.user_admin', raise_if_not_found=False)
        known = {}
        for company in self:
            sudo = company.sudo()
            zones = (sudo.partner_id.tz, sudo.resource_calendar_id.tz, admin and admin.sudo().tz)
            company.mmr_tz = next(
                (zone for zone in zones if zone and known.setdefault(zone, self._is_mmr_zone(zone))), 'UTC')

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        # Later than Odoo's own values, as the working hours are made after the company.
        self.env.add_to_compute(self._fields['mmr_tz'], companies.filtered(lambda company: not company.mmr_tz))
        return companies

    @api.constrains('mmr_tz')
    def _check_mmr_tz(self):
        for company in self:
            if company.mmr_tz and not self._is_mmr_zone(company.mmr_tz):
                raise refusal(
                    self.env, self.env._("This server does not know the time zone %s.", company.mmr_tz), RULE,
                    self.env._("choose the time zone of a city nearby."), record=company)

    @api.model
    @ormcache('name')
    def _is_mmr_zone(self, name):
        """Whether both Odoo and PostgreSQL know a time zone; PostgreSQL reads the files of all to tell."""
        return days.is_zone(name) and bool(self.env.execute_query(SQL(
            "SELECT FROM pg_timezone_names WHERE name = %s", name)))

    def _get_mmr_zone(self):
        """Return the name of the time zone where the company is."""
        self.ensure_one()
        return self.sudo().mmr_tz or 'UTC'

    def _get_mmr_day(self, moment):
        """Return the day of a time where the company is, or None for no time (DAY-010).

        :param moment: datetime in UTC, as Odoo stores it, or its text as frozen documents hold it
        :rtype: date
        """
        return days.day_of(moment, self._get_mmr_zone())

    def _get_mmr_today(self):
        """Return today's date where the company is."""
        return self._get_mmr_day(fields.Datetime.now())

    def _get_mmr_clock(self, moment):
        """Return a time on the clock of the company as it is printed, or None for no time."""
        return days.clock(moment, self._get_mmr_zone())

    @api.model
    def _get_mmr_past_domain(self, field, company='company_id', until=0):
        """Return the domain of the records whose date lies before today where their company is.

        :param str field: name of the date
        :param str company: name, or path, of the company; records without one are judged by the company of the user
        :param int until: days after today that count as well: 1 for what ends today or before
        """
        past = Domain.OR(
            Domain(company, 'in', companies.ids) & Domain(field, '<', days.in_days(today, until))
            for today, companies in self.sudo().with_context(active_test=False).search([]).grouped(
                lambda row: row._get_mmr_today()).items())
        return past | Domain(company, '=', False) & Domain(field, '<', days.in_days(self.env.company._get_mmr_today(), until))


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    mmr_tz = fields.Selection(related='company_id.mmr_tz', readonly=False)
