from odoo import fields, models


class ResCompany(models.Model):
    _inherit = 'res.company'

    mmr_block_overdue_review = fields.Boolean(
        "Overdue Reviews Block Orders",
        help="No order is confirmed on an MMR whose periodic review is overdue (REV-070, EU GMP 4.5).")


    mmr_seal_email = fields.Char(
        "Seals Are Mailed To", help="The daily seal of the audit trail is sent here, so that a copy exists elsewhere.")

    def write(self, vals):
        names = {name for name in vals if name.startswith('mmr_')}
        if not names:
            return super().write(vals)
        before = {company: {name: company[name] for name in names} for company in self}
        result = super().write(vals)
        self.env['mrp.audit.entry']._append([{
            'chain': company, 'kind': 'setting', 'model': 'res.company', 'res_id': company.id,
            'record_name': company.name,
            'values': {name: {'old': old, 'new': company[name]} for name, old in values.items() if old != company[name]},
        } for company, values in before.items() if any(old != company[name] for name, old in values.items())])
        return result


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    mmr_block_overdue_review = fields.Boolean(related='company_id.mmr_block_overdue_review', readonly=False)
    mmr_seal_email = fields.Char(related='company_id.mmr_seal_email', readonly=False)
