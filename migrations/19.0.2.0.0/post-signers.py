"""What is known about each signer gets its line in the ledger, against which it is compared from now on (AUD-080)."""
from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    api.Environment(cr, SUPERUSER_ID, {})['mrp.signer']._note_known()
