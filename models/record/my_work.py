"""My Work about batches: steps to sign and to begin, records to review and release, times that ran out (USR-010)."""

from datetime import datetime

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import LazyTranslate

from ...domain.batch_states import DECIDED
from ...domain.my_work import WorkLine, WorkSource
from .floor import RUNNING

_lt = LazyTranslate(__name__)
OPERATOR, VERIFIER, PRODUCTION, QC, QP, MANAGER, AUDITOR = (f'mrp_mmr.group_mmr_{role}' for role in (
    'operator', 'verifier', 'production', 'qc', 'qp', 'quality_manager', 'auditor'))
FLOOR, REVIEW = 'mrp_mmr.floor', 'mrp_mmr.review'
#: Who signs at steps: any role may stand in a master.
ON_FLOOR = (OPERATOR, VERIFIER, PRODUCTION, QC, QP)
#: Points of a step that somebody else than who began it signs → the signature that they offer.
POINTS = {'verified': 'verified', 'added': 'added', 'addition_verified': 'addition_verified', 'hold': 'hold_approve'}


class MrpMyWork(models.AbstractModel):
    _inherit = 'mrp.my.work'

    _work_sources = {
        'step_sign': WorkSource(
            section='sign', order=20, model='mrp.bpr.step', roles=ON_FLOOR, find='_find_steps_to_sign', opens=FLOOR,
            title=_lt("Steps to verify and sign"), why=_lt("You have the role, and somebody else did the step.")),
        'correction_sign': WorkSource(
            section='sign', order=21, model='mrp.bpr.step', roles=ON_FLOOR, find='_find_corrections', opens=FLOOR,
            title=_lt("Corrections to sign"), why=_lt("You have the role, and somebody else did the step.")),
        'transcription_sign': WorkSource(
            section='sign', order=22, model='mrp.bpr.transcription', roles=ON_FLOOR, find='_find_transcriptions',
            title=_lt("Transcriptions to compare and sign"), why=_lt("You have the role of the step.")),
        'batch_issue': WorkSource(
            section='sign', order=25, model='mrp.bpr', roles=(PRODUCTION,), find='_find_batches_to_issue',
            title=_lt("Batch records to issue"), why=_lt("You answer for production.")),
        'result_approve': WorkSource(
            section='sign', order=30, model='mrp.bpr', roles=(QC,), find='_find_results_to_approve', opens=REVIEW,
            title=_lt("Test results to approve"), why=_lt("You are of Quality Control, and somebody else entered them.")),
        'batch_produce': WorkSource(
            section='sign', order=31, model='mrp.bpr', roles=(PRODUCTION,), find='_find_batches_to_produce', opens=REVIEW,
            title=_lt("Batches to sign for production"), why=_lt("You answer for production.")),
        'batch_review': WorkSource(
            section='sign', order=32, model='mrp.bpr', roles=(QC,), find='_find_batches_to_review', opens=REVIEW,
            title=_lt("Batches to review"), why=_lt("You are of Quality Control and took no part in the batch.")),
        'batch_certify': WorkSource(
            section='sign', order=33, model='mrp.bpr', roles=(QP,), find='_find_batches_to_certify', opens=REVIEW,
            title=_lt("Batches to certify"), why=_lt("You are the Qualified Person.")),
        'batch_release': WorkSource(
            section='sign', order=34, model='mrp.bpr', roles=(QC,), find='_find_batches_to_release', opens=REVIEW,
            title=_lt("Batches to release"), why=_lt("You are of Quality Control and took no part in the batch.")),
        'step_begin': WorkSource(
            section='today', order=10, model='mrp.bpr.step', roles=ON_FLOOR, find='_find_steps_to_begin', opens=FLOOR,
            title=_lt("Steps that can begin"), why=_lt("You have the role, are qualified and trained.")),
        'step_begun': WorkSource(
            section='today', order=5, model='mrp.bpr.step', roles=ON_FLOOR, find='_find_begun_steps', opens=FLOOR,
            title=_lt("Steps that I began"), why=_lt("You began it.")),
        'result_enter': WorkSource(
            section='today', order=20, model='mrp.bpr', roles=(QC,), find='_find_results_to_enter', opens=REVIEW,
            title=_lt("Test results to enter"), why=_lt("You are of Quality Control.")),
        'batch_hold': WorkSource(
            section='late', order=10, model='mrp.bpr', find='_find_held_batches',
            title=_lt("Batches on hold"), why=_lt("Work stops until Quality Control decides.")),
        'time_late': WorkSource(
            section='late', order=15, model='mrp.bpr', find='_find_late_batches',
            title=_lt("Batches past a time limit"), why=_lt("A step, a stage or a hold took longer than it may.")),
        'batch_running': WorkSource(
            section='running', order=10, model='mrp.bpr', find='_find_running_batches',
            title=_lt("Batches in work"), why=_lt("It is made now.")),
        'batch_undecided': WorkSource(
            section='running', order=20, model='mrp.bpr', roles=(QC, QP, PRODUCTION, MANAGER, AUDITOR),
            find='_find_undecided_batches',
            title=_lt("Completed batches on their way to release"), why=_lt("Quality Control decides.")),
    }

    # === RUNNING BATCHES === #

    @api.model
    def _read_running(self, shared):
        """Return the running batches as ``(batch, row of the floor, stages)``; see ``mrp.bpr._prepare_floor_batches``."""
        def read():
            bprs = self._find_work('mrp.bpr', [('state', 'in', RUNNING)], order='id')
            stages = bprs._get_floor_stages()
            return [(bpr, row, stages[bpr.id]) for bpr, row in zip(bprs, bprs._prepare_floor_batches(stages), strict=True)]
        return shared.once('running', read)

    @api.model
    def _name_batch(self, bpr):
        return f"{bpr.name} · {bpr.sudo().product_id.with_context(display_default_code=False).display_name}"

    @api.model
    def _find_running_batches(self, shared):
        return [WorkLine(
            record=bpr, name=self._name_batch(bpr), since=bpr.started_at or bpr.create_date,
            what=' · '.join(filter(None, (row['state_label'], row['stage'], row['step'] and row['step']['name']))),
            why=f"{row['waits']['role_label']} {row['waits']['what']}",
            is_late=any(self._is_over(limit) for limit in row['limits']),
        ) for bpr, row, _stages in self._read_running(shared)]

    @api.model
    def _is_over(self, limit):
        """Whether a time of :meth:`mrp.bpr._get_floor_limits` ran out."""
        return self._parse_clock(limit['until']) < fields.Datetime.now()

    @api.model
    def _parse_clock(self, text):
        return datetime.strptime(text, '%Y-%m-%dT%H:%M:%SZ')

    @api.model
    def _find_late_batches(self, shared):
        lines = []
        for bpr, row, _stages in self._read_running(shared):
            over = [limit for limit in row['limits'] if self._is_over(limit)]
            if over:
                names = [self.env._("hold after %s", limit['name']) if limit['kind'] == 'hold' else limit['name']
                         for limit in over]
                lines.append(WorkLine(record=bpr, name=self._name_batch(bpr), what=', '.join(names), is_late=True,
                                      since=self._parse_clock(over[0]['since']), due=self._parse_clock(over[0]['until'])))
        return lines

    @api.model
    def _find_held_batches(self, shared):
        held = self.env['mrp.deviation'].sudo().search(
            [('bpr_id.state', 'in', RUNNING), ('state', '=', 'open'), ('is_blocking', '=', True)]).grouped('bpr_id')
        bprs = self._find_work('mrp.bpr', [('id', 'in', [bpr.id for bpr in held])], order='id')
        return [WorkLine(
            record=bpr, name=self._name_batch(bpr), is_late=True, since=min(held[bpr].mapped('reported_at')),
            what=', '.join(held[bpr].mapped('display_name'))) for bpr in bprs]

    # === STEPS === #

    @api.model
    def _prepare_step(self, step, **vals):
        return WorkLine(record=step, name=f"{step.display_name} · {step.sudo().bpr_id.name}",
                        params={'bpr_id': step.sudo().bpr_id.id, 'step_id': step.id}, **vals)

    @api.model
    def _filter_unblocked(self, steps, shared):
        """Return those of these steps of running batches that nothing keeps people from working on (IPC-020, REV-060)."""
        running = {bpr.id: (bpr.sudo(), row, stages) for bpr, row, stages in self._read_running(shared)}

        def is_free(step):
            bpr, row, stages = running.get(step.sudo().bpr_id.id, (None, None, None))
            if not bpr or bpr.state == 'issue' or row['decision'] == 'stop' or row['decision'] == 'pending' and \
                    step.state == 'open' or bpr._get_rejection():
                return False
            deviations = bpr.deviation_ids.filtered(lambda row: row.state == 'open')
            return not bpr._get_floor_blocking(step.sudo(), stages, deviations)

        return steps.filtered(is_free)

    @api.model
    def _find_open_steps(self, shared):
        """Return the steps that were begun and are not closed."""
        def find():
            steps = self._find_work('mrp.bpr.step', [
                ('state', 'in', ('started', 'checking')), ('bpr_id.state', 'in', RUNNING)], order='started_at, id')
            steps.sudo().fetch(['planned'])
            return self._filter_unblocked(steps, shared)
        return shared.once('steps', find)

    @api.model
    def _find_steps_to_sign(self, shared):
        lines = []
        for point, steps in self._find_open_steps(shared).grouped('next_point').items():
            if point not in POINTS:
                continue
            task = steps._get_point_task(point)
            # Who weighed a component may add it.
            why = self.env._("You have the role.") if point == 'added' else ''
            lines += [self._prepare_step(step, what=task, since=step.started_at, why=why)
                      for step in steps._filter_signing_person(POINTS[point])]
        return lines

    @api.model
    def _find_begun_steps(self, shared):
        own = self._find_open_steps(shared).filtered(
            lambda step: step.next_point == 'performed' and step.started_by_id.id == self.env.uid)
        return [self._prepare_step(step, what=self.env._("record and sign"), since=step.started_at)
                for step in own._filter_signing_person('performed')]

    @api.model
    def _find_steps_to_begin(self, shared):
        rows = {stage['next_id']: stage for _bpr, row, stages in self._read_running(shared) for stage in stages
                if stage['is_ready']}
        steps = self.env['mrp.bpr.step'].browse(rows).filtered(lambda step: step.state == 'open')
        steps.sudo().fetch(['planned'])
        lines = []
        # The first point of a step is its work: it is performed, or a component is added.
        for point, own in self._filter_unblocked(steps, shared).grouped('next_point').items():
            lines += [self._prepare_step(step, what=rows[step.id]['workcenter'] or '')
                      for step in own._filter_signing_person(POINTS.get(point, point))]
        return lines

    @api.model
    def _find_corrections(self, shared):
        entries = self._find_work('mrp.bpr.entry', Domain('to_sign', '=', True) & Domain(
            'bpr_id.release_state', 'not in', DECIDED) & Domain('transcription_id', '=', False), order='id')
        entries = entries.filtered('is_proposed')
        own = entries.filtered(lambda entry: not entry._get_correction_signature())
        offered = own.filtered(lambda entry: entry.user_id.id == self.env.uid)._filter_offered('corrected') \
            | (entries - own)._filter_offered('verified')
        return [self._prepare_step(step, what=', '.join(rows.mapped('summary')), since=min(rows.mapped('at')))
                for step, rows in offered.grouped('step_id').items()]

    @api.model
    def _find_transcriptions(self, shared):
        rows = self._find_work('mrp.bpr.transcription', [('state', '=', 'open')], order='id')
        first = rows.filtered(lambda row: row._waits_for_author())
        offered = first._filter_offered('transcribed') | (rows - first)._filter_offered('verified')
        return [WorkLine(record=row, since=row.at, what=row.user_name) for row in offered]

    # === RECORDS === #

    @api.model
    def _prepare_record(self, bpr, since=None, **vals):
        return WorkLine(record=bpr, name=self._name_batch(bpr), since=since or bpr.completed_at or bpr.create_date,
                        params={'bpr_id': bpr.id}, **{'what': bpr.status_text, **vals})

    @api.model
    def _find_batches_to_issue(self, shared):
        bprs = self._find_work('mrp.bpr', [('state', '=', 'issue')], order='id')._filter_offered('issue')
        return [self._prepare_record(bpr) for bpr in bprs]

    @api.model
    def _find_completed(self, shared):
        """Return the completed batches that wait for a decision on the batch or on what was packed of it."""
        return shared.once('completed', lambda: self._find_work(
            'mrp.bpr', Domain('state', '=', 'done') & (
                Domain('release_state', 'not in', DECIDED)
                | Domain('release_state', '=', 'released') & Domain('packed_state', '=', False)
                & Domain('lot_ids', 'any', [('mmr_status', '=', 'quarantine')])), order='completed_at, id'))

    @api.model
    def _find_reviewed(self, shared, *states):
        return self._find_completed(shared).filtered(lambda bpr: bpr.release_state in states)

    @api.model
    def _group_issues(self, shared, purpose):
        """Return what is open of the completed batches before a signature, by batch: as lists of dicts."""
        def read():
            bprs = self._find_completed(shared)
            issues = {bpr.id: [] for bpr in bprs}
            for bpr, issue in bprs._iterate_content_issues(purpose):
                issues[bpr.id].append(issue)
            return issues
        return shared.once(('issues', purpose), read)

    @api.model
    def _filter_settled(self, bprs, shared, purpose):
        issues = self._group_issues(shared, purpose)
        return bprs.filtered(lambda bpr: not issues[bpr.id])

    @api.model
    def _filter_unsigned_by_production(self, bprs):
        """Return those of these batches whose profile asks for a signature of production that was not given."""
        unsigned = bprs.filtered(lambda bpr: not bpr.production_signature_id)
        demanding = self.env['mrp.mmr.requirement']._filter_demanding(
            'production_signature', unsigned.mapped(lambda bpr: bpr._get_signing_profile()))
        return unsigned.filtered(lambda bpr: bpr._get_signing_profile() in demanding)

    @api.model
    def _find_results_to_approve(self, shared):
        bprs = self._find_reviewed(shared, 'review', 'approved', 'certified')
        results = bprs._group_waiting_results()
        waiting = bprs.filtered(lambda bpr: results[bpr])._filter_offered('approve_results')
        return [self._prepare_record(bpr, min(results[bpr].mapped('at')), what=', '.join(results[bpr].mapped('name')))
                for bpr in waiting]

    @api.model
    def _find_results_to_enter(self, shared):
        bprs, lines = self._find_reviewed(shared, 'review', 'approved', 'certified'), []
        for bpr, tests in bprs._filter_signing_qualification(QC)._get_tests().items():
            missing = [test['specification']['parameter'] for test in tests if test['state'] == 'missing']
            if missing:
                lines.append(self._prepare_record(bpr, what=', '.join(missing)))
        return lines

    @api.model
    def _find_batches_to_produce(self, shared):
        bprs = self._filter_unsigned_by_production(self._find_reviewed(shared, 'review', 'approved', 'certified'))
        return [self._prepare_record(bpr) for bpr in self._filter_settled(bprs, shared, 'produce')._filter_offered('produce')]

    @api.model
    def _find_batches_to_review(self, shared):
        bprs = self._find_reviewed(shared, 'review')
        bprs = self._filter_settled(bprs - self._filter_unsigned_by_production(bprs), shared, 'review')
        return [self._prepare_record(bpr) for bpr in bprs._filter_offered('review')]

    @api.model
    def _find_batches_to_certify(self, shared):
        bprs = self._find_reviewed(shared, 'approved').filtered(lambda bpr: bpr._needs_certification())
        return [self._prepare_record(bpr, bpr.sudo().review_signature_id.signed_at)
                for bpr in self._filter_settled(bprs, shared, 'certify')._filter_offered('certify')]

    @api.model
    def _find_batches_to_release(self, shared):
        bprs = self._find_reviewed(shared, 'approved', 'certified').filtered(
            lambda bpr: bpr.release_state == 'certified' or not bpr._needs_certification())
        offered = self._filter_settled(bprs, shared, 'release')._filter_offered('release')
        packed = self._find_reviewed(shared, 'released')._filter_packed()
        offered |= self._filter_settled(packed, shared, 'release_packed')._filter_offered('release_packed')
        return [self._prepare_record(bpr, bpr.released_at or bpr.sudo().review_signature_id.signed_at) for bpr in offered]

    @api.model
    def _find_undecided_batches(self, shared):
        issues, lines = self._group_issues(shared, 'release'), []
        for bpr in self._find_completed(shared):
            texts = [issue['text'] for issue in issues[bpr.id]]
            what = bpr.status_text if not texts else self.env._(
                "%(status)s; open: %(issue)s", status=bpr.status_text, issue=texts[0]) if len(texts) == 1 else self.env._(
                "%(status)s; open: %(issue)s and %(count)s more", status=bpr.status_text, issue=texts[0], count=len(texts) - 1)
            lines.append(self._prepare_record(bpr, what=what))
        return lines
