"""Regulatory profiles: the regulation that an MMR is written for."""

from odoo import fields, models

from ...domain.refusals import refusal


class MrpMmrProfile(models.Model):
    """The regulation an MMR is written for; one MMR has one profile. Also held in guards/mrp_mmr_profile.sql."""
    _name = 'mrp.mmr.profile'
    _description = "MMR Profile"
    _inherit = ['mrp.audit.mixin']
    _order = 'sequence, id'

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, readonly=True)
    sequence = fields.Integer(default=10)
    citation = fields.Char(help="The regulations that require a master record under this profile.")

    review_interval = fields.Integer(
        "Review Every (months)", default=24,
        help="Proposed for new MMRs with this profile; 0 means none (REV-070, EU GMP 4.5).")
    requirement_ids = fields.One2many('mrp.mmr.requirement', 'profile_id', "Requirements")
    reviewer_ids = fields.One2many('mrp.mmr.reviewer', 'profile_id', "Reviewers")

    _code_uniq = models.Constraint('UNIQUE (code)', "A profile with this code already exists.")

    def _audit_chain(self):
        return self.env.company

    def write(self, vals):
        if 'code' in vals and any(profile.code != vals['code'] for profile in self):
            raise refusal(
                self.env, self.env._("The code of a profile is part of signed records and cannot be changed."),
                "REV-010, 21 CFR 111.123(a)(1)", self.env._("change its name instead."), record=self)
        return super().write(vals)
