"""Leave no trigger behind: tables of Odoo stay when the addon goes."""

from odoo.exceptions import UserError

from . import guards


def uninstall_hook(env):
    """Refuse while signatures or qualifications exist (AUD-030); else drop triggers and their functions."""
    if env['mrp.esignature'].search_count([]) or env['mrp.qualification'].search_count([]):
        raise UserError(env._(
            "GMP records exist; the addon stays installed. Rule: AUD-030, REC-040, 21 CFR 11.10(c), 111.605."))
    guards.drop(env.cr)
