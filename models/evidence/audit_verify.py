"""Verifying evidence by button and every night, in steps that can be interrupted (AUD-040, REC-060, SIG-030)."""

import hashlib
import logging
import time

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tools import format_datetime

from ...domain.arguments import takes
from ...domain.canonical import canonical_json
from ...domain.refusals import refusal
from ...verification.check_guards import GUARD
from ...verification.ledger import CHECKPOINT, FINDING
from ...verification.records import Verification

_logger = logging.getLogger(__name__)

GROUPS = ('mrp_mmr.group_mmr_qc', 'mrp_mmr.group_mmr_auditor', 'mrp_mmr.group_mmr_security')
#: Who is told at once that evidence does not verify.
ALARMED = ('mrp_mmr.group_mmr_security', 'mrp_mmr.group_mmr_qc')
#: Findings of one verification that are kept one by one; the command line shows all of them, however many.
MAX_KEPT = 1000
#: Findings that the line of the ledger names.
MAX_LOGGED = 20
#: Seconds that one request of the browser, or one step of the nightly job, works.
STEP = 3
#: Days after which what the nightly job found intact is forgotten here; its outcome stays in the ledger.
KEPT_DAYS = 90
#: What a verification counts, and the field that has it.
COUNTS = {
    'lines': 'line_count', 'signatures': 'signature_count', 'revisions': 'revision_count', 'orders': 'order_count',
    'labels': 'label_count', 'files': 'file_count', 'records': 'record_count', 'disposed': 'disposed_count',
    'without_key': 'without_key_count',
}


