"""Bundles of records, without prints: read by ``odoo shell``, with the code of this state or of an earlier one.

Environment: MRP_MMR_BUNDLES, a JSON list of ``[model, id, file]``.
"""
import json
import os
import shutil

for model, record_id, path in json.loads(os.environ['MRP_MMR_BUNDLES']):
    source, _name = env[model].browse(record_id)._make_bundle(prints=False)     # noqa: F821 (of the shell)
    with source, open(f'{path}.new', 'wb') as target:
        shutil.copyfileobj(source, target)
    os.replace(f'{path}.new', path)
# The ledger has the exports.
env.cr.commit()     # noqa: F821
