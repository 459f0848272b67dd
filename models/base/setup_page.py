"""The page *GMP Set-Up*: what a company still needs until it works under control, each row with its next action (USR-010)."""

from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ...domain.refusals import refusal
from .precision import APPLICATION

RULE = "USR-010, SEC-010, 21 CFR 11.10(d)"
#: Who sees the page; nothing on it is about a record.
READERS = ('base.group_system', 'mrp_mmr.group_mmr_security', 'mrp_mmr.group_mmr_quality_manager', 'mrp_mmr.group_mmr_qc',
           'mrp_mmr.group_mmr_preparer', 'mrp_mmr.group_mmr_production', 'mrp_mmr.group_mmr_auditor')
#: Settings of which the page says who made them.
SHOWN_SETTINGS = ('mmr_tz', 'digits', 'mmr_seal_email', 'mmr_certified_on')
#: Decimals of quantities with which a gram of a kilogram is still seen.
GRAMS = 3


class SetupRow(NamedTuple):
    """One thing that a company sets up.

    ``state`` is *done*, *open*, *check* (there is a value, and somebody has to look at it), *optional*, or *later* (something
    else comes first). ``why`` ends with the rule. ``who`` does it. ``action`` is what the button opens: an action of Odoo, or
    ``{'method': name}`` for a button of the company; None where there is none for this person.
    """
    section: str
    key: str
    title: str
    why: str
    who: str
    state: str
    detail: str = ''
    action: dict | None = None
    done_by: str = ''
    done_at: object = None


class ResCompany(models.Model):
    _inherit = 'res.company'

    @api.model
    @api.readonly
    def get_mmr_setup(self):
        """Return the set-up page of the company of the session.

        :return: dict of ``id`` and ``company``, ``closed`` (whether the set-up has ended), ``done`` and ``total`` (rows that
            are not optional), and ``sections``: dicts of ``title`` and ``rows``, each a :class:`SetupRow` as dict
        :raise AccessError: for anybody who takes no part in the set-up
        """
        user = self.env.user
        if not any(user.has_group(group) for group in READERS):
            raise refusal(
                self.env, self.env._("The set-up of the company is not shown to %s.", user.name), RULE,
                self.env._("ask a security administrator for a role."), exception=AccessError)
        company = self.env.company
        rows = company._get_mmr_setup_rows()
        counted = [row for row in rows if row.state != 'optional']
        sections = {}
        for row in rows:
            sections.setdefault(row.section, []).append(
                {**row._asdict(), 'done_at': fields.Datetime.to_string(row.done_at) or None})
        return {
            'id': company.id, 'company': company.name, 'sections': [
                {'title': title, 'rows': section} for title, section in sections.items()],
            'closed': bool(company.sudo().mmr_setup_closed_at),
            'done': sum(row.state == 'done' for row in counted), 'total': len(counted),
        }

    def _get_mmr_setup_rows(self):
        """Return the rows of this company in order; each subject adds its own.

        :rtype: list[SetupRow]
        """
        self.ensure_one()
        section, lines = self.env._("Company"), self._get_mmr_setup_lines()
        administrator = self.env._("Administrator")
        digits = self.env['decimal.precision'].precision_get(APPLICATION)
        company = self.sudo()
        return [
            SetupRow(
                section, 'day', self.env._("Day of the company"),
                self.env._("Expiry, retest and due dates are days in the time zone of the company. DAY-010, 21 CFR 211.137"),
                administrator, 'done' if 'mmr_tz' in lines or company.mmr_tz != 'UTC' else 'check',
                self.env._("Dates are days in %s.", self._get_mmr_zone()), self._open_mmr_company(), **lines.get('mmr_tz', {})),
            SetupRow(
                section, 'precision', self.env._("Decimals of quantities"),
                self.env._("Stock must hold what the scale shows; decimals can only be increased. STK-030, 21 CFR 111.210(c)"),
                administrator, 'done' if digits >= GRAMS else 'check',
                self.env._("Quantities have %s decimals.", digits), self._open_mmr_settings(), **lines.get('digits', {})),
            SetupRow(
                section, 'seal', self.env._("Copy of the daily seal"),
                self.env._("The seal of the audit trail is mailed, so that a copy exists outside this database. AUD-040, "
                           "21 CFR 11.10(e)"),
                administrator, 'done' if company.mmr_seal_email else 'open', company.mmr_seal_email or '',
                self._open_mmr_settings(), **lines.get('mmr_seal_email', {})),
            SetupRow(
                section, 'certified', self.env._("Letter to the agency"),
                self.env._("In the United States, the company certifies once that its electronic signatures are legally "
                           "binding. SIG-070, 21 CFR 11.100(c)"),
                self.env._("Quality Manager"), 'done' if company.mmr_certified_on else 'optional',
                str(company.mmr_certified_on or ''), self._open_mmr_settings(), **lines.get('mmr_certified_on', {})),
        ]

    def _get_mmr_setup_lines(self):
        """Return who set a setting last, as the ledger says: keyword arguments of a row by the name of the setting."""
        self.ensure_one()
        rows = self.env.execute_query(SQL(
            """SELECT DISTINCT ON (name) name, e.user_name, e.at
                 FROM mrp_audit_entry e CROSS JOIN jsonb_object_keys(e."values"::jsonb) name
                WHERE e.kind = 'setting' AND e.res_model IN ('res.company', 'decimal.precision') AND e.company_id = %s
                  AND name IN %s ORDER BY name, e.id DESC""", self.id, SHOWN_SETTINGS))
        return {name: {'done_by': user, 'done_at': at} for name, user, at in rows}

    def _open_mmr_company(self):
        return self.env.user.has_group('base.group_system') and self._open_mmr_records(
            'res.company', self.name, res_id=self.id) or None

    def _open_mmr_settings(self):
        """Return the action of the settings, for whoever may open them."""
        return self.env.user.has_group('base.group_system') and {
            **self._open_mmr_records('res.config.settings', self.env._("Settings"), views=[[False, 'form']]),
            'target': 'self', 'context': {'module': 'mrp'}} or None

    @api.model
    def _open_mmr_records(self, model, name, **vals):
        """Return the action that opens records of a model, or None for who may not read them."""
        if not self.env[model].has_access('read'):
            return None
        views = [[False, 'form']] if vals.get('res_id') else [[False, 'list'], [False, 'form']]
        return {'type': 'ir.actions.act_window', 'res_model': model, 'name': name, 'views': views, 'target': 'current', **vals}