class MrpAuditVerify(models.Model):
    """One verification of the evidence of a company: how far it is, and what it found.

    It works in steps, each in a transaction of its own, and is taken up where it stopped. What is proved is in the
    ledger: each outcome is a line there.
    """
    _name = 'mrp.audit.verify'
    _description = "Verification of Evidence"
    _inherit = ['mail.thread', 'mail.activity.mixin']
    _order = 'id desc'

    company_id = fields.Many2one(
        'res.company', readonly=True, index=True, ondelete='restrict',
        help="The company whose evidence is verified; empty for records without a company.")
    user_id = fields.Many2one('res.users', "Started by", required=True, readonly=True, default=lambda self: self.env.user)
    is_nightly = fields.Boolean("Nightly", readonly=True)
    state = fields.Selection([
        ('running', "In progress"), ('stopped', "Stopped"), ('passed', "Intact"), ('failed', "Not intact"),
    ], "Result", default='running', required=True, readonly=True, index=True)
    started_at = fields.Datetime("Started", required=True, readonly=True, default=fields.Datetime.now)
    ended_at = fields.Datetime("Finished", readonly=True)
    seconds = fields.Float(digits=(16, 1), readonly=True, aggregator=None, help="Time that it took, without interruptions.")
    position = fields.Json(readonly=True, prefetch=False, help="Where verification continues.")
    estimate = fields.Integer(readonly=True, aggregator=None, help="Approximate number of lines and records to verify.")
    done = fields.Integer("Verified", readonly=True, aggregator=None, help="Number of lines and records verified so far.")
    progress = fields.Float("Progress (%)", compute='_compute_progress')
    finding_count = fields.Integer("Findings", readonly=True, aggregator=None)
    remark_count = fields.Integer("Remarks", readonly=True, aggregator=None)
    findings_sha256 = fields.Char("Digest of the Findings", readonly=True)
    line_count = fields.Integer("Lines of the Audit Trail", readonly=True, aggregator=None)
    signature_count = fields.Integer("Signatures", readonly=True, aggregator=None)
    revision_count = fields.Integer("Revisions", readonly=True, aggregator=None)
    order_count = fields.Integer("Released Orders", readonly=True, aggregator=None)
    label_count = fields.Integer("Labels", readonly=True, aggregator=None)
    file_count = fields.Integer("Files", readonly=True, aggregator=None)
    without_key_count = fields.Integer(
        "Signatures without Key", readonly=True, aggregator=None,
        help="Made before each signer had a key of their own (SIG-110).")
    disposed_count = fields.Integer("Records Disposed Of", readonly=True, aggregator=None)
    record_count = fields.Integer("Records Compared with the Audit Trail", readonly=True, aggregator=None)
    finding_ids = fields.One2many('mrp.audit.verify.finding', 'verify_id', "Affected Records", readonly=True)

    @api.depends('company_id', 'started_at')
    def _compute_display_name(self):
        for run in self:
            run.display_name = self.env._(
                "%(company)s, %(time)s", company=run.company_id.name or self.env._("Records without a company"),
                time=format_datetime(self.env, run.started_at))

    @api.depends('done', 'estimate', 'state')
    def _compute_progress(self):
        for run in self:
            ratio = min(run.done / run.estimate, 0.99) if run.estimate else 0
            run.progress = 100 if run.state in ('passed', 'failed') else 100 * ratio

    # === BY BUTTON === #

    @api.model
    def _check_verifier(self):
        if not self.env.su and not any(map(self.env.user.has_group, GROUPS)):
            raise refusal(
                self.env, self.env._("Only Quality Control, auditors and security administrators can verify evidence."),
                "AUD-040, SEC-010, 21 CFR 11.10(d)", self.env._("ask a person with one of these roles."), exception=AccessError)

    @api.model
    def _get_scopes(self, companies):
        """Return the companies to verify one by one; an empty one is what belongs to none, part of the whole only."""
        others = self.env['res.company'].sudo().with_context(active_test=False).search_count(
            [('id', 'not in', companies.ids)], limit=1)
        return list(companies) if others else [*companies, companies.browse()]

    @api.model
    def _start(self, scopes, **vals):
        """Return new verifications, one for each of ``scopes``."""
        # Nobody has a right to write them: only these methods do.
        return self.sudo().with_context(mail_create_nolog=True, mail_create_nosubscribe=True).create([{
            'company_id': company.id, 'user_id': self.env.uid, **vals,
            'estimate': Verification(self.env.cr, company.id or 0).estimate(),
        } for company in scopes]).with_env(self.env)

    def action_start(self):
        """Start the verification of each active company and show its progress."""
        self._check_verifier()
        self.env.flush_all()
        return self._start(self._get_scopes(self.env.companies.sorted('id')))._show_progress()

    def action_continue(self):
        """Take up a verification that was stopped, or whose window was closed."""
        self._check_verifier()
        self.check_access('read')
        self.sudo().filtered(lambda run: run.state == 'stopped').state = 'running'
        return self._show_progress()

    def action_stop(self):
        """Stop verifications that are in progress; they can be taken up again."""
        self._check_verifier()
        self.check_access('read')
        self.sudo().filtered(lambda run: run.state == 'running' and not run.is_nightly).state = 'stopped'
        return self._get_progress()

    def work(self):
        """Work a few seconds on the first of these verifications that is in progress, and return how far each is.

        The browser calls it again and again; a request is short, whatever there is to verify.
        """
        self._check_verifier()
        self.check_access('read')
        # Who holds one is just working on it.
        run = self.sudo().filtered(lambda run: run.state == 'running').sorted('id')[:1].try_lock_for_update()
        if run and run.state == 'running':
            run._work(STEP)
        return self._get_progress()

    def _show_progress(self):
        return {'type': 'ir.actions.client', 'tag': 'mrp_mmr.verify', 'params': {'ids': self.ids}}

    def _get_progress(self):
        return [{
            'id': run.id, 'company_id': run.company_id.id,
            'company': run.company_id.name or self.env._("Records without a company"), 'state': run.state,
            'progress': run.progress, 'done': run.done, 'finding_count': run.finding_count,
        } for run in self.sorted('id')]

    @takes(limit='count')
    @api.model
    @api.readonly
    def verify(self, limit=MAX_KEPT):
        """Verify the active companies in one call and return the findings; it writes nothing, so a read replica can run it.

        :param int limit: findings that are returned one by one; all of them are counted
        :return: dict of ``counts``, ``findings`` (dicts), ``finding_count`` and ``remark_count``
        :raise AccessError: for users who are neither Quality Control nor auditor nor security administrator
        """
        self._check_verifier()
        self.env.flush_all()
        result = {'counts': dict.fromkeys(COUNTS, 0), 'findings': [], 'finding_count': 0, 'remark_count': 0}
        for company in self._get_scopes(self.env.companies.sorted('id')):
            verification = Verification(self.env.cr, company.id or 0)
            for finding in verification:
                result['finding_count' if finding.severity == FINDING else 'remark_count'] += 1
                if len(result['findings']) < limit:
                    result['findings'].append(finding._asdict())
            for name, count in verification.counts.items():
                result['counts'][name] += count
        return result

    # === WORKING === #

    def _work(self, seconds):
        """Verify for about so many seconds, from where it stopped; at the end, keep the outcome in the ledger."""
        self.ensure_one()
        self.env.flush_all()
        began = time.monotonic()
        # Evidence of a company is verified as a whole: no record rule hides a part of it.
        verification = Verification(self.env.cr, self.company_id.id or 0, self.position or None)
        findings = []
        for step in verification.steps():
            if step is not CHECKPOINT:
                findings.append(step)
            elif time.monotonic() - began >= seconds:
                break
        self._add_findings(findings)
        self.write({
            'position': verification.position,
            'done': self.done + sum(verification.counts.values()),
            'seconds': self.seconds + time.monotonic() - began,
            **{field: self[field] + verification.counts[name] for name, field in COUNTS.items()},
        })
        if not verification.position:
            self._finish()

    def _add_findings(self, findings):
        digest = self.findings_sha256 or hashlib.sha256().hexdigest()
        for finding in findings:
            digest = hashlib.sha256(digest.encode() + canonical_json(list(finding))).hexdigest()
        kept = len(self.finding_ids)
        proofs = sum(finding.severity == FINDING for finding in findings)
        self.write({
            'findings_sha256': digest,
            'finding_count': self.finding_count + proofs,
            'remark_count': self.remark_count + len(findings) - proofs,
            'finding_ids': [Command.create(finding._asdict()) for finding in findings[:max(MAX_KEPT - kept, 0)]],
        })

    def _finish(self):
        self.write({'state': 'failed' if self.finding_count else 'passed', 'ended_at': fields.Datetime.now()})
        self._log_outcome()
        name = self.company_id.name or 'what belongs to no company'
        if not self.finding_count:
            _logger.info("The evidence of %s verifies: %s lines of the ledger", name, self.line_count)
            return
        for finding in self.finding_ids:
            _logger.error("Evidence does not verify: %s,%s (%s): expected %s; found %s", finding.model, finding.res_id,
                          finding.name, finding.expected, finding.found)
        _logger.error("%s findings in the evidence of %s", self.finding_count, name)
        self._alarm()

    def _log_outcome(self):
        """Append the outcome to the ledger; in the log of the server it stands even if the ledger is damaged."""
        company = self.company_id or self.env.company
        values = {
            'result': {'new': self.state}, 'findings': {'new': self.finding_count}, 'remarks': {'new': self.remark_count},
            'findings_sha256': {'new': self.findings_sha256},
            **{name: {'new': self[field]} for name, field in COUNTS.items()},
        }
        named = self.finding_ids.filtered(lambda finding: finding.severity == FINDING)[:MAX_LOGGED]
        self.env['mrp.audit.entry']._append([{
            'chain': company, 'kind': 'verify', 'model': 'res.company', 'res_id': company.id,
            'record_name': self.display_name, 'values': values, 'reason': '\n'.join(named.mapped('display_name')) or None}])

    def _alarm(self):
        """Create an activity for the people responsible for the evidence, unless there is one already."""
        users = self.env['res.users'].union(*(self.env.ref(name).all_user_ids for name in ALARMED)).filtered(
            lambda user: user.active and not user.share and (not self.company_id or self.company_id in user.company_ids))
        kind = self.env.ref('mrp_mmr.mail_activity_type_verify')
        told = self.env['mail.activity'].search([('user_id', 'in', users.ids), ('activity_type_id', '=', kind.id)]).user_id
        for user in users - told:
            self.activity_schedule(
                activity_type_id=kind.id, user_id=user.id,
                summary=self.env._("%s records of evidence failed verification", self.finding_count))

    # === EVERY NIGHT === #

    @api.model
    def _cron_verify(self):
        """Verify every company, in steps; what one run of the job does not finish, the next one takes up."""
        runs = self.sudo()
        pending = runs.search([('is_nightly', '=', True), ('state', '=', 'running')], order='id')
        if not pending:
            companies = self.env['res.company'].sudo().with_context(active_test=False)
            pending = runs._start(runs._get_scopes(companies.search_fetch([], ['name'], order='id')), is_nightly=True)
        for run in pending:
            while run.state == 'running':
                before = run.done
                run._work(STEP)
                remaining = sum(max(row.estimate - row.done, 1) for row in pending if row.state == 'running')
                if not self.env['ir.cron']._commit_progress(max(run.done - before, 1), remaining=remaining) and remaining:
                    return

    @api.autovacuum
    def _gc_passed(self):
        """Forget what was intact long ago."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=KEPT_DAYS)
        self.search([('is_nightly', '=', True), ('state', '=', 'passed'), ('ended_at', '<', limit)], limit=1000).unlink()


class MrpAuditVerifyFinding(models.Model):
    """One bad record that a verification found."""
    _name = 'mrp.audit.verify.finding'
    _description = "Finding of a Verification"
    _order = 'severity, id'

    verify_id = fields.Many2one('mrp.audit.verify', required=True, readonly=True, ondelete='cascade', index=True)
    company_id = fields.Many2one(related='verify_id.company_id')
    severity = fields.Selection([('finding', "Finding"), ('remark', "Remark")], required=True, readonly=True)
    model = fields.Char(required=True, readonly=True)
    model_name = fields.Char("Kind of Record", compute='_compute_model_name')
    res_id = fields.Many2oneReference("Record ID", model_field='model', readonly=True)
    name = fields.Text("Record", readonly=True)
    expected = fields.Text(readonly=True)
    found = fields.Text(readonly=True)

    @api.depends('model')
    def _compute_model_name(self):
        models_by_name = self.env['ir.model'].sudo()
        for finding in self:
            finding.model_name = models_by_name._get(finding.model).name or finding.model

    @api.depends('model', 'res_id', 'name')
    def _compute_display_name(self):
        for finding in self:
            finding.display_name = f"{finding.model},{finding.res_id} ({finding.name})"

    def action_open(self):
        """Open the bad record, where it still exists and the user may read it."""
        self.ensure_one()
        if self.model == GUARD:
            raise refusal(
                self.env, self.env._("%s is a guard of PostgreSQL, not a record.", self.name), "AUD-080, 21 CFR 11.10(a), (c)",
                self.env._("find out who changed it and what was written in the meantime; an update of the addon restores it."))
        model = self.env.get(self.model)
        record = model is not None and model.browse(self.res_id).exists()
        if not record:
            raise refusal(
                self.env, self.env._("%s no longer exists.", self.name), "AUD-040, 21 CFR 11.10(a)",
                self.env._("restore a backup next to this database and compare them."))
        return {'type': 'ir.actions.act_window', 'res_model': self.model, 'res_id': self.res_id, 'views': [(False, 'form')]}
