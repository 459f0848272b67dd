"""Verifying all evidence: by button, every night, and from the command line (AUD-040, REC-060, SIG-030)."""

import hashlib
import logging
import time
from itertools import islice

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..evidence.ledger import FINDING
from ..evidence.records import Verification
from ..tools import canonical_json, refusal

_logger = logging.getLogger(__name__)

GROUPS = ('mrp_mmr.group_mmr_qc', 'mrp_mmr.group_mmr_auditor', 'mrp_mmr.group_mmr_security')
#: Who is told at once that evidence does not verify.
ALARMED = ('mrp_mmr.group_mmr_security', 'mrp_mmr.group_mmr_qc')
#: Findings that the dialog keeps; the command line shows all of them, however many.
MAX_SHOWN = 1000
#: Findings that the line of the ledger names.
MAX_LOGGED = 20


class MrpAuditVerify(models.TransientModel):
    """One verification of all evidence of the database, and its result."""
    _name = 'mrp.audit.verify'
    _description = "Verification of Evidence"

    state = fields.Selection(
        [('new', "Not verified yet"), ('passed', "Intact"), ('failed', "Not intact")], "Result", default='new', readonly=True)
    verified_at = fields.Datetime(readonly=True)
    duration = fields.Float("Seconds", digits=(16, 2), readonly=True)
    finding_count = fields.Integer("Findings", readonly=True)
    remark_count = fields.Integer("Remarks", readonly=True)
    line_count = fields.Integer("Lines of the Ledger", readonly=True)
    signature_count = fields.Integer("Signatures", readonly=True)
    revision_count = fields.Integer("Revisions", readonly=True)
    order_count = fields.Integer("Released Orders", readonly=True)
    label_count = fields.Integer("Labels", readonly=True)
    file_count = fields.Integer("Files", readonly=True)
    finding_ids = fields.One2many('mrp.audit.verify.finding', 'verify_id', "Bad Records", readonly=True)

    @api.model
    @api.readonly
    def verify(self, limit=MAX_SHOWN):
        """Verify all evidence and return what was found; it writes nothing, so a read replica can do it.

        :param int limit: findings that are returned one by one; all of them are counted
        :return: dict of ``counts``, ``findings`` (dicts), ``finding_count``, ``remark_count``, ``seconds`` and
            ``findings_sha256``, the digest of all findings
        :raise AccessError: for users who are neither Quality Control nor auditor nor security administrator
        """
        self._check_verifier()
        return self._verify(limit)

    @api.model
    def _verify(self, limit=MAX_SHOWN):
        self.env.flush_all()
        began = time.monotonic()
        # Evidence is verified as a whole: no record rule hides a part of it.
        verification = Verification(self.env.cr)
        counts = {FINDING: 0}
        shown, digest = [], hashlib.sha256()
        for finding in verification:
            counts[finding.severity] = counts.get(finding.severity, 0) + 1
            digest.update(canonical_json(list(finding)))
            if len(shown) < limit:
                shown.append(finding._asdict())
        return {
            'counts': verification.counts, 'findings': shown, 'finding_count': counts.pop(FINDING),
            'remark_count': sum(counts.values()), 'seconds': time.monotonic() - began,
            'findings_sha256': digest.hexdigest(),
        }

    def _check_verifier(self):
        if not self.env.su and not any(map(self.env.user.has_group, GROUPS)):
            raise refusal(
                self.env, self.env._("Only Quality Control, auditors and security administrators verify evidence."),
                "AUD-040, SEC-010, 21 CFR 11.10(d)", self.env._("ask a person with one of these roles."), exception=AccessError)

    def action_verify(self):
        """Verify all evidence, keep the outcome in the ledger and show it."""
        self.ensure_one()
        self._check_verifier()
        result = self._verify()
        self._log_outcome(result)
        counts = result['counts']
        # Nobody has a right to write findings: only this method does.
        wizard = self.sudo()
        wizard.finding_ids.unlink()
        wizard.write({
            'state': 'failed' if result['finding_count'] else 'passed',
            'verified_at': fields.Datetime.now(), 'duration': result['seconds'],
            'finding_count': result['finding_count'], 'remark_count': result['remark_count'],
            'line_count': counts['lines'], 'signature_count': counts['signatures'], 'revision_count': counts['revisions'],
            'order_count': counts['orders'], 'label_count': counts['labels'], 'file_count': counts['files'],
            'finding_ids': [(0, 0, dict(finding, sequence=number)) for number, finding in enumerate(result['findings'])],
        })
        return {
            'type': 'ir.actions.act_window', 'res_model': self._name, 'res_id': self.id, 'view_mode': 'form',
            'target': 'new', 'name': self.env._("Verify Evidence"),
        }

    @api.model
    def _log_outcome(self, result):
        """Append the outcome to the ledger; in the log of the server it stands even if the ledger is damaged."""
        values = {
            'result': {'new': 'failed' if result['finding_count'] else 'passed'},
            'findings': {'new': result['finding_count']}, 'remarks': {'new': result['remark_count']},
            'findings_sha256': {'new': result['findings_sha256']},
            **{name: {'new': count} for name, count in result['counts'].items()},
        }
        named = [f"{row['model']},{row['res_id']} ({row['name']})" for row in islice(
            (row for row in result['findings'] if row['severity'] == FINDING), MAX_LOGGED)]
        company = self.env.company
        self.env['mrp.audit.entry']._append([{
            'chain': company, 'kind': 'verify', 'model': 'res.company', 'res_id': company.id, 'record_name': company.name,
            'values': values, 'reason': '\n'.join(named) or None}])

    @api.model
    def _cron_verify(self):
        """Verify every night; whoever answers for the evidence gets an activity for what does not verify."""
        result = self.sudo()._verify()
        self._log_outcome(result)
        if not result['finding_count']:
            _logger.info("All evidence verifies: %s", result['counts'])
            return
        for row in result['findings']:
            _logger.error("Evidence does not verify: %(model)s,%(res_id)s (%(name)s): expected %(expected)s; "
                          "found %(found)s", row)
        _logger.error("%s findings in the evidence of this database", result['finding_count'])
        users = self.env['res.users'].sudo().union(*(self.env.ref(name).sudo().all_user_ids for name in ALARMED))
        users = users.filtered(lambda user: user.active and not user.share)
        summary = self.env._("%s records of the evidence do not verify", result['finding_count'])
        activities = self.env['mail.activity'].sudo()
        told = activities.search([('user_id', 'in', users.ids), ('activity_type_id', '=', self._get_activity_type().id)])
        rows = [f"{row['model']},{row['res_id']} ({row['name']})" for row in result['findings'][:MAX_LOGGED]]
        for user in users - told.user_id:
            activities.create({
                'activity_type_id': self._get_activity_type().id, 'user_id': user.id, 'summary': summary,
                'note': self.env._("Open Master Records, Verify Evidence. First findings: %s", ', '.join(rows)),
            })

    @api.model
    def _get_activity_type(self):
        return self.env.ref('mrp_mmr.mail_activity_type_verify').sudo()


class MrpAuditVerifyFinding(models.TransientModel):
    """One bad record that a verification found."""
    _name = 'mrp.audit.verify.finding'
    _description = "Finding of a Verification"
    _order = 'severity, sequence, id'

    verify_id = fields.Many2one('mrp.audit.verify', required=True, ondelete='cascade', index=True)
    sequence = fields.Integer()
    severity = fields.Selection([('finding', "Finding"), ('remark', "Remark")], required=True)
    model = fields.Char(required=True)
    res_id = fields.Many2oneReference("Record ID", model_field='model')
    name = fields.Char("Record")
    expected = fields.Text()
    found = fields.Text()
