"""What all tests share, made once: read by ``odoo shell`` in the database whose copies the tests use (see testing.py)."""
import os
from unittest.mock import patch

from odoo.addons.base.models import res_users
from odoo.addons.mrp_mmr.tests.common.base import prepare

# As Odoo's own test cases do: passwords of tests want no slow digest. Only these rows of this database have such ones.
with patch.object(res_users, 'MIN_ROUNDS', 1):
    prepare(env, keep=True)     # noqa: F821 (of the shell)
if os.environ.get('MRP_MMR_TEST_ASSETS'):
    # Otherwise each browser test would build the scripts and styles of its pages, which go with its transaction.
    env['ir.qweb']._pregenerate_assets_bundles()    # noqa: F821
env.cr.commit()                 # noqa: F821
