"""Review by exception: every rule of a batch evaluated with its result, exceptions first (AUD-050, PRD-100, 21 CFR 211.192)."""

from odoo import api, models
from odoo.tools import LazyTranslate

from ...domain.canonical import iso_utc
from ...domain.criterion import time_text
from ...domain.durations import elapsed_text, is_longer
from ...domain.numbers import exact
from ...domain.step_states import CLOSED, POINT_FIELDS, VERIFIES
from ..base.notation import get_plain_writer
from .content import read_batches

_lt = LazyTranslate(__name__)
#: A verification that follows the work within this many seconds is looked at: was it a look, or a click?
FAST_SECONDS = 10
#: Kinds of lines of the ledger that a reviewer wants to see one by one.
NOTABLE = ('unlink', 'setting', 'refused', 'refused_sign')


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    #: What is reviewed, in this order: code of the group, its title, and the method that yields its rules.
    _review_subjects = (
        ('steps', _lt("Steps and sequence"), '_review_steps'),
        ('persons', _lt("Second persons"), '_review_persons'),
        ('corrections', _lt("Corrected values"), '_review_corrections'),
        ('late', _lt("Late entries"), '_review_late'),
        ('results', _lt("Results against limits"), '_review_results'),
        ('yields', _lt("Yields"), '_review_yields'),
        ('packaging', _lt("Labels and packaging"), '_review_packaging'),
        ('samples', _lt("Samples"), '_review_samples'),
        ('lots', _lt("Lots and expiry"), '_review_lots'),
        ('equipment', _lt("Equipment"), '_review_equipment'),
        ('times', _lt("Hold and step times"), '_review_times'),
        ('deviations', _lt("Deviations"), '_review_deviations'),
        ('signatures', _lt("Signatures"), '_review_signatures'),
        ('training', _lt("Qualification and training"), '_review_training'),
        ('sessions', _lt("Sessions and terminals"), '_review_sessions'),
        ('trail', _lt("Audit trail"), '_review_trail'),
        ('integrity', _lt("Integrity"), '_review_integrity'),
    )

    @api.readonly
    def get_review(self):
        """Return what the screen of the review shows of this batch; queries do not grow with its steps.

        :return: dict of ``groups``; each rule has ``state`` (ok, exception or info), ``checked`` (what was looked at),
            ``facts`` and ``items``, the exceptions, each of which names its record
        """
        self.ensure_one()
        self.check_access('read')
        bpr = self.sudo()
        issues = self._get_release_issues('release')[self]
        # What the packaged lot waits for is shown with the rest: its sample is taken now, and not when it is asked for.
        shown = issues + [issue for issue in self._get_release_issues('release_packed')[self] if issue.get('action')] \
            if self.state == 'done' and self.release_state != 'rejected' and not self.packed_state else issues
        groups = self._evaluate_review()
        return {
            'id': self.id, 'name': self.name, 'product': bpr.product_id.display_name, 'order': bpr.production_id.name,
            'lots': bpr.lot_ids.mapped('name'), 'revision': bpr.mmr_revision_id.display_name, 'state': self.state,
            'release_state': self.release_state, 'status_text': bpr.status_text,
            'status_kind': bpr.status_kind,
            'packed_state': self.packed_state or False, 'completed_at': iso_utc(self.completed_at),
            'quantity': get_plain_writer(self.env)(self._get_quantity_made()) if self.state == 'done' else False,
            'unit': bpr.production_id.mmr_snapshot['document']['batch_size']['unit'],
            'exceptions': sum(
                len(rule['items']) for group in groups for rule in group['rules'] if rule['state'] == 'exception'),
            'rules': sum(len(group['rules']) for group in groups),
            'groups': groups, 'issues': shown, 'actions': self._get_review_actions(issues),
            'signatures': [{
                **signature._get_printed_vals(), 'label': signature._get_meaning_label(), 'at': signature.signed_at_text,
            } for signature in (
                *bpr._get_decision_signatures(), bpr.release_signature_id, bpr.packed_release_signature_id) if signature],
        }

    def _get_review_actions(self, issues):
        """Return what may be signed next, as pairs of action and label, in the order of the release (BPR-130)."""
        self.ensure_one()
        labels = {
            'approve_results': self.env._("Approve Results"), 'review': self.env._("Sign Review"),
            'produce': self.env._("Sign for Production"), 'certify': self.env._("Certify"),
            'release': self.env._("Release Batch"), 'reject': self.env._("Reject Batch"),
            'release_packed': self.env._("Release Packaged Lot"), 'reject_packed': self.env._("Reject Packaged Lot")}
        codes = {issue['code'] for issue in issues}
        if self.state != 'done':
            names = ['reject'] if self.release_state == 'none' and self._is_rejectable() else []
        elif self.release_state in ('released', 'rejected'):
            names = ['release_packed', 'reject_packed'] if (
                self.release_state == 'released' and not self.packed_state and self._is_packed()) else []
        else:
            names = ['approve_results'] if 'test_waiting' in codes else []
            if 'production' in codes:
                names.append('produce')
            elif codes & {'review', 'review_void'}:
                names.append('review')
            elif 'certification' in codes:
                names.append('certify')
            else:
                names.append('release')
            names.append('reject')
        return [[name, labels[name]] for name in names]

    def _get_review_digest_content(self):
        """Return what the signature of the review covers of the exceptions: which rule found which records."""
        return [
            [rule['code'], rule['state'], [[item['model'], item['id']] for item in rule['items']]]
            for group in self.sudo()._evaluate_review() for rule in group['rules'] if rule['code'] != 'trail_notable']

    # === RULES === #

    def _evaluate_review(self):
        """Return the groups of rules with what they found, by the methods of ``_review_subjects``."""
        self.ensure_one()
        batch = read_batches(self)[0]
        return [{'code': code, 'title': self.env._(title), 'rules': list(getattr(self, method)(batch))}
                for code, title, method in self._review_subjects]

    @api.model
    def _rule(self, code, title, checked, items=(), facts=(), info=False):
        """Return one evaluated rule.

        :param int checked: how many records it looked at: the proof of absence where it found nothing
        :param items: pairs of a record and what is to be said about it
        :param bool info: whether its findings are not exceptions
        """
        items = [{'model': record._name, 'id': record.id, 'text': words} for record, words in items]
        return {
            'code': code, 'title': title, 'checked': checked, 'items': items, 'facts': list(facts),
            'state': 'ok' if not items else 'info' if info else 'exception'}

    def _review_steps(self, batch):
        steps = batch.steps
        open_ones = steps.filtered(lambda step: step.state not in CLOSED)
        yield self._rule('steps_closed', self.env._("Every step is closed"), len(steps), (
            (step, step.display_name) for step in open_ones))
        yield self._rule('steps_done', self.env._("No step was left out"), len(steps), (
            (step, step.display_name) for step in steps.filtered(lambda step: step.state == 'not_done')))
        yield self._rule('steps_order', self.env._("Steps were done in the order of the MMR"), len(steps), (
            (step, self.env._("%(step)s began before %(other)s was closed", step=step.display_name, other=other.display_name))
            for step, other in self._find_disorder(batch)))

    @api.model
    def _find_disorder(self, batch):
        """Yield steps that began before one that precedes them was closed, each with that one."""
        ends = {}
        for position, step in enumerate(batch.steps):
            planned = batch.planned[step]
            before = batch.steps[position - 1:position] if position and batch.steps[position - 1].stage == step.stage \
                else batch.steps.browse()
            before |= batch.steps.browse(filter(None, (
                ends[stage].id for stage in planned['stage']['predecessors'] if stage in ends)))
            for other in before:
                if step.started_at and other.closed_at and step.started_at < other.closed_at:
                    yield step, other
            last = ends.get(step.stage)
            if not last or step.closed_at and (not last.closed_at or last.closed_at < step.closed_at):
                ends[step.stage] = step

    def _review_persons(self, batch):
        pairs, missing, fast, checked = {}, [], [], 0
        for step in batch.steps:
            for point in set(step.points or ()) & VERIFIES.keys():
                checked += 1
                done, seen = step[POINT_FIELDS[VERIFIES[point]]], step[POINT_FIELDS[point]]
                if not done or not seen or done.partner_id == seen.partner_id:
                    missing.append((step, step.display_name))
                    continue
                seconds = int((seen.signed_at - done.signed_at).total_seconds())
                pairs.setdefault((seen.signer_name, done.signer_name), []).append(seconds)
                if seconds < FAST_SECONDS:
                    fast.append((step, self.env._(
                        "%(step)s: %(verifier)s verified %(performer)s after %(seconds)s s", step=step.display_name,
                        verifier=seen.signer_name, performer=done.signer_name, seconds=seconds)))
        facts = [self.env._(
            "%(verifier)s verified %(performer)s %(count)s times, after %(shortest)s to %(longest)s s", verifier=verifier,
            performer=performer, count=len(times), shortest=min(times), longest=max(times))
            for (verifier, performer), times in sorted(pairs.items())]
        # A step that was left out has no second person either; it shows above.
        yield self._rule('persons_verified', self.env._("Another person verified where the MMR asks for it"), checked, [
            row for row in missing if row[0].state != 'not_done'], facts)
        yield self._rule(
            'persons_fast', self.env._("No verification within %s seconds of the work", FAST_SECONDS), checked, fast)

    def _review_corrections(self, batch):
        show = get_plain_writer(self.env)
        corrections = batch.entries.filtered('supersedes_id')
        yield self._rule('corrections', self.env._("No recorded value was changed"), len(batch.entries), ((
            entry, self.env._("%(step)s: %(before)s → %(after)s, %(name)s: %(reason)s", step=entry.step_id.display_name,
                              before=entry.supersedes_id._summarize(show), after=entry._summarize(show), name=entry.user_name,
                              reason=entry.reason)) for entry in corrections))
        results = self.env['mrp.bpr.result'].sudo().search([('bpr_id', '=', self.id)])
        yield self._rule('corrected_results', self.env._("No test result was changed"), len(results), ((
            row, self.env._("%(before)s → %(after)s, %(name)s: %(reason)s", before=row.supersedes_id._describe(show),
                            after=row._describe(show), name=row.user_name, reason=row.reason))
            for row in results.filtered('supersedes_id')))

    def _review_late(self, batch):
        show = get_plain_writer(self.env)
        yield self._rule('late', self.env._("No entry was made after its step was closed"), len(batch.entries), ((
            entry, self.env._("%(step)s: %(entry)s, %(name)s: %(reason)s", step=entry.step_id.display_name,
                              entry=entry._summarize(show), name=entry.user_name, reason=entry.reason))
            for entry in batch.entries.filtered('is_late')))
        yield self._rule('transcribed', self.env._("Nothing was transcribed from paper"), len(batch.steps), ((
            row, row.step_id.display_name) for row in batch.transcriptions))

    def _review_results(self, batch):
        show = get_plain_writer(self.env)
        judged = batch.entries.filtered('outcome')
        yield self._rule('results_limits', self.env._("Every result lies within its limits"), len(judged), ((
            entry, self.env._("%(step)s: %(entry)s, %(name)s", step=entry.step_id.display_name, entry=entry._summarize(show),
                              name=entry.user_name)) for entry in judged.filtered(lambda entry: entry.outcome == 'fail')))
        yield self._rule('results_retests', self.env._("Nothing was tested again"), len(batch.steps), ((
            step, self.env._("%(step)s: %(count)s authorised", step=step.display_name, count=step.retest_count))
            for step in batch.steps.filtered('retest_count')))
        tests = self.sudo()._get_tests()[self.sudo()]
        words = {'missing': self.env._("no result"), 'waiting': self.env._("not approved"),
                 'fail': self.env._("out of specification"), 'plan': self.env._("covered by a plan")}
        yield self._rule('tests', self.env._("The product was tested and meets its specifications"), len(tests), ((
            test['result'] or self, f"{test['specification']['parameter']}: {words[test['state']]}")
            for test in tests if test['state'] != 'pass'), (
                test['result']._describe(show) for test in tests if test['state'] == 'pass'))
        yield self._rule('tests_failed', self.env._("No test was out of specification"), len(tests), (
            (row, row._describe(show)) for test in tests for row in test['results'] if row.outcome == 'fail'))

    def _review_yields(self, batch):
        show = get_plain_writer(self.env)
        entries = batch.current.filtered(lambda entry: entry.kind == 'yield')
        yield self._rule('yields', self.env._("Every yield lies within its band"), len(entries), (
            (entry, f"{entry.step_id.display_name}: {entry._summarize(show)}")
            for entry in entries if entry.outcome == 'fail'), (
                f"{entry.step_id.display_name}: {entry._summarize(show)} ({show((entry.data or {}).get('percent') or '–')} %)"
                for entry in entries))

    def _review_packaging(self, batch):
        show = get_plain_writer(self.env)
        entries = batch.current.filtered(lambda entry: entry.kind in ('labels', 'material'))
        yield self._rule(
            'packaging', self.env._("Labels and packaging materials reconcile"), len(entries), (
                (entry, f"{entry.step_id.display_name}: {entry._summarize(show)}") for entry in entries
                if entry.outcome == 'fail' or exact((entry.data or {}).get('difference') or 0)))

    def _review_samples(self, batch):
        planned = batch.steps.filtered(lambda step: batch.planned[step]['sample'] or step.kind == 'sampling')
        taken = batch.current.filtered(lambda entry: entry.kind == 'sample').step_id
        yield self._rule('samples', self.env._("Every planned sample was taken"), len(planned), (
            (step, step.display_name) for step in planned - taken))

    def _review_lots(self, batch):
        entries = batch.current.filtered(lambda entry: entry.kind in ('weight', 'material') and entry.lot_id)
        yield self._rule('lots_status', self.env._("Every lot that was used is still released"), len(entries), (
            (lot, f"{lot.product_id.display_name} {lot.name}: {lot._mmr_get_status_label()}")
            for lot in entries.lot_id if lot.mmr_status in ('quarantine', 'rejected')))
        yield self._rule('lots_expiry', self.env._("No lot was used after its expiry"), len(entries), (
            (entry, f"{entry.step_id.display_name}: {entry.lot_name}") for entry in entries
            if entry.lot_id._mmr_is_expired(self.company_id, entry.at)))
        yield self._rule('lots_own', self.env._("The batch has its own lot, in quarantine"), len(self.sudo().lot_ids), (
            (lot, f"{lot.name}: {lot._mmr_get_status_label()}") for lot in self._get_own_lots()
            if lot.mmr_status != 'quarantine' and self.release_state not in ('released', 'rejected')),
            (f"{lot.name}: {lot._mmr_get_status_label()}" for lot in self.sudo().lot_ids))

    def _review_equipment(self, batch):
        entries = batch.current.filtered('equipment_id')
        problems = batch.deviations.filtered(lambda row: row.source == 'calibration')
        yield self._rule('calibration', self.env._("No calibration failed for a unit that was used"), len(entries), (
            (row, row.display_name) for row in problems))
        planned = batch.steps.filtered(lambda step: batch.planned[step]['equipment'] and step.state == 'done')

        def place(step):
            return step.stage, batch.planned[step]['equipment']

        # A unit is identified once in its stage, at the step of its own or at one that uses it (BPR-030).
        identified = {place(step) for step in entries.step_id}
        yield self._rule(
            'equipment', self.env._("Every planned unit was identified, clean and calibrated"), len(planned),
            ((step, step.display_name) for step in planned if place(step) not in identified),
            sorted(set(entries.mapped('equipment_name'))))

    def _review_times(self, batch):
        slow, limited = [], 0
        for step in batch.steps:
            limit = batch.planned[step]['time_limit']
            if limit:
                limited += 1
                taken = step.closed_at - step.started_at if step.closed_at and step.started_at else None
                if taken is not None and is_longer(taken, limit, 'min'):
                    slow.append((step, self.env._(
                        "%(step)s: %(taken)s (h:mm:ss), at most %(limit)s", step=step.display_name,
                        taken=elapsed_text(taken), limit=time_text(batch.planned[step], 'time_limit'))))
        yield self._rule('step_times', self.env._("No step took longer than it may"), limited, slow)
        held = batch.deviations.filtered(lambda row: (row.cause_key or '').startswith('hold:'))
        stages = {batch.planned[step]['stage']['position'] for step in batch.steps}
        yield self._rule('hold_times', self.env._("No stage waited longer than it may"), len(stages), (
            (row, row.display_name) for row in held))

    def _review_deviations(self, batch):
        rows = batch.deviations
        unsettled = rows.filtered(lambda row: row.state != 'closed')
        yield self._rule('deviations_open', self.env._("Every deviation is settled"), len(rows), (
            (row, row.display_name) for row in unsettled))
        severities = dict(rows._fields['severity']._description_selection(self.env))
        yield self._rule('deviations', self.env._("There was no deviation"), len(batch.steps), (
            (row, f"{row.display_name} ({severities[row.severity]})") for row in rows))

    def _review_signatures(self, batch):
        show = get_plain_writer(self.env)
        missing, points = [], 0
        for step in batch.steps.filtered(lambda step: step.state == 'done'):
            for point in step.points or ():
                points += 1
                if not step[POINT_FIELDS[point]]:
                    missing.append((step, f"{step.display_name}: {point}"))
        yield self._rule('signatures', self.env._("Every step has its signatures"), points, missing)
        waiting = batch.entries.filtered('is_proposed')
        yield self._rule('signatures_entries', self.env._("No entry waits for a signature"), len(batch.entries), (
            (entry, f"{entry.step_id.display_name}: {entry._summarize(show)}") for entry in waiting))
        void = [signature for record in batch.signed_records for signature in batch.signatures_of(record)
                if signature.is_void]
        yield self._rule('signatures_void', self.env._("No signature is void"), points, (
            (signature, signature.display_name) for signature in void))

    def _review_training(self, batch):
        """Whether each signer was qualified for the role at the time of each signature, from the register itself."""
        signatures = [row for record in batch.signed_records for row in batch.signatures_of(record)]
        qualifications = self.env['mrp.qualification'].sudo().search([
            ('user_id', 'in', [row.user_id.id for row in signatures]), ('kind', '=', 'role'),
            ('company_id', '=', batch.bpr.company_id.id)])
        roles = self._get_signing_roles(batch, signatures)
        held = qualifications.grouped(lambda row: (row.user_id.id, row.group_id.id))
        exceptions = []
        for signature in signatures:
            day = batch.bpr.company_id._get_mmr_day(signature.signed_at)
            if not any(
                    row.valid_from <= day and (not row.valid_to or row.valid_to >= day)
                    and (not row.revoked_at or row.revoked_at > signature.signed_at)
                    for role in roles[signature] for row in held.get((signature.user_id.id, role), ())):
                exceptions.append((signature, self.env._(
                    "%(name)s signed as %(role)s on %(date)s", name=signature.signer_name, role=signature.signer_role,
                    date=signature.signed_at_text)))
        yield self._rule(
            'training', self.env._("Every signer was qualified for the role at the time"), len(signatures), exceptions,
            sorted({f"{row.signer_name}: {row.signer_role}" for row in signatures}))

    @api.model
    def _get_signing_roles(self, batch, signatures):
        """Return the roles as which ``signatures`` were given, as sets of ids of groups (SEC-030).

        The ledger names the role by its identity. Of signatures before it did there is the name: it is that of every role
        that has it now, or had it when somebody was qualified for it, so that a role may be renamed.
        """
        known = {line.values['signature_id']['new']: line.values['role']['new']['id'] for line in batch.lines
                 if line.kind == 'sign' and 'role' in (line.values or {}) and 'signature_id' in line.values}
        named = {}
        for group in self.env['res.users'].sudo()._get_gmp_groups().with_context(lang='en_US'):
            named.setdefault(group.name, set()).add(group.id)
        if any(signature.id not in known for signature in signatures):
            lines = self.env['mrp.audit.entry'].sudo().search(
                [('res_model', '=', 'mrp.qualification'), ('kind', '=', 'create')])
            for line in lines:
                role = ((line.values or {}).get('group_id') or {}).get('new')
                if role:
                    named.setdefault(role['name'].rpartition(' / ')[2], set()).add(role['id'])
        return {signature: {known[signature.id]} if signature.id in known else named.get(signature.signer_role, set())
                for signature in signatures}

    def _review_sessions(self, batch):
        """Whether nobody worked in two sessions at once: went back to one after the other was used (SEC-040)."""
        # The ledger has entries and signatures in their order. Who signs at the terminal of a colleague does so in the
        # session of that colleague.
        acts = [line for line in batch.lines if 'session_sha256' in (line.values or {}) and 'terminal_of' not in line.values]
        left, last, exceptions = {}, {}, []
        for line in acts:
            user, session = line.user_id.id, line.values['session_sha256']['new']
            if session != last.get(user, session):
                left.setdefault(user, set()).add(last[user])
                if session in left[user]:
                    exceptions.append((line, self.env._(
                        "%(name)s went on in one session after working in another: %(what)s", name=line.user_name,
                        what=line.record_name)))
            last[user] = session
        yield self._rule('sessions', self.env._("Nobody worked in two sessions at once"), len(acts), exceptions)

    def _review_trail(self, batch):
        kinds = dict(self.env['mrp.audit.entry']._fields['kind']._description_selection(self.env))
        counts = {}
        for line in batch.lines:
            counts[line.kind] = counts.get(line.kind, 0) + 1
        yield self._rule('trail', self.env._("The audit trail of the batch was read"), len(batch.lines), facts=(
            f"{kinds[kind]}: {count}" for kind, count in sorted(counts.items(), key=lambda row: -row[1])))
        yield self._rule('trail_notable', self.env._("Nothing was refused, deleted or switched"), len(batch.lines), ((
            line, f"{kinds[line.kind]}: {line.record_name}, {line.user_name}") for line in batch.lines
            if line.kind in NOTABLE))

    def _review_integrity(self, batch):
        yield self._rule('integrity', self.env._("Document, snapshot and steps are what was signed"), 3,
                         () if batch.is_intact else ((batch.bpr, batch.bpr.name),))

    # === SCREEN === #

    def action_open_review(self):
        """Open the screen of the review by exception."""
        self.ensure_one()
        self.check_access('read')
        return {'type': 'ir.actions.client', 'tag': 'mrp_mmr.review', 'name': self.env._("Review of %s", self.name),
                'params': {'bpr_id': self.id}}
