"""Attacks on lots and on equipment and its log."""

from odoo.tools import SQL

from .attack import Attempt, attack
from .helpers import change, changes, delete, every_write, forge_step_signature, get_columns, insert_copy, newest, open_entry


@attack("Lots and equipment", "SQL: change what was released or rejected, or its status, or delete the lot",
        "USE-060, SIG-030, 21 CFR 111.155(c)(3), 211.84(a)", 'mrp_mmr_lot_(fixed|signed|kept|of_batch)')
def stock_lot_update(drill):
    lot = newest(drill, 'stock.lot', [('mmr_status', '=', 'released')])
    return lot and (lot, [
        *changes(drill, lot, (
            'name', 'product_id', 'expiration_date', 'mmr_status', 'mmr_status_signature_id', 'mmr_supplier_lot',
            'mmr_file_id', 'mmr_retest_date', 'mmr_assay', 'mmr_assay_unit', 'mmr_assay_basis', 'mmr_assay_moisture',
            'mmr_assay_date')),
        Attempt("no status", lambda: change(drill, lot, 'mmr_status', SQL("NULL"))), delete(drill, lot)])


@attack("Lots and equipment", "SQL: release a lot without a signature, or add one that is released already",
        "USE-060, 21 CFR 111.120(e), 211.84(a)", 'mrp_mmr_lot_signed')
def stock_lot_release(drill):
    waiting = newest(drill, 'stock.lot', [('mmr_status', '=', 'quarantine')])
    released = newest(drill, 'stock.lot', [('mmr_status', '=', 'released')])
    return (waiting or released) and (waiting or released, [
        *([Attempt("released", lambda: change(drill, waiting, 'mmr_status', SQL("'released'")))] if waiting else []),
        *([Attempt('INSERT', lambda: insert_copy(drill, released, name=SQL("name || ' forged'")))] if released else [])])


@attack("Lots and equipment", "ORM: write the status of a lot, or make one that is released already",
        "USE-060, 21 CFR 111.155(c)(3), 211.84(a)", 'USE-060')
def stock_lot_orm(drill):
    lot = newest(drill, 'stock.lot', [('mmr_status', '!=', False)])
    return lot and (lot, [
        *drill.everyone(lambda env: lot.with_env(env).write({'mmr_status': 'released'}), "writes"),
        *drill.everyone(lambda env: env['stock.lot'].create(
            {'name': "Forged", 'product_id': lot.product_id.id, 'mmr_status': 'released'}), "creates")])


@attack("Lots and equipment", "SQL: weigh a lot that is not released", "USE-060, 21 CFR 111.155(c)(3), 211.84(a)",
        'mrp_mmr_bpr_lot_released')
def lot_weighed(drill):
    entry = open_entry(drill, ('kind', '=', 'weight'), ('lot_id', '!=', False))
    lot = newest(drill, 'stock.lot', ['|', ('mmr_status', '=', False), ('mmr_status', '!=', 'released')])
    return entry and lot and (entry, [Attempt('INSERT', lambda: insert_copy(
        drill, entry, lot_id=SQL("%s", lot.id), token=SQL("NULL")))])


@attack("Lots and equipment", "SQL: verify the weighing of a lot that is not released, by a forged signature",
        "VER-030, USE-060, 21 CFR 211.101(c)(1)", 'mrp_mmr_bpr_step_lot')
def lot_verified(drill):
    step = newest(drill, 'mrp.bpr.step', [
        ('kind', '=', 'weigh'), ('performed_signature_id', '!=', False), ('verified_signature_id', '=', False),
        ('verifier_role', '!=', False), ('state', '=', 'checking')])
    entry = step.entry_ids.filtered(lambda entry: entry.kind == 'weight')[:1]
    lot = newest(drill, 'stock.lot', ['|', ('mmr_status', '=', False), ('mmr_status', '!=', 'released')])

    def verify():
        insert_copy(drill, entry, lot_id=SQL("%s", lot.id), to_sign=SQL("TRUE"), token=SQL("NULL"))
        forge_step_signature(drill, step, 'verified')

    return entry and lot and (step, [Attempt('UPDATE', verify)])


@attack("Lots and equipment", "SQL: change any column of a line of an equipment log, or delete it",
        "BPR-040, AUD-030, 21 CFR 111.35(b)(2), 211.182", r'mrp_mmr_\w+_append_only')
def mrp_equipment_log_update(drill):
    line = newest(drill, 'mrp.equipment.log', [])
    return line and (line, [*changes(drill, line, get_columns(line)), delete(drill, line)])


@attack("Lots and equipment",
        "SQL: add a use in a batch without the signature of its step, or correct the line of another unit",
        "BPR-030, BPR-040, AUD-020, 21 CFR 211.182", 'mrp_mmr_log_(use_signed|corrects)')
def mrp_equipment_log_insert(drill):
    line, bpr = newest(drill, 'mrp.equipment.log', []), newest(drill, 'mrp.bpr', [])
    return line and (line, [
        Attempt("corrects", lambda: insert_copy(
            drill, line, supersedes_id=SQL("id"), reason=SQL("'forged'"), equipment_id=SQL(
                "(SELECT e.id FROM maintenance_equipment e WHERE e.id <> mrp_equipment_log.equipment_id LIMIT 1)"))),
        *([Attempt("use", lambda: insert_copy(drill, line, bpr_id=SQL("%s", bpr.id)))] if bpr else [])])


@attack("Lots and equipment", "ORM: create, change, copy or delete a line of an equipment log",
        "BPR-040, AUD-030, 21 CFR 111.35(b)(2), 211.182", 'AUD-030')
def mrp_equipment_log_orm(drill):
    line = newest(drill, 'mrp.equipment.log', [])
    return line and (line, every_write(drill, line, {'result': 'pass'}))


@attack("Lots and equipment", "SQL: record the use of a unit that is neither clean nor calibrated",
        "BPR-040, IPC-070, 21 CFR 111.35(b)(2), 211.67, 211.68(a)", 'mrp_mmr_bpr_unit_(clean|calibrated)')
def unit_used(drill):
    entry = open_entry(drill)
    unit = newest(drill, 'maintenance.equipment', [
        '|', ('mmr_cleaning_status', '=', 'dirty'), ('mmr_calibration_status', 'in', ('never', 'failed', 'overdue'))])
    return entry and unit and (unit, [Attempt('INSERT', lambda: insert_copy(
        drill, entry, equipment_id=SQL("%s", unit.id), product_id=SQL("%s", entry.bpr_id.product_id.id),
        token=SQL("NULL")))])
