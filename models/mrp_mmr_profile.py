from odoo import fields, models


class MrpMmrProfile(models.Model):
    """The regulation an MMR is written for; one MMR has one profile."""
    _name = 'mrp.mmr.profile'
    _description = "MMR Profile"
    _order = 'sequence, id'

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, readonly=True)
    sequence = fields.Integer(default=10)
    citation = fields.Char(help="The rules that ask for a master record under this profile.")

    _code_uniq = models.Constraint('UNIQUE (code)', "A profile with this code exists already.")
