"""Results of tamper drills: which forbidden acts were tried on this database, and what refused each."""

import base64

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

from ...domain.canonical import sha256
from ...domain.signing import SigningRule
from ...verification import drill

_lt = LazyTranslate(__name__)

class MrpTamperDrill(models.Model):
    """The result of a tamper drill: which forbidden acts were tried on this database, and what refused each of them.

    Append-only; a security administrator signs it, and the print with that signature is kept (AUD-030, SIG-020).

    Also held in guards/mrp_tamper_drill.sql.
    """
    _name = 'mrp.tamper.drill'
    _description = "Tamper Drill"
    _inherit = ['mrp.append.only.mixin', 'mail.thread', 'mrp.esignature.mixin', 'mrp.audit.mixin']
    _order = 'id desc'
    _is_append_only = False
    _workflow_fields = {'signature_id', 'file_id'}  # once, by signing

    name = fields.Char(required=True, readonly=True)
    at = fields.Datetime("Run On", required=True, readonly=True)
    user_id = fields.Many2one('res.users', "Run By", required=True, readonly=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    state = fields.Selection(
        [('passed', "Passed"), ('failed', "Failed")], "Result", required=True, readonly=True,
        help="Failed: an attempt was not refused, or was refused by a rule other than its own, or the evidence changed.")
    act_count = fields.Integer("Attempts", required=True, readonly=True, aggregator=None)
    refused_count = fields.Integer("Refused or Found", required=True, readonly=True, aggregator=None)
    fault_count = fields.Integer("Faults", required=True, readonly=True, aggregator=None)
    untried_count = fields.Integer(
        "Not Tried", required=True, readonly=True, aggregator=None,
        help="There was nothing to try them on, or it was in use at that moment.")
    results = fields.Json(required=True, readonly=True, prefetch=False)
    results_sha256 = fields.Char("Digest of the Results", required=True, readonly=True)
    acts_html = fields.Html("Attempted", compute='_compute_acts_html', sanitize=False)
    signature_id = fields.Many2one('mrp.esignature', "Checked", readonly=True, ondelete='restrict')
    file_id = fields.Many2one('mrp.mmr.file', "Signed Print", readonly=True, ondelete='restrict')
    file_sha256 = fields.Char(related='file_id.sha256', string="Digest of the Signed Print")
    # Files are read by readers of master records; this one by readers of the drill.
    print_file = fields.Binary("Print", compute='_compute_print', compute_sudo=True)
    print_name = fields.Char(compute='_compute_print', compute_sudo=True)

    @api.depends('results')
    def _compute_acts_html(self):
        for record in self:
            record.acts_html = self.env['ir.qweb']._render(
                'mrp_mmr.tamper_drill_acts', {'groups': record._prepare_groups(), 'labels': drill.LABELS})

    @api.depends('file_id')
    def _compute_print(self):
        for record in self:
            record.print_file = record.file_id.data
            record.print_name = record.file_id.name

    def _prepare_groups(self):
        """Return the tried acts for people, by group."""
        self.ensure_one()
        groups = {}
        for act in (self.results or {}).get('acts', ()):
            groups.setdefault(act['group'], []).append(
                dict(act, label=drill.LABELS[act['outcome']], is_fault=act['outcome'] in drill.FAULTS,
                     is_open=act['outcome'] in (drill.BUSY, drill.NOTHING)))
        return groups

    # === GUARDS === #

    def _refuse_write(self):
        return UserError(self.env._(
            "Only the drill writes the result of a tamper drill, and it cannot be changed. Rule: AUD-030, 21 CFR 11.10(e). "
            "What you can do: read it, sign it, or run another drill."))

    @api.model
    def _record(self, results):
        """Return the record of a drill that was run by the user; nobody has a right to create one."""
        now = fields.Datetime.now()
        company, user = self.env.company, self.env.user
        results = {
            **results, 'at': fields.Datetime.to_string(now), 'company': {'id': company.id, 'name': company.name},
            'run_by': {'id': user.id, 'name': user.name, 'login': user.login},
        }
        counts = results['counts']
        return self._store([{
            'name': f"Tamper drill {now:%Y-%m-%d %H:%M:%S} UTC", 'at': now, 'user_id': user.id, 'company_id': company.id,
            'state': results['state'], 'act_count': len(results['acts']),
            'refused_count': counts[drill.REFUSED] + counts[drill.FOUND],
            'fault_count': sum(counts[outcome] for outcome in drill.FAULTS),
            'untried_count': counts[drill.BUSY] + counts[drill.NOTHING],
            'results': results, 'results_sha256': sha256(results),
        }])

    # === SIGNING === #

    _signing_citation = "SIG-030, 21 CFR 11.70"
    _signing_actions = {
        'check': SigningRule(
            meaning='checked', group='mrp_mmr.group_mmr_security', once='signature_id', next_step=_lt("run another drill."),
            statement=_lt("I read the results of this tamper drill; where an act was not refused, I act on it."),
            prepare='_prepare_check', apply='_apply_check'),
    }

    def action_sign(self):
        """Open the signature of a security administrator over the results (SIG-020)."""
        return self.action_open_signature('check')

    def _prepare_check(self, action):
        return self._make_signing_action(action, self.results, digest=self.results_sha256)

    def _apply_check(self, action, signature):
        # The print shows the signature, and is what is kept.
        content = self.env['ir.actions.report'].with_context(force_report_rendering=True)._render_qweb_pdf(
            'mrp_mmr.report_tamper_drill', self.ids)[0]
        file = self.env['mrp.mmr.file']._store(f"tamper-drill-{self.id}.pdf", base64.b64encode(content))
        self.write({'signature_id': signature.id, 'file_id': file.id})
        self._post_signature(signature)
