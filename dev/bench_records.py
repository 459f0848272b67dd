"""The part of `dev/bench` that measures master records: redline, document, verification, lists of many MMRs.

It runs inside a worker process (`bench_worker.py`); everything is rolled back.
"""
import base64
import copy
import datetime
import hashlib
import io
import time
from unittest.mock import patch

from odoo.tools import SQL

COMPONENTS = 60
STEPS = 80
FEW, MANY = 100, 10_000
BATCHES = 400           # of a product in a year
APPENDED = 5000         # lines of the ledger at once
REPEAT = 7


def seconds(function, repeat=REPEAT):
    """Return the fastest of some runs: the one that the rest of the machine disturbed least."""
    best = None
    for _run in range(repeat):
        began = time.perf_counter()
        function()
        elapsed = time.perf_counter() - began
        best = elapsed if best is None else min(best, elapsed)
    return best


def large_documents(document):
    """Return two revisions of a document with many components and steps, which differ in some places of each kind."""
    document = copy.deepcopy(document)
    component, stage = document['components'][0], document['operations'][0]
    step = next(step for operation in document['operations'] for step in operation['steps'])
    document['components'] = [
        dict(copy.deepcopy(component), position=number,
             product=dict(component['product'], id=1000 + number, name=f"Component {number:02}"))
        for number in range(1, COMPONENTS + 1)]
    stages = 8
    document['operations'] = [
        dict(copy.deepcopy(stage), position=place, name=f"Stage {place}", predecessors=[place - 1] if place > 1 else [],
             steps=[dict(copy.deepcopy(step), position=number, name=f"Step {place}.{number}",
                         instruction=f"Do the step {place}.{number} as the procedure says.\n" * 5, component=None)
                    for number in range(1, STEPS // stages + 1)])
        for place in range(1, stages + 1)]
    changed = copy.deepcopy(document)
    changed['revision'] += 1
    for row in changed['components'][::7]:
        row['quantity'] = '7.5'
    for operation in changed['operations']:
        operation['steps'][2]['instruction'] += "And look twice."
        operation['steps'][4]['name'] += " again"
    removed = changed['operations'][3]['steps'].pop(1)
    changed['operations'][5]['steps'].insert(0, removed)
    del changed['components'][11]
    return document, changed


def measure_redline(env, revision):
    """Compare the redline of two large revisions with hashing the two documents once."""
    from odoo.addons.mrp_mmr.domain.canonical import sha256
    from odoo.addons.mrp_mmr.domain.redline import compare
    before, after = large_documents(revision.document)
    changes = len(compare(before, after)['changes'])
    redline = seconds(lambda: compare(before, after))
    hashing = seconds(lambda: (sha256(before), sha256(after)))
    return {
        'redline_seconds': redline, 'redline_changes': changes, 'redline_over_hashing': redline / hashing,
        'document_seconds': seconds(lambda: (env.invalidate_all(), revision._prepare_document())),
    }


def measure_lists(env, mmr):
    """Read the first page of the list, a count, groups and the planner's matrix among few and among many MMRs."""
    result = {}
    fields = {
        'name': {}, 'product_id': {'fields': {'display_name': {}}}, 'formulation_code': {}, 'batch_size': {},
        'uom_id': {'fields': {'display_name': {}}}, 'profile_id': {'fields': {'display_name': {}}},
        'effective_revision_id': {'fields': {'display_name': {}}}, 'is_review_overdue': {}, 'date_next_review': {},
        'production_count': {},
    }

    def page():
        env.invalidate_all()
        env['mrp.mmr'].web_search_read([], fields, limit=80)

    def groups():
        env['mrp.mmr'].formatted_read_group([], ['profile_id'], ['__count'])

    def matrix():
        env.invalidate_all()
        env['mrp.mmr'].get_planner_data()

    made = 1
    for wanted in (FEW, MANY):
        copy_mmrs(env, mmr, made, wanted)
        made = wanted
        env.cr.execute('ANALYZE mrp_mmr')
        for name, function in (('page', page), ('groups', groups), ('matrix', matrix)):
            function()
            before = env.cr.sql_log_count
            function()
            result[f'{name}_{wanted}_queries'] = env.cr.sql_log_count - before
            result[f'{name}_{wanted}_seconds'] = seconds(function)
    for name in ('page', 'groups', 'matrix'):
        result[f'{name}_many_over_few'] = result[f'{name}_{MANY}_seconds'] / result[f'{name}_{FEW}_seconds']
    return result


def copy_mmrs(env, mmr, made, wanted):
    """Fill the table: MMRs without revision, of other formulations and sizes of the same product."""
    columns = [name for name, field in mmr._fields.items()
               if field.store and field.column_type and name not in (
                   'id', 'name', 'formulation_code', 'batch_size_product_uom', 'effective_revision_id', 'open_revision_id')]
    names = SQL(', ').join(map(SQL.identifier, columns))
    env.cr.execute(SQL(
        """
        INSERT INTO mrp_mmr (name, formulation_code, batch_size_product_uom, %s)
        SELECT 'MMR/B' || n, 'F' || (n %% 500), batch_size_product_uom + n, %s
          FROM mrp_mmr, generate_series(%s, %s) AS n WHERE mrp_mmr.id = %s
        """, names, names, made, wanted - 1, mmr.id))


def append_lines(env, mmr, number):
    """Append lines as the change of a revision makes them to the chain of ``mmr``."""
    entries = env['mrp.audit.entry']
    for first in range(0, number, APPENDED):
        entries._append([{
            'chain': mmr, 'kind': 'write', 'model': 'mrp.mmr.revision', 'res_id': first + place,
            'record_name': f"MMR/00001 revision {place}", 'reason': None, 'values': {
                'state': {'old': 'draft', 'new': 'submitted'}, 'document_sha256': {'old': None, 'new': 'a' * 64},
                'prepared_signature_id': {'old': None, 'new': {'id': 7, 'name': "Prepared by Anna Müller"}}},
        } for place in range(APPENDED)])
        # Autovacuum would do it between transactions; the plans of the triggers follow.
        env.cr.execute('ANALYZE mrp_audit_entry')


def measure_verify(env, mmr, lines):
    """Verify a long ledger, against hashing the same bytes alone.

    CPU seconds are those of Odoo and of its PostgreSQL backend together: what one core does.
    """
    import bench_worker

    from odoo.addons.mrp_mmr.verification.ledger import CHECKPOINT, LedgerCheck, encode

    append_lines(env, mmr, lines)
    sample = env['mrp.audit.entry'].sudo().search([('chain_id.res_id', '=', mmr.id)], order='id desc', limit=5000)
    texts = [encode(line._get_hashed_content(line._get_stored_vals())).encode() for line in sample]
    env.invalidate_all()

    def cpu():
        return time.process_time() + (bench_worker._cpu_of_backend(env.cr) or 0)

    runs = []
    for _run in range(3):
        began, worked, check, findings = time.perf_counter(), cpu(), LedgerCheck(env.cr), 0
        for step in check:
            findings += step is not CHECKPOINT
        runs.append((time.perf_counter() - began, cpu() - worked))
        if findings:
            raise RuntimeError(f"The ledger of the benchmark does not verify: {findings} findings.")
    elapsed, worked = map(min, zip(*runs, strict=True))
    hashing = seconds(lambda: [hashlib.sha256(text).hexdigest() for text in texts]) / len(texts)
    return {
        'verify_lines': check.lines, 'verify_bytes_per_line': sum(map(len, texts)) / len(texts),
        'verify_lines_per_second': check.lines / elapsed, 'verify_lines_per_cpu_second': check.lines / worked,
        'verify_over_hashing': elapsed / check.lines / hashing, 'verify_cpu_over_hashing': worked / check.lines / hashing,
    }


def copy_batches(env, bpr, wanted):
    """Fill the tables: completed batches of one revision in the year 2030, each with a yield and four results.

    The guards would want each of them worked through; they are off in this transaction, which is rolled back.
    """
    for table in ('mrp_production', 'mrp_bpr', 'mrp_bpr_step', 'mrp_bpr_entry', 'mrp_bpr_result'):
        env.cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table)))

    def copy(record, source, **changed):
        """Insert copies of a row, one for each row ``n`` of a query, with other values."""
        names = [name for name, field in record._fields.items()
                 if field.store and field.column_type and name not in ('id', *changed)]
        env.cr.execute(SQL(
            "INSERT INTO %(table)s (%(changed)s, %(names)s) SELECT %(values)s, %(same)s FROM %(table)s t, (%(source)s) n "
            "WHERE t.id = %(id)s", table=SQL.identifier(record._table), changed=SQL(', ').join(map(SQL.identifier, changed)),
            names=SQL(', ').join(map(SQL.identifier, names)), values=SQL(', ').join(map(SQL, changed.values())),
            same=SQL(', ').join(SQL.identifier('t', name) for name in names), source=source, id=record.id))

    copy(bpr.production_id, SQL("SELECT generate_series(1, %s) AS i", wanted), name="'BENCH/' || n.i", state="'done'")
    copy(bpr, SQL("SELECT id, substr(name, 7)::integer AS i FROM mrp_production WHERE name LIKE %s", 'BENCH/%'),
         name="'BPR/BENCH/' || n.i", production_id="n.id", state="'done'", release_state="'review'",
         completed_at="'2030-01-01'::timestamp + interval '21 hours' * n.i")
    step = bpr.step_ids.filtered(lambda step: step.kind == 'yield').sorted('sequence')[-1:]
    copy(step, SQL("SELECT id, production_id FROM mrp_bpr WHERE name LIKE %s", 'BPR/BENCH/%'), bpr_id="n.id",
         production_id="n.production_id", state="'done'", closed_at="now()")
    env.cr.execute(
        """INSERT INTO mrp_bpr_entry (step_id, bpr_id, company_id, kind, value, data, outcome, user_id, user_name, at)
           SELECT s.id, s.bpr_id, s.company_id, 'yield', '98', jsonb_build_object('percent', (97 + s.id %% 30 * 0.1)::text),
                  'pass', %(uid)s, 'Bench', now()
             FROM mrp_bpr_step s JOIN mrp_bpr b ON b.id = s.bpr_id WHERE b.name LIKE 'BPR/BENCH/%%';
           INSERT INTO mrp_bpr_result (bpr_id, company_id, position, name, criterion_label, kind, value, unit, outcome,
                                       user_id, user_name, at)
           SELECT b.id, b.company_id, i, 'Test ' || i, '95 – 105 %%', 'value', (98 + b.id %% 40 * 0.1)::text, '%%', 'pass',
                  %(uid)s, 'Bench', now()
             FROM mrp_bpr b, generate_series(1, 4) i WHERE b.name LIKE 'BPR/BENCH/%%';
           ANALYZE mrp_bpr, mrp_bpr_step, mrp_bpr_entry, mrp_bpr_result, mrp_production""", {'uid': env.uid})
    env.invalidate_all()


