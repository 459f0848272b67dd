"""The batch production record: what was really done for one batch, step by step, as its MMR says."""

import json

from odoo import api, fields, models
from odoo.tools import SQL, LazyTranslate

from ...domain.canonical import canonical_json, sha256
from ...domain.proofs import BATCH_IDENTITY
from ...domain.refusals import refusal
from ...domain.signing import SigningRule
from ...domain.step_plan import get_points, hold_limits, plan_steps
from ...domain.transitions import transition
from ..base.json_field import JsonDocument

_lt = LazyTranslate(__name__)
STATES = [
    ('issue', "To be issued"),
    ('ready', "Ready"),
    ('progress', "In progress"),
    ('done', "Completed"),
    ('cancel', "Cancelled"),
]


class MrpBpr(models.Model):
    """The batch production record of one manufacturing order (21 CFR 111.255, 111.260, 211.188, EU GMP 4.20).

    It is made with its steps when the order is released, from the snapshot and from nothing else, and it is
    never deleted. Only the methods of `mrp.bpr.step` write its steps.

    Also held in guards/mrp_bpr.sql.
    """
    _name = 'mrp.bpr'
    _description = "Batch Production Record"
    _inherit = ['mrp.evidence.mixin', 'mrp.esignature.mixin', 'mrp.audit.trail.mixin', 'mrp.bundle.mixin']
    _order = 'id desc'
    _is_append_only = False

    name = fields.Char("Number", required=True, readonly=True)
    production_id = fields.Many2one(
        'mrp.production', "Manufacturing Order", required=True, readonly=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    mmr_revision_id = fields.Many2one(
        'mrp.mmr.revision', "MMR Revision", required=True, readonly=True, index=True, ondelete='restrict')
    product_id = fields.Many2one('product.product', required=True, readonly=True, index=True, ondelete='restrict')
    state = fields.Selection(STATES, "Status", required=True, readonly=True, index=True)
    rules = JsonDocument(readonly=True, prefetch=False, help="Optional rules of the profile that were switched on when the "
                                                            "order was released.")
    plan_sha256 = fields.Char("Digest of the Steps", required=True, readonly=True)
    issue_signature_id = fields.Many2one('mrp.esignature', "Issued", readonly=True, ondelete='restrict')
    step_ids = fields.One2many('mrp.bpr.step', 'bpr_id', "Steps", readonly=True)
    deviation_ids = fields.One2many('mrp.deviation', 'bpr_id', "Deviations", readonly=True)
    equipment_log_ids = fields.One2many('mrp.equipment.log', 'bpr_id', "Equipment Used", readonly=True)
    started_at = fields.Datetime("Started", readonly=True)
    completed_at = fields.Datetime("Completed", readonly=True)
    user_id = fields.Many2one(related='production_id.user_id', string="Responsible")
    lot_producing_ids = fields.Many2many(related='production_id.lot_producing_ids', string="Lot")
    step_count = fields.Integer("Number of Steps", required=True, readonly=True, aggregator=None)
    closed_count = fields.Integer("Closed Steps", compute='_compute_progress')
    progress = fields.Float(compute='_compute_progress', help="Closed steps as a percentage of all steps.")
    current_step_id = fields.Many2one('mrp.bpr.step', "Next Step", compute='_compute_progress')
    open_deviation_count = fields.Integer("Open Deviations", compute='_compute_open_deviation_count')
    is_on_hold = fields.Boolean("On Hold", compute='_compute_open_deviation_count')

    _production_uniq = models.UniqueIndex('(production_id)', "A batch has exactly one batch production record (BPR-010).")

    # === COMPUTE === #

    @api.depends('step_ids.state')
    def _compute_progress(self):
        steps = self.env['mrp.bpr.step'].sudo()
        rows = {bpr.id: (count, first) for bpr, count, first in steps._read_group(
            [('bpr_id', 'in', self.ids), ('state', 'not in', ('done', 'not_done'))], ['bpr_id'], ['__count', 'id:min'])}
        for bpr in self:
            count, first = rows.get(bpr.id, (0, False))
            bpr.closed_count = bpr.step_count - count
            bpr.progress = 100.0 * bpr.closed_count / bpr.step_count if bpr.step_count else 0.0
            bpr.current_step_id = first

    @api.depends('deviation_ids.state')
    def _compute_open_deviation_count(self):
        open_ones = [('bpr_id', 'in', self.ids), ('state', '=', 'open')]
        counts = {bpr.id: (count, blocking) for bpr, count, blocking in self.env['mrp.deviation'].sudo()._read_group(
            open_ones, ['bpr_id'], ['__count', 'is_blocking:bool_or'])}
        for bpr in self:
            bpr.open_deviation_count, bpr.is_on_hold = counts.get(bpr.id, (0, False))

    # === CRUD === #

    @api.ondelete(at_uninstall=True)
    def _unlink_except_never(self):
        raise refusal(
            self.env,
            self.env._("A batch production record cannot be deleted."), "BPR-010, REC-040, 21 CFR 111.255(a), 111.605",
            self.env._("cancel the order; its record remains."), record=self[:1])

    def _refuse_write(self):
        return refusal(
            self.env,
            self.env._("A batch production record is created by the release of its order and completed by its steps."),
            "BPR-010, SEC-020, 21 CFR 111.255(b)",
            self.env._("confirm the order; record the work on the shop floor."), record=self[:1])

    def _audit_chain(self):
        return self.production_id

    def _get_signing_thread(self):
        return self.production_id

    # === MAKING === #

    @api.model
    def _create_for(self, orders):
        """Make the records of released orders, with all their steps, from their snapshots.

        PostgreSQL multiplies the plan of a revision by its orders, so that queries do not grow with them, and
        nothing but the plan travels. Triggers see every row.
        """
        orders = orders.filtered('mmr_snapshot_sha256')
        if not orders:
            return self.browse()
        known = self.sudo().search([('production_id', 'in', orders.ids)]).production_id
        orders -= known
        if not orders:
            return self.browse()
        orders.env.flush_all()
        created = self.browse()
        for revision, batch in orders.grouped('mmr_revision_id').items():
            revision = revision.sudo()
            rules = self._get_rules(revision)
            plan = self._prepare_plan(batch[0].mmr_snapshot['document'], rules)
            records = self._insert_records(batch, plan, rules)
            records._insert_steps(plan, revision)
            created |= records
        self.env['mrp.bpr.step'].invalidate_model(flush=False)
        self.invalidate_model(flush=False)
        orders.invalidate_recordset(['bpr_ids'], flush=False)
        # One line for the record: its steps follow from the snapshot, whose digest it names.
        self._audit_append('create', {
            bpr: {'production_id': {'new': bpr.production_id.name}, 'state': {'new': bpr.state},
                  'release_state': {'new': bpr.release_state}, 'plan_sha256': {'new': bpr.plan_sha256},
                  'mmr_snapshot_sha256': {'new': bpr.production_id.mmr_snapshot_sha256},
                  **{name: {'new': bpr._audit_value(name)} for name in BATCH_IDENTITY}}
            for bpr in created.sudo()})
        return created

    @api.model
    def _insert_records(self, orders, plan, rules):
        """Insert the records of orders of one revision; PostgreSQL takes from each order what is its own."""
        self.env.cr.execute(SQL(
            """INSERT INTO mrp_bpr (name, production_id, company_id, mmr_revision_id, product_id, state, rules,
                                    release_state, plan_sha256, step_count, create_date, create_uid, write_date, write_uid)
               SELECT 'BPR/' || o.name, o.id, o.company_id, o.mmr_revision_id, o.product_id, %(state)s, %(rules)s::jsonb,
                      'none', %(digest)s, %(count)s, %(now)s, %(uid)s, %(now)s, %(uid)s
                 FROM mrp_production o WHERE o.id IN %(orders)s ORDER BY o.id RETURNING id""",
            state='issue' if 'BPR-160' in rules else 'ready', rules=json.dumps(rules),
            digest=sha256([row['planned'] for row in plan]), count=len(plan), now=fields.Datetime.now(), uid=self.env.uid,
            orders=orders._ids))
        return self.browse(row[0] for row in self.env.cr.fetchall())

    def _insert_steps(self, plan, revision):
        """Insert the steps of these records of one revision, each with the work order of its stage."""
        operations = revision.bom_id.operation_ids.sorted(lambda operation: (operation.sequence, operation.id))
        self.env.cr.execute(SQL(
            """WITH plan AS MATERIALIZED (
                   SELECT p.sequence, p.stage, p.number, p.points, p.planned, p.planned ->> 'name' AS name,
                          p.planned ->> 'kind' AS kind, p.planned ->> 'performer_role' AS performer_role,
                          p.planned ->> 'verifier_role' AS verifier_role,
                          (p.planned ->> 'is_critical')::boolean AS is_critical,
                          (p.planned ->> 'is_hold_point')::boolean AS is_hold_point
                     FROM jsonb_to_recordset(%(plan)s::jsonb)
                          AS p(sequence int, stage int, number int, points jsonb, planned jsonb))
               INSERT INTO mrp_bpr_step (bpr_id, production_id, company_id, workorder_id, sequence, stage, number, name,
                                         kind, performer_role, verifier_role, is_critical, is_hold_point, points, planned,
                                         yield_mmr_id, state, create_date, create_uid, write_date, write_uid)
               SELECT s.bpr_id, s.production_id, s.company_id, s.workorder_id, p.sequence, p.stage, p.number, p.name,
                      p.kind, p.performer_role, p.verifier_role, p.is_critical, p.is_hold_point, p.points, p.planned,
                      CASE WHEN p.kind = 'yield' THEN %(mmr)s END, 'open', %(now)s, %(uid)s, %(now)s, %(uid)s
                 -- Sorted without the texts, so that the steps of a batch lie together.
                 FROM (SELECT b.id AS bpr_id, b.production_id, b.company_id, w.id AS workorder_id, p.sequence
                         FROM mrp_bpr b
                        CROSS JOIN plan p
                         LEFT JOIN jsonb_to_recordset(%(operations)s::jsonb) AS a(stage int, operation int)
                                ON a.stage = p.stage
                         LEFT JOIN mrp_workorder w ON w.production_id = b.production_id AND w.operation_id = a.operation
                        WHERE b.id IN %(records)s ORDER BY b.id, p.sequence) s
                 JOIN plan p ON p.sequence = s.sequence""",
            now=fields.Datetime.now(), uid=self.env.uid, records=self._ids, mmr=revision.mmr_id.id,
            plan=canonical_json(plan).decode(),
            operations=json.dumps([
                {'stage': position, 'operation': operation.id} for position, operation in enumerate(operations, 1)])))

    @api.model
    def _create_missing(self):
        """Make the records of orders that were released before the addon made them, and not begun since.

        Called when the addon is installed or updated. Batches that run are finished as they were begun.
        """
        orders = self.env['mrp.production'].search([
            ('mmr_snapshot_sha256', '!=', False), ('bpr_ids', '=', False), ('state', '=', 'confirmed')])
        self._create_for(orders.filtered(
            lambda order: not order.qty_producing and all(row.state in ('ready', 'blocked') for row in order.workorder_ids)))

    @api.model
    def _prepare_plan(self, document, rules):
        """Return the rows of the steps that a document and the rules of its profile demand, in the order of the work."""
        return [
            {**row, 'sequence': sequence, 'points': get_points(row['planned'])}
            for sequence, row in enumerate(plan_steps(document, rules), 1)]

    @api.model
    def _get_rules(self, revision):
        """Return the codes of the rules of the profile for batches that are on for a revision's company."""
        return sorted(self.env['mrp.mmr.requirement'].sudo().search([
            ('profile_id', '=', revision.profile_id.id), ('scope', '=', 'batch'), ('enabled', '=', True),
            ('company_id', 'in', (False, revision.company_id.id))]).mapped('code'))

    def _has_rule(self, code):
        """Whether an optional rule of the profile was on when the batch was released."""
        self.ensure_one()
        return code in (self.sudo().rules or ())

    # === ISSUE === #

    _signing_actions = {
        # At the terminal where the work begins.
        'issue': SigningRule(
            meaning='issued', group='mrp_mmr.group_mmr_production', states=('issue',), leads_to='ready', at_terminal=True,
            citation="BPR-160, 21 CFR 211.188(a)", next_step=_lt("continue with its steps."),
            statement=_lt("I checked that this record is an accurate copy of the master, digest by digest, and issue it."),
            prepare='_prepare_issue_of_record', apply='_apply_issue'),
    }

    def action_issue(self):
        """Open the signature that issues this record to the floor (BPR-160, 21 CFR 211.188(a), EU GMP 4.2)."""
        return self.action_open_signature('issue')

    def _get_signing_profile(self):
        return self.sudo().mmr_revision_id.profile_id

    def _prepare_issue_of_record(self, action):
        order = self.sudo().production_id
        snapshot = order.mmr_snapshot
        content = {
            'schema': 'mrp_mmr/issue/1', 'bpr': self.name, 'order': order.name,
            'mmr': snapshot['document']['number'], 'revision': snapshot['document']['revision'],
            'document_sha256': snapshot['document_sha256'], 'snapshot_sha256': order.mmr_snapshot_sha256,
            'plan_sha256': self.plan_sha256, 'compared': {
                'document': sha256(snapshot['document']) == self.sudo().mmr_revision_id.document_sha256,
                'snapshot': sha256(snapshot) == order.mmr_snapshot_sha256,
                'plan': self._is_plan_intact(),
            },
        }
        if not all(content['compared'].values()):
            raise refusal(
                self.env, self.env._("The copy of the master in %s is not the one that was signed.", self.name),
                "BPR-160, USE-030, 21 CFR 211.188(a)", self.env._("inform Quality Control; verify the evidence."), record=self)
        return self._make_signing_action(action, content)

    def _is_plan_intact(self):
        """Whether the steps are those of the snapshot, in the same order and wording (USE-030)."""
        self.ensure_one()
        plan = self._prepare_plan(self.sudo().production_id.mmr_snapshot['document'], self.sudo().rules)
        steps = self.sudo().step_ids.sorted('sequence')
        return len(plan) == len(steps) and all(
            (row['sequence'], row['stage'], row['number'], row['points'], row['planned'])
            == (step.sequence, step.stage, step.number, step.points, step.planned)
            for row, step in zip(plan, steps, strict=True))

    def _apply_issue(self, action, signature):
        self.write({'state': self._get_signing_rule(action).leads_to, 'issue_signature_id': signature.id})
        self._notify_floor()

    # === COURSE === #

    def _begin(self):
        """Note that the work has begun."""
        for bpr in self.filtered(lambda bpr: bpr.state == 'ready'):
            with transition(bpr):
                bpr.write({'state': 'progress', 'started_at': fields.Datetime.now()})

    def _check_complete(self):
        """Refuse to complete a batch with open steps, naming each of them, or while it is on hold (USE-050, IPC-020).

        :raise UserError: listing everything that is open
        """
        for bpr in self.sudo():
            rows = [
                self.env._("step %(code)s %(name)s: %(state)s", code=step.code, name=step.name,
                           state=step._get_state_label())
                for step in bpr.step_ids if step.state not in ('done', 'not_done')]
            rows += [
                self.env._("deviation %(name)s: %(title)s", name=deviation.name, title=deviation.title)
                for deviation in bpr.deviation_ids if deviation.is_blocking and deviation.state == 'open']
            rows += [
                self.env._("a correction of step %s is waiting for a signature", entry.step_id.code)
                for entry in bpr.step_ids.entry_ids if entry.is_proposed]
            rows += [
                self.env._("worksheets %s have not been returned: transcribe or void them", copy.display_name)
                for copy in bpr.copy_ids.sorted('number') if copy.state == 'open']
            if bpr.production_id.mmr_decision == 'pending':
                rows.append(self.env._("Quality Control has not decided whether the batch continues or stops"))
            if bpr.state == 'issue':
                rows.insert(0, self.env._("the record has not been issued"))
            if rows:
                shown = rows[:30] + ([self.env._("and %s more", len(rows) - 30)] if len(rows) > 30 else [])
                raise refusal(
                    self.env,
                    self.env._("%(bpr)s is not complete:\n%(rows)s", bpr=bpr.name, rows='\n'.join(f"• {row}" for row in shown)),
                    "USE-050, 21 CFR 111.255(c)",
                    self.env._("finish these on the shop floor, or close a step as not done with a deviation."), record=bpr)

    def _complete(self):
        """Close the record with its order."""
        now = fields.Datetime.now()
        with transition(self):
            self.write({'state': 'done', 'completed_at': now})
        self._notify_floor()

    def _cancel(self):
        with transition(self):
            self.filtered(lambda bpr: bpr.state != 'done').write({'state': 'cancel'})
        self._notify_floor()

    def _notify_floor(self):
        """Tell the screens that show these batches to read them again."""
        for bpr in self:
            self.env['bus.bus']._sendone(
                f'mrp_mmr_floor_{bpr.company_id.id}', 'mrp_mmr_floor',
                {'bpr_id': bpr.id, 'production_id': bpr.production_id.id})

    # === ACTIONS === #

    def action_open_order(self):
        """Open the manufacturing order of this record."""
        self.ensure_one()
        self.check_access('read')
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.production', 'view_mode': 'form',
            'res_id': self.production_id.id}

    def action_open_deviations(self):
        """Open the deviations of this batch."""
        self.ensure_one()
        self.check_access('read')
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.deviation', 'view_mode': 'list,form',
            'name': self.env._("Deviations"), 'domain': [('bpr_id', '=', self.id)]}

    def action_print(self):
        """Print this record (RPT-020)."""
        self.check_access('read')
        return self.env.ref('mrp_mmr.action_report_bpr').report_action(self.ids, config=False)

    def action_download_xlsx(self):
        """Download the spreadsheet of this record (RPT-020)."""
        self.ensure_one()
        self.check_access('read')
        return {'type': 'ir.actions.act_url', 'target': 'self', 'url': f'/mrp_mmr/bpr/{self.id}.xlsx'}

    def _make_bundle(self, prints=True):
        self._check_not_disposed()
        return super()._make_bundle(prints=prints)

    def _get_hold_limits(self):
        self.ensure_one()
        return hold_limits(self.sudo().production_id.mmr_snapshot['document'])
