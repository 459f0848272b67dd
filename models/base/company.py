"""The company's GMP settings, its days, and the certification of its signatures."""

import hashlib

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...domain.session_pins import LEAST, MOST, MOST_IDLE, USUAL, USUAL_IDLE

#: What signers accept where the company wrote no text of its own. It is not translated: its digest is its version.
ACCEPTANCE = """\
My electronic signature is the legally binding equivalent of my handwritten signature (21 CFR 11.100(c)).
I am accountable for everything that is signed with it (21 CFR 11.10(j)).
I keep my password to myself, let nobody sign for me and sign for nobody else (21 CFR 11.200(a)(2)).
I report at once when somebody else may know my password (21 CFR 11.300(c))."""
#: Changing one of them ends the continuous sessions of the company.
PIN_SETTINGS = {'mmr_pin', 'mmr_pin_length', 'mmr_pin_idle_minutes'}


class ResCompany(models.Model):
    _inherit = 'res.company'

    mmr_block_overdue_review = fields.Boolean(
        "Overdue Reviews Block Orders",
        help="No order can be confirmed for an MMR whose periodic review is overdue (REV-070, EU GMP 4.5).")
    mmr_sign_continuous = fields.Boolean(
        "Continuous Sessions",
        help="After a first signature with user name and password, later signatures in the same session need the password "
             "only (SIG-050, 21 CFR 11.200(a)(1)).")
    mmr_sign_idle_minutes = fields.Integer(
        "Idle Limit", default=10, help="Minutes since the last signature after which user name and password are both "
                                       "required again.")
    mmr_sign_shared = fields.Boolean(
        "Shared Terminals", default=True,
        help="Another person may sign in a colleague's session, with their own user name and password (SIG-040).")
    mmr_pin = fields.Boolean(
        "PIN at Terminals",
        help="After a signature with user name and password at a registered terminal, a personal PIN signs there until the "
             "session ends (SIG-130, 21 CFR 11.200(a)(1)(i)).")
    mmr_pin_length = fields.Integer("Digits of a PIN", default=USUAL, help="At least.")
    mmr_pin_idle_minutes = fields.Integer(
        "Idle Limit of a PIN", default=USUAL_IDLE,
        help="Minutes since the last signature after which a PIN can no longer be used.")
    mmr_sign_failures = fields.Integer(
        "Failures Before Lock", default=5, help="Number of failed attempts after which signing is locked (SIG-090, 21 CFR "
                                                "11.300(d)).")
    mmr_sign_failure_minutes = fields.Integer("Minutes in Which Failures Count", default=15)
    mmr_sign_password_days = fields.Integer(
        "Maximum Password Age", help="Days after which a password can no longer be used to sign; 0 means no limit (SIG-090, "
                                     "21 CFR 11.300(b)).")
    mmr_acceptance_text = fields.Text(
        "Accountability Text",
        help="What every signer accepts before the first signature. When the text changes, each signer must accept it again "
             "(SIG-070).")
    mmr_certified_on = fields.Date(
        "Certified to the Agency", help="Date on which the company certified to the agency that its electronic signatures "
                                        "are legally binding (21 CFR 11.100(c)).")
    # In the table: an attachment could be changed or deleted without a line in the ledger.
    mmr_certification = fields.Binary("Certification", attachment=False)
    mmr_certification_name = fields.Char("File Name of the Certification")

    mmr_deviation_days = fields.Integer(
        "Days to Close a Deviation", default=30,
        help="Number of days after the report within which a deviation is to be closed (DEV-010, 21 CFR 211.192).")
    mmr_deviation_procedure_id = fields.Many2one(
        'mrp.sop', "Procedure of Material Reviews", ondelete='restrict',
        help="Entered in new deviations as the written procedure that is followed (DEV-030, 21 CFR 111.103).")

    mmr_related_days = fields.Integer(
        "Period for Related Batches (days)", default=90,
        help="Batches of the same MMR revision that began within this number of days before or after a deviation count as "
             "related (DEV-070).")

    mmr_recurrence_count = fields.Integer(
        "Recurring Deviations", default=3,
        help="This number of deviations with the same cause on the same product requires a CAPA, or a signed reason for "
             "having none (DEV-090).")
    mmr_recurrence_months = fields.Integer("Period for Recurrence (months)", default=12)

    @api.constrains('mmr_deviation_days', 'mmr_related_days', 'mmr_recurrence_count', 'mmr_recurrence_months')
    def _check_mmr_deviation_limits(self):
        for company in self:
            if company.mmr_deviation_days < 1 or company.mmr_related_days < 1 or company.mmr_recurrence_count < 2 \
                    or company.mmr_recurrence_months < 1:
                raise ValidationError(self.env._(
                    "Deviations need at least one day to close and for related batches; at least two of the same cause "
                    "within at least one month count as recurring. Rule: DEV-070, DEV-090, 21 CFR 211.192."))

    @api.constrains('mmr_sign_idle_minutes', 'mmr_sign_failures', 'mmr_sign_failure_minutes', 'mmr_sign_password_days')
    def _check_mmr_sign_limits(self):
        for company in self:
            if not 1 <= company.mmr_sign_failures <= 10 or company.mmr_sign_failure_minutes < 5 \
                    or not 1 <= company.mmr_sign_idle_minutes <= 60 or company.mmr_sign_password_days < 0:
                raise ValidationError(self.env._(
                    "Signing needs a limit of 1 to 10 failures in at least 5 minutes, an idle limit of 1 to 60 minutes, and "
                    "a password age of 0 or more days. Rule: SIG-050, SIG-090, 21 CFR 11.200(a)(1), 11.300."))

    @api.constrains('mmr_pin', 'mmr_pin_length', 'mmr_pin_idle_minutes')
    def _check_mmr_pin_limits(self):
        for company in self:
            if not LEAST <= company.mmr_pin_length <= MOST or not 1 <= company.mmr_pin_idle_minutes <= MOST_IDLE:
                raise ValidationError(self.env._(
                    "PIN at terminals: %(least)s to %(most)s digits, and an idle limit of 1 to %(idle)s minutes. "
                    "Rule: SIG-130, 21 CFR 11.200(a)(1).", least=LEAST, most=MOST, idle=MOST_IDLE))

    def _get_mmr_acceptance(self):
        """Return what signers of this company accept: text and digest."""
        self.ensure_one()
        return self.env['mrp.signer.acceptance']._get_acceptance((self.sudo().mmr_acceptance_text or '').strip() or ACCEPTANCE)

    def _get_mmr_audit_value(self, name):
        """Return a setting as the ledger holds it."""
        self.ensure_one()
        value = self.with_context(bin_size=False)[name]
        kind = self._fields[name].type
        if kind == 'binary':
            return {'sha256': hashlib.sha256(value).hexdigest(), 'size': len(value)} if value else None
        if kind == 'many2one':
            return {'id': value.id, 'name': value.sudo().display_name} if value else None
        return fields.Date.to_string(value) or None if kind == 'date' else value

    mmr_seal_email = fields.Char(
        "Mail Seals To", help="The daily seal of the audit trail is sent to this address, so that a copy exists outside this "
                              "database.")

    @api.model_create_multi
    def create(self, vals_list):
        # What PostgreSQL compares with the ledger is set with its line.
        later = [{name: vals[name] for name in PIN_SETTINGS & vals.keys()} for vals in vals_list]
        companies = super().create([
            {name: value for name, value in vals.items() if name not in PIN_SETTINGS} for vals in vals_list])
        for company, vals in zip(companies, later, strict=True):
            company.write(vals)
        return companies

    def write(self, vals):
        names = {name for name in vals if name.startswith('mmr_')}
        if not names:
            return super().write(vals)
        before = {company: {name: company._get_mmr_audit_value(name) for name in names} for company in self}
        result = super().write(vals)
        lines = []
        for company, values in before.items():
            after = {name: company._get_mmr_audit_value(name) for name in values}
            changes = {name: {'old': old, 'new': after[name]} for name, old in values.items() if old != after[name]}
            if changes:
                lines.append({
                    'chain': company, 'kind': 'setting', 'model': 'res.company', 'res_id': company.id,
                    'record_name': company.name, 'values': changes})
        self.env['mrp.audit.entry']._append(lines)
        return result


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    mmr_block_overdue_review = fields.Boolean(related='company_id.mmr_block_overdue_review', readonly=False)
    mmr_seal_email = fields.Char(related='company_id.mmr_seal_email', readonly=False)
    mmr_sign_continuous = fields.Boolean(related='company_id.mmr_sign_continuous', readonly=False)
    mmr_sign_idle_minutes = fields.Integer(related='company_id.mmr_sign_idle_minutes', readonly=False)
    mmr_sign_shared = fields.Boolean(related='company_id.mmr_sign_shared', readonly=False)
    mmr_pin = fields.Boolean(related='company_id.mmr_pin', readonly=False)
    mmr_pin_length = fields.Integer(related='company_id.mmr_pin_length', readonly=False)
    mmr_pin_idle_minutes = fields.Integer(related='company_id.mmr_pin_idle_minutes', readonly=False)
    mmr_sign_failures = fields.Integer(related='company_id.mmr_sign_failures', readonly=False)
    mmr_sign_failure_minutes = fields.Integer(related='company_id.mmr_sign_failure_minutes', readonly=False)
    mmr_sign_password_days = fields.Integer(related='company_id.mmr_sign_password_days', readonly=False)
    mmr_acceptance_text = fields.Text(related='company_id.mmr_acceptance_text', readonly=False)
    mmr_certified_on = fields.Date(related='company_id.mmr_certified_on', readonly=False)
    mmr_certification = fields.Binary(related='company_id.mmr_certification', readonly=False)
    mmr_certification_name = fields.Char(related='company_id.mmr_certification_name', readonly=False)
    mmr_deviation_days = fields.Integer(related='company_id.mmr_deviation_days', readonly=False)
    mmr_deviation_procedure_id = fields.Many2one(related='company_id.mmr_deviation_procedure_id', readonly=False)
    mmr_related_days = fields.Integer(related='company_id.mmr_related_days', readonly=False)
    mmr_recurrence_count = fields.Integer(related='company_id.mmr_recurrence_count', readonly=False)
    mmr_recurrence_months = fields.Integer(related='company_id.mmr_recurrence_months', readonly=False)
