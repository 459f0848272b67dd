"""Results of the tests of the finished product, judged against the frozen specifications (BPR-090, BPR-100)."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import LazyTranslate

from ...domain.arguments import takes
from ...domain.canonical import iso_utc
from ...domain.criterion import limits_text
from ...domain.files import DOCUMENTS, IMAGES
from ...domain.numbers import NumberError
from ...domain.refusals import refusal
from ...domain.results import Result, compared_text, get_limits, judge_result
from ...domain.signing import SigningRule
from ...domain.transitions import transition
from ..base.notation import refuse_number

_lt = LazyTranslate(__name__)
#: Whose specifications are tested on each batch; those of components and materials are tested by lot.
SCOPES = ('product', 'label')
KINDS = [
    ('value', "Reading"),
    ('outcome', "Pass / fail"),
    ('reference', "In a report"),
    ('plan', "Covered by a plan"),
]
RETEST_RULE = "IPC-030, BPR-090, 21 CFR 211.192"
RULE = "BPR-090, BPR-100, 21 CFR 111.260(h)-(i), 211.165(a), EU GMP 4.26"
BOUND_RULE = "NUM-040, 21 CFR 111.75, 211.194(a)"


class MrpBprResult(models.Model):
    """One result of one test of a batch: entered by Quality Control, judged by the system, approved by signature.

    It is append-only but for the signatures that approve it, or authorise its retest. A correction is another result with
    a reason; what is out of specification is never corrected. It is tested again where Quality Control authorises that
    with a reason, and the first result stays (IPC-030, 21 CFR 211.192).

    Also held in guards/mrp_bpr_result.sql.
    """
    _name = 'mrp.bpr.result'
    _description = "Test Result of a Batch"
    _inherit = ['mrp.evidence.mixin', 'mrp.esignature.mixin']
    _order = 'bpr_id, position, id'
    _is_append_only = False

    bpr_id = fields.Many2one(
        'mrp.bpr', "Batch Production Record", required=True, readonly=True, index=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='restrict')
    position = fields.Integer("No.", required=True, readonly=True, aggregator=None, help="Of the specification in the MMR.")
    name = fields.Char("Test or Property", required=True, readonly=True)
    criterion_label = fields.Char("Acceptance Criterion", readonly=True)
    kind = fields.Selection(KINDS, required=True, readonly=True)
    value = fields.Char("Result", readonly=True, help="A number, or a bound, as it was entered with all its digits.")
    compared = fields.Char(
        "Compared As", readonly=True,
        help="The result rounded to the digits of the limit, if the specification compares it rounded.")
    unit = fields.Char(readonly=True)
    outcome = fields.Selection([('pass', "Meets the specification"), ('fail', "Out of specification")], readonly=True)
    text = fields.Text("Remark", readonly=True)
    reference = fields.Char(readonly=True, help="Number and location of the report, certificate or plan.")
    file_id = fields.Many2one('mrp.mmr.file', readonly=True, index='btree_not_null', ondelete='restrict')
    user_id = fields.Many2one('res.users', "Entered By", required=True, readonly=True, ondelete='restrict')
    user_name = fields.Char("Person", required=True, readonly=True)
    at = fields.Datetime("When", required=True, readonly=True, help="Server time, in UTC.")
    supersedes_id = fields.Many2one('mrp.bpr.result', "Corrects", readonly=True, index='btree_not_null', ondelete='restrict')
    superseded_by_ids = fields.One2many('mrp.bpr.result', 'supersedes_id', "Corrected By", readonly=True)
    reason = fields.Text(readonly=True)
    signature_id = fields.Many2one('mrp.esignature', "Approved", readonly=True, ondelete='restrict')
    retest_signature_id = fields.Many2one('mrp.esignature', "Retest Authorised", readonly=True, ondelete='restrict')
    retest_reason = fields.Text("Reason for the Retest", related='retest_signature_id.comment')
    retest_of_id = fields.Many2one(
        'mrp.bpr.result', readonly=True, index='btree_not_null', ondelete='restrict',
        help="The out-of-specification result, which remains on record.")
    retest_ids = fields.One2many('mrp.bpr.result', 'retest_of_id', "Retests", readonly=True)

    _reason_given = models.Constraint(
        "CHECK (supersedes_id IS NULL OR COALESCE(trim(reason), '') <> '')",
        "A correction needs a reason (AUD-020, 21 CFR 11.10(e)).")
    _result_given = models.Constraint(
        """CHECK (CASE kind
                  WHEN 'plan' THEN outcome IS NULL AND COALESCE(trim(reference), '') <> '' AND COALESCE(trim(text), '') <> ''
                  WHEN 'reference' THEN outcome IS NOT NULL AND (COALESCE(trim(reference), '') <> '' OR file_id IS NOT NULL)
                  WHEN 'value' THEN outcome IS NOT NULL AND value IS NOT NULL
                  ELSE outcome IS NOT NULL END)""",
        "A result needs a finding, or a reference to where it is written (BPR-090, 21 CFR 111.260(h)).")
    _retest_uniq = models.UniqueIndex(
        '(retest_of_id) WHERE retest_of_id IS NOT NULL AND supersedes_id IS NULL',
        "Each retest needs an authorisation of its own (IPC-030, 21 CFR 211.192).")

    @api.depends('name', 'value', 'compared', 'unit', 'outcome')
    def _compute_display_name(self):
        for result in self:
            result.display_name = result._describe()

    def _describe(self, show=str):
        """Return the test and what was found; ``show`` writes numbers: canonical by default, or as a person reads them."""
        return f"{self.name}: {self._get_found(show) or self.reference or self.outcome or ''}"

    def _get_found(self, show=str):
        """Return the value found with its unit, and the compared value if it was rounded; empty if it is not a reading."""
        self.ensure_one()
        found = ' '.join(filter(None, (self.value and show(self.value), self.unit)))
        if not self.compared:
            return found
        return self.env._("%(found)s, compared as %(compared)s", found=found, compared=show(self.compared))

    # === GUARDS === #

    def _refuse_write(self):
        return refusal(
            self.env, self.env._("Results are entered on the batch record and cannot be changed."), f"AUD-030, {RULE}",
            self.env._("enter another result with a reason."), record=self[:1])

    def _audit_chain(self):
        return self.bpr_id.production_id

    def _audit_value(self, name):
        return self.file_id._get_document() if name == 'file_id' else super()._audit_value(name)

    # === RETEST === #

    _signing_citation = RETEST_RULE
    _signing_actions = {
        'authorise_retest': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_qc', once='retest_signature_id', comment_required=True,
            next_step=_lt("enter the result of the retest, or continue with the release."),
            statement=_lt("I authorise one more test; the first result stays."),
            prepare='_prepare_retest', check_signer='_check_retest_signer', filter_signer='_filter_retest_signer',
            apply='_apply_retest'),
    }

    def action_authorise_retest(self):
        """Open the signature by which Quality Control authorises one more test (IPC-030, 21 CFR 211.192)."""
        return self.action_open_signature('authorise_retest')

    def _get_signing_profile(self):
        return self.sudo().bpr_id._get_signing_profile()

    def _get_signing_thread(self):
        return self.bpr_id.production_id

    def _prepare_retest(self, action):
        bpr = self.sudo().bpr_id
        bpr._check_not_decided()
        bpr._check_not_rejected()
        if self.outcome != 'fail':
            raise refusal(
                self.env, self.env._("%s has no retest waiting for authorisation.", self.display_name), RETEST_RULE,
                self.env._("enter the result of the retest, or continue with the release."), record=self)
        return self._make_signing_action(
            action, {'schema': 'mrp_mmr/retest/1', 'bpr': bpr.name, 'result': self.sudo()._get_document()})

    def _filter_retest_signer(self, action, user):
        persons = user._get_gmp_persons()
        return self.filtered(lambda result: not result.sudo().user_id._get_gmp_persons() & persons)

    def _check_retest_signer(self, action, user):
        """Refuse the authorisation of a retest of one's own result."""
        if not self._filter_retest_signer(action, user):
            raise refusal(
                self.env, self.env._("%(user)s entered %(result)s and cannot authorise its retest.", user=user.name,
                                     result=self.display_name),
                f"{RETEST_RULE}, 211.22(a)", self.env._("ask another member of Quality Control."), record=self)

    def _apply_retest(self, action, signature):
        self.write({'retest_signature_id': signature.id})
        self._get_deviations().filtered(lambda row: row.state == 'open')._note_retest(signature.comment)

    def _get_retests(self):
        """Return the retests of this result, corrected ones included, and theirs."""
        retests = found = self.retest_ids
        while found:
            found = found.retest_ids
            retests |= found
        return retests.sorted('id')

    def _get_deviations(self):
        """Return the deviations that these results opened."""
        return self.env['mrp.deviation'].search([('result_id', 'in', self.ids)])

    def _get_document(self):
        """Return the result as signatures and prints hold it."""
        self.ensure_one()
        return {
            'id': self.id, 'position': self.position, 'parameter': self.name, 'criterion': self.criterion_label or None,
            'kind': self.kind, 'value': self.value or None, **({'compared': self.compared} if self.compared else {}),
            'unit': self.unit or None, 'outcome': self.outcome or None,
            'text': self.text or None, 'reference': self.reference or None, 'file': self.file_id._get_document(),
            'user': self.user_id.id, 'user_name': self.user_name, 'at': iso_utc(self.at),
            'supersedes': self.supersedes_id.id or None, 'reason': self.reason or None,
            'retest_of': self.retest_of_id.id or None,
            'retest': {'authorised_by': self.retest_signature_id.signer_name, 'reason': self.retest_reason,
                       'signature_sha256': self.retest_signature_id.signature_sha256} if self.retest_signature_id else None}


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    result_ids = fields.One2many('mrp.bpr.result', 'bpr_id', "Test Results", readonly=True)

    # === WHAT IS TESTED === #

    def _get_specifications(self):
        """Return the specifications of the snapshot that this batch is tested against, as rows of the document."""
        self.ensure_one()
        document = self.sudo().production_id.mmr_snapshot['document']
        return [row for row in document.get('specifications') or () if row['scope'] in SCOPES]

    def _get_tests(self):
        """Return for each batch what became of its tests, in the order of the MMR; queries do not grow with them.

        :return: dict of lists of dicts: ``specification``, ``results`` (all of them), ``result`` (the one that counts) and
            ``state``: missing, waiting (for approval), fail, pass or plan; ``waiting``: the results to be approved
        """
        bprs = self.sudo()
        # One query for all masters, which are not read with the other columns.
        bprs.production_id.fetch(['mmr_snapshot'])
        results = self.env['mrp.bpr.result'].sudo().search([('bpr_id', 'in', bprs.ids)], order='id')
        replaced = results.supersedes_id
        by_test = results.grouped(lambda result: (result.bpr_id.id, result.position))
        tests = {}
        for bpr in bprs:
            rows = tests[self.browse(bpr.id)] = []
            for specification in bpr._get_specifications():
                found = by_test.get((bpr.id, specification['position']), results.browse())
                current = found - replaced
                last = current[-1:]
                # What was tested again is approved as well: it stays a result of this batch.
                waiting = current.filtered(lambda result: not result.signature_id)
                state = 'missing' if not last else 'waiting' if waiting else last.outcome or 'plan'
                rows.append({'specification': specification, 'results': found, 'result': last, 'waiting': waiting,
                             'state': state})
        return tests

    @api.model
    def _get_criterion_label(self, criterion):
        """Return a frozen criterion in words."""
        return ', '.join(filter(None, (limits_text(criterion), (criterion or {}).get('text')))) or False

    # === ENTERING === #

    @takes(position='count', vals='values', corrects='id', reason='text')
    def action_record_result(self, position, vals, corrects=None, reason=None):
        """Record the result of a test of this batch (BPR-090).

        :param int position: of the specification in the snapshot
        :param dict vals: ``kind`` and, as it asks, ``value`` (canonical text of a number, bound or finding), ``pass``,
            ``text``, ``reference``, ``file`` (a dict of ``name`` and ``data``)
        :param int corrects: the result that is corrected, with ``reason``
        :return: dict of ``result_id``, ``outcome`` and the names of the ``deviations`` that it opened
        :raise UserError: if there is no such result, or it cannot be corrected now
        :raise AccessError: for those who are not of Quality Control
        """
        self.ensure_one()
        self.check_access('read')
        self._check_result_role()
        self._lock_for_signing()
        self._check_not_decided()
        if self.state not in ('progress', 'done'):
            raise refusal(
                self.env, self.env._("%s has not begun, or was cancelled.", self.name), RULE,
                self.env._("enter results for batches that are in progress or completed."), record=self)
        test = next((row for row in self._get_tests()[self] if row['specification']['position'] == position), None)
        if not test or not isinstance(vals, dict):
            raise UserError(self.env._("%s has no such test.", self.name))
        reason = (reason or '').strip() or False
        corrected = self._get_corrected_result(test, corrects, reason)
        specification = test['specification']
        result = self.env['mrp.bpr.result']._store([{
            **self._prepare_result(specification, vals), 'bpr_id': self.id, 'company_id': self.sudo().company_id.id,
            'position': position, 'name': specification['parameter'], 'user_id': self.env.uid,
            'user_name': self.env.user.name, 'at': fields.Datetime.now(), 'supersedes_id': corrected.id,
            # The retest of a result out of specification, or the correction of one.
            'retest_of_id': (corrected.retest_of_id if corrected else test['result']).id,
            'criterion_label': self._get_criterion_label(specification['criterion']), 'reason': reason}])
        self.invalidate_recordset(['result_ids'])
        deviations = self.env['mrp.deviation']
        if result.outcome == 'fail':
            deviations = deviations._open_all(
                self.sudo(), 'specification', self.env._("%s out of specification", result.name),
                self.env._("%(test)s: found %(found)s, specified %(criterion)s. %(text)s", test=result.name,
                           found=result._get_found() or self.env._("does not conform"),
                           criterion=result.criterion_label or '', text=result.text or ''),
                severity='critical' if specification['is_identity'] else 'major', cause_key=f'result:{position}:{result.id}',
                result_id=result.id, corrective_action=specification['corrective_action'])
        return {'result_id': result.id, 'outcome': result.outcome or False, 'deviations': deviations.mapped('display_name')}

    def _check_result_role(self):
        """Results of the laboratory are Quality Control's (SEC-010, 21 CFR 111.12(b))."""
        group = self.env.ref('mrp_mmr.group_mmr_qc')
        if group not in self.env.user.sudo().all_group_ids:
            raise refusal(
                self.env, self.env._("Only Quality Control can enter test results."), "SEC-010, 21 CFR 111.12(b), 211.22(a)",
                self.env._("ask a member of Quality Control."), record=self, exception=AccessError)
        self._check_signing_qualification(group)

    def _get_corrected_result(self, test, result_id, reason):
        """Return the result that is corrected, or an empty one if the test is repeated.

        :raise UserError: where a result is there already, no retest of it was authorised, or a reason is missing
        """
        corrected = test['results'].filtered(lambda result: result.id == result_id)
        if result_id and (corrected != test['result'] or corrected.outcome == 'fail'):
            raise refusal(
                self.env, self.env._("That result of %s cannot be corrected.", test['specification']['parameter']),
                "IPC-030, AUD-020, 21 CFR 211.192",
                self.env._("a result out of specification can only be tested again once a retest of it is authorised."),
                record=self)
        if corrected and not reason:
            raise refusal(
                self.env, self.env._("A correction needs a reason."), "AUD-020, 21 CFR 11.10(e)",
                self.env._("enter the reason; the first result remains readable."), record=self)
        last = test['result']
        if last and not corrected:
            if last.outcome != 'fail':
                raise refusal(
                    self.env, self.env._("%s already has a result.", last.name), RULE,
                    self.env._("correct it, with a reason."), record=self)
            if not last.retest_signature_id:
                raise refusal(
                    self.env, self.env._("%s is out of specification.", last.name), RETEST_RULE,
                    self.env._("have another member of Quality Control authorise a retest."), record=self)
            self._check_not_rejected()
        return corrected

    def _prepare_result(self, specification, vals):
        """Return the values of a result, judged against its frozen specification.

        :raise UserError: naming what is missing, or why no plan can replace this test
        """
        kind, criterion = vals.get('kind'), specification['criterion'] or {}
        is_measured = get_limits(criterion) is not None

        def text(name):
            return vals[name].strip() or False if isinstance(vals.get(name), str) else False

        file = vals.get('file') or {}
        file = self.env['mrp.mmr.file']._store(file['name'], file['data'], {**DOCUMENTS, **IMAGES}) if file.get('data') \
            else self.env['mrp.mmr.file']
        common = {'kind': kind, 'text': text('text'), 'reference': text('reference'), 'file_id': file.id}
        if kind == 'plan':
            self._check_plan_allowed(specification)
            if not (common['reference'] and common['text']):
                raise self._refuse_result(specification, self.env._("enter the plan and the reason why it covers this batch."))
            return common
        if kind == 'value' and is_measured:
            return {**common, **self._judge_result(specification, vals.get('value'))}
        if kind == 'reference' or kind == 'outcome' and not is_measured:
            if not isinstance(vals.get('pass'), bool):
                raise self._refuse_result(specification, self.env._("enter whether it meets its specification."))
            if kind == 'reference' and not (common['reference'] or file):
                raise self._refuse_result(specification, self.env._("enter the reference of the report, or attach the report."))
            if not vals['pass'] and not common['text']:
                raise self._refuse_result(specification, self.env._("describe what was found."))
            return {**common, 'outcome': 'pass' if vals['pass'] else 'fail'}
        raise self._refuse_result(
            specification,
            self.env._("enter the number that was found, or the reference of the report that contains it.") if is_measured
            else self.env._("choose whether it conforms, or enter the reference of the report."))

    def _judge_result(self, specification, value):
        """Return value, unit, outcome and what was compared of a reading, judged against its frozen criterion (NUM-040).

        :raise UserError: if the result is not in its canonical form, or does not decide the criterion
        """
        criterion = specification['criterion']
        try:
            result = Result.parse(value)
        except (NumberError, TypeError) as error:
            raise refuse_number(self.env, value, self, RULE) from error
        judgement = judge_result(result, get_limits(criterion))
        if judgement.outcome == 'undecidable':
            raise self._refuse_undecidable(specification, result, judgement.reason)
        return {
            'value': result.text, 'compared': compared_text(result, judgement), 'outcome': judgement.outcome,
            'unit': None if result.finding else criterion.get('unit')}

    def _refuse_undecidable(self, specification, result, reason):
        """Return the refusal of a result of which the criterion cannot say whether it passes."""
        criterion = specification['criterion']
        names = {'bpr': self.name, 'test': specification['parameter'], 'result': result.text,
                 'criterion': criterion.get('finding') or self._get_criterion_label(criterion)}
        messages = {
            'bound': self.env._("%(bpr)s, %(test)s: with the result %(result)s it cannot be decided whether %(criterion)s is "
                                "met.", **names),
            'finding': self.env._("%(bpr)s, %(test)s: %(criterion)s requires another kind of result than “%(result)s”.",
                                  **names),
            'number': self.env._("%(bpr)s, %(test)s: “%(criterion)s” requires a finding in words, not %(result)s.", **names),
            'amount': self.env._("%(bpr)s, %(test)s: %(result)s cannot be judged against “%(criterion)s”.", **names),
        }
        return refusal(
            self.env, messages[reason], f"{BOUND_RULE}, {RULE}",
            self.env._("enter a result that decides the criterion, or the reference of the report that does."), record=self)

    def _refuse_result(self, specification, next_action):
        return refusal(
            self.env, self.env._("%(bpr)s: this is not a result of %(test)s.", bpr=self.name, test=specification['parameter']),
            RULE, next_action, record=self)

    def _check_plan_allowed(self, specification):
        """Refuse a plan or exemption in place of a test that the rules demand of each batch (BPR-100).

        A master record does not say which measured limit is a strength, so that under Part 211 none is left out.
        """
        is_numeric = (specification['criterion'] or {}).get('kind') in ('range', 'nlt', 'nmt')
        if self._get_signing_profile().code == 'P211' and (specification['is_identity'] or is_numeric):
            raise refusal(
                self.env, self.env._("%s: identity and strength must be tested on each batch.", specification['parameter']),
                "BPR-100, 21 CFR 211.165(a)", self.env._("enter the result."), record=self)

    # === APPROVAL === #

    _signing_actions = {
        'approve_results': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_qc',
            statement=_lt("I compared these results with their records and approve them as they are."),
            prepare='_prepare_approval_of_results', check_signer='_check_second_of_results',
            filter_signer='_filter_second_of_results', apply='_apply_approval_of_results'),
    }

    def action_approve_results(self):
        """Open the signature by which Quality Control approves the results that wait for it."""
        return self.action_open_signature('approve_results')

    def _get_waiting_results(self):
        self.ensure_one()
        return self._group_waiting_results()[self]

    def _group_waiting_results(self):
        """Return the results that wait for approval, by batch."""
        results = self.env['mrp.bpr.result'].sudo()
        return {bpr: results.browse(result.id for row in rows for result in row['waiting'])
                for bpr, rows in self._get_tests().items()}

    def _prepare_approval_of_results(self, action):
        self._check_not_decided()
        results = self._get_waiting_results()
        if not results:
            raise refusal(
                self.env, self.env._("No result of %s is waiting for approval.", self.name), RULE,
                self.env._("enter the results first."), record=self)
        return self._make_signing_action(action, {
            'schema': 'mrp_mmr/results/2', 'bpr': self.name, 'results': [result._get_document() for result in results]})

    def _apply_approval_of_results(self, action, signature):
        results = self.env['mrp.bpr.result'].browse(row['id'] for row in signature.content['results'])
        with transition(results):
            results.write({'signature_id': signature.id})
