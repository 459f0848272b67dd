"""Attacks on deviations, reprocessing, CAPA and product quality reviews."""

from odoo.tools import SQL

from .attack import Attempt, attack
from .helpers import change, changes, delete, execute, get_columns, insert_copy, newest


@attack("Deviations", "SQL: take back what a person signed for an investigation, or sign it for that person",
        "DEV-030, 21 CFR 111.140(b)(3)(vii)", 'mrp_mmr_contributor_(fixed|signed)')
def mrp_deviation_contributor_update(drill):
    row = newest(drill, 'mrp.deviation.contributor', [])
    return row and (row, [
        Attempt("signature", lambda: change(drill, row, 'signature_id', SQL("(SELECT min(id) FROM mrp_esignature)"))),
        Attempt("deviation", lambda: change(drill, row, 'deviation_id', SQL(
            "(SELECT d.id FROM mrp_deviation d WHERE d.id <> deviation_id LIMIT 1)")))])


@attack("Deviations", "SQL: drop a batch that was found to be related to a deviation", "DEV-070, 21 CFR 211.192",
        'mrp_mmr_deviation_batch_(kept|fixed)')
def mrp_deviation_batch_delete(drill):
    row = newest(drill, 'mrp.deviation.batch', [])
    return row and (row, [delete(drill, row)])


@attack("Deviations", "SQL: change any column of recorded reprocessing, or delete it", "BPR-150, AUD-030, 21 CFR 111.260(n)",
        r'mrp_mmr_\w+_append_only')
def mrp_bpr_rework_update(drill):
    row = newest(drill, 'mrp.bpr.rework', [])
    return row and (row, [*changes(drill, row, get_columns(row)), delete(drill, row)])


@attack("Deviations", "SQL: record reprocessing that Quality Control did not approve", "DEV-060, BPR-150, 21 CFR 111.90",
        'mrp_mmr_rework_approved')
def mrp_bpr_rework_insert(drill):
    row = newest(drill, 'mrp.bpr.rework', [])
    return row and (row, [Attempt('INSERT', lambda: insert_copy(
        drill, row, kind=SQL("CASE kind WHEN 'treat' THEN 'reprocess' ELSE 'treat' END")))])


@attack("Deviations", "SQL: close a CAPA without signature, give it another number, or delete it", "DEV-090, REC-040",
        r'mrp_mmr_capa_\w+')
def mrp_capa_update(drill):
    capa = newest(drill, 'mrp.capa', [('state', '!=', 'draft')])
    return capa and (capa, [
        Attempt("number", lambda: change(drill, capa, 'name', SQL("'CAPA/forged'"))),
        Attempt("status", lambda: change(drill, capa, 'state', SQL("'closed'"))), delete(drill, capa)])


@attack("Deviations", "SQL: delete an action of a CAPA that was started, or give it to another one", "DEV-090, REC-040",
        r'mrp_mmr_capa_action_\w+')
def mrp_capa_action_delete(drill):
    row = newest(drill, 'mrp.capa.action', [('capa_id.state', '!=', 'draft')])
    return row and (row, [delete(drill, row)])


@attack("Quality reviews", "SQL: change any column of a signed product quality review, approve or delete it",
        "RPT-030, SIG-030, 21 CFR 11.70, 211.180(e)", r'mrp_mmr_quality_review_\w+')
def mrp_quality_review_update(drill):
    review = newest(drill, 'mrp.quality.review', [('state', '!=', 'draft')])
    return review and (review, [
        *changes(drill, review, sorted(set(get_columns(review)) - {'message_main_attachment_id'})), delete(drill, review)])


@attack("Quality reviews", "SQL: change the products of a signed product quality review", "RPT-030, SIG-030, 21 CFR 11.70",
        'mrp_mmr_quality_review_product_rel_fixed')
def mrp_quality_review_product(drill):
    review = newest(drill, 'mrp.quality.review', [('state', '!=', 'draft')])
    table = SQL("mrp_quality_review_product_rel")
    return review and (review, [
        execute(drill, 'DELETE', SQL("DELETE FROM %s WHERE review_id = %s", table, review.id)),
        execute(drill, 'INSERT', SQL(
            "INSERT INTO %s SELECT %s, p.id FROM product_product p WHERE p.id NOT IN (%s) LIMIT 1", table, review.id,
            SQL("SELECT product_id FROM %s WHERE review_id = %s", table, review.id)))])