def measure_quality_review(env, order):
    """Reckon and print the product quality review of few batches and of a year with many, each from nothing."""
    order.action_confirm()
    bpr = order.sudo().bpr_id
    copy_batches(bpr.env, bpr, BATCHES)
    # In the year 2030, each some hours after the one before.
    result, days = {'batches': BATCHES}, {BATCHES // 10: 35, BATCHES: 365}
    for wanted, count in days.items():
        review = bpr.env['mrp.quality.review'].create({
            'product_ids': bpr.product_id.ids, 'date_from': '2030-01-01',
            'date_to': datetime.date(2030, 1, 1) + datetime.timedelta(days=count - 1)})

        def build(review=review):
            env.invalidate_all()
            return review._get_document()

        build()
        before = env.cr.sql_log_count
        made = len(build()['batches'])
        result[f'review_{wanted}_queries'] = env.cr.sql_log_count - before
        if not wanted * 0.9 <= made <= wanted * 1.1:
            raise RuntimeError(f"{made} batches in the review, and not about {wanted}.")
        result[f'review_{wanted}_seconds'] = seconds(build, 3)
    reports = bpr.env['ir.actions.report'].with_context(force_report_rendering=True)
    result['review_print_seconds'] = seconds(
        lambda: reports._render_qweb_pdf('mrp_mmr.report_quality_review', review.ids), 1)
    return result


def measure_print(env, revision):
    """Print a master of many components and steps, against one bare run of wkhtmltopdf on what it is made of.

    Measures any state of the addon that renders stamped documents by ``_run_wkhtmltopdf``.
    """
    from odoo.tools.pdf import PdfFileReader

    from odoo.addons.mrp_mmr.domain.canonical import sha256
    from odoo.addons.mrp_mmr.reports import ir_actions_report as engine

    document, _changed = large_documents(revision.document)
    report = env['ir.actions.report'].with_context(force_report_rendering=True)
    run, runs, sources = engine._run_wkhtmltopdf, [], []

    def spy(arguments):
        began = time.perf_counter()
        process = run(arguments)
        runs.append(time.perf_counter() - began)
        return process

    def take(self, documents, arguments):
        sources.append((documents[0], arguments))
        return render(self, documents, arguments)

    render = type(report)._render_stamped_documents
    model = env.registry['report.mrp_mmr.report_mmr_revision']
    with patch.object(model, '_get_document', lambda self, revision: (document, sha256(document))), \
            patch.object(engine, '_run_wkhtmltopdf', spy), \
            patch.object(type(report), '_render_stamped_documents', take):
        def make():
            return report._render_qweb_pdf('mrp_mmr.report_mmr_revision', revision.ids)[0]

        make()
        runs.clear()
        pdf = make()
        result = {'print_runs': len(runs), 'print_bytes': len(pdf),
                  'print_pages': len(PdfFileReader(io.BytesIO(pdf), strict=False).pages)}
        result['print_seconds'] = seconds(make, 3)
    result['print_bare_seconds'] = seconds(lambda: engine._render_document(*sources[0]), 3)
    result['print_over_bare'] = result['print_seconds'] / result['print_bare_seconds']
    return result


def measure_signing(env):
    """Return what the key of a signer takes of a signature, against Odoo's own check of the password.

    Opening the key is as slow as it is meant to be: whoever got hold of the table tries passwords that slowly. Where there is a
    signing password, opening it is the only slow digest of a signature; else it comes beside Odoo's.
    """
    from odoo.addons.mrp_mmr.domain import private_keys
    from odoo.addons.mrp_mmr.domain.canonical import canonical_json
    secret, context = 'a-long-password', env['res.users']._crypt_context()
    hashed = context.hash(secret)
    public, wrapped = private_keys.make_key(secret, 'res.users,1')
    key = private_keys.OpenedKey(wrapped, secret, 'res.users,1')
    signature = env['mrp.esignature'].sudo().search([('key_fingerprint', '!=', False)], limit=1)
    message = canonical_json(signature._get_signed_content(signature._get_stored_vals()))
    made = base64.b64decode(key.sign(message))
    password = seconds(lambda: context.verify(secret, hashed))
    opening = seconds(lambda: private_keys.OpenedKey(wrapped, secret, 'res.users,1'))
    signing = seconds(lambda: key.sign(message))
    return {
        'signing_password_seconds': password, 'signing_open_seconds': opening, 'signing_sign_seconds': signing,
        'signing_check_seconds': seconds(lambda: public.is_valid(made, message)),
        'signing_check_pure_seconds': seconds(lambda: public.is_valid(made, message, pure=True)),
        'signing_over_password': (opening + signing) / password}


def measure(env, bom, lines, order):
    """Measure everything, with ``lines`` in the ledger; the caller rolls back.

    :param order: a draft order of the bill of materials
    """
    revision = env['mrp.mmr.revision'].search([('bom_id', '=', bom)])
    return {
        **measure_signing(env), **measure_redline(env, revision.sudo()), **measure_print(env, revision.sudo()),
        **measure_verify(env, revision.mmr_id, lines),
        **measure_quality_review(env, order), **measure_lists(env, revision.mmr_id),
        'components': COMPONENTS, 'steps': STEPS, 'mmrs': MANY}
