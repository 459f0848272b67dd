"""Numbers that people write keep their digits: columns of floats become exact, without an UPDATE of signed rows (NUM-020)."""
from odoo.addons.mrp_mmr.models.base.exact_number_migration import convert_masters


def migrate(cr, version):
    convert_masters(cr)
