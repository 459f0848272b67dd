from odoo import fields, models


class ResCompany(models.Model):
    _inherit = 'res.company'

    mmr_block_overdue_review = fields.Boolean(
        "Overdue Reviews Block Orders",
        help="No order is confirmed on an MMR whose periodic review is overdue (REV-070, EU GMP 4.5).")


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    mmr_block_overdue_review = fields.Boolean(related='company_id.mmr_block_overdue_review', readonly=False)
