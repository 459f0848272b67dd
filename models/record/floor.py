"""What the shop-floor screen and the supervisor's view show of batches; the number of queries does not grow with steps."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...domain.arguments import takes
from ...domain.canonical import iso_utc
from ...domain.durations import add_to
from ...domain.step_plan import stages_before
from ...domain.step_states import CLOSED, POINT_FIELDS

RUNNING = ('issue', 'ready', 'progress')
#: As many running batches are shown at once.
MAX_BATCHES = 200


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    # === RUNNING BATCHES === #

    @takes(workcenter_id='id')
    @api.model
    @api.readonly
    def get_floor_batches(self, workcenter_id=None):
        """Return the running batches, those first whose next step is done at ``workcenter_id``.

        :param int workcenter_id: only batches with open steps at this work centre
        :return: dict of ``batches``, ``left_off`` (how many are not shown), ``terminal`` (its name, where it is
            registered) and what :meth:`_prepare_floor_frame` says
        """
        domain = Domain('state', 'in', RUNNING) & Domain('company_id', 'in', self.env.companies.ids)
        if workcenter_id:
            domain &= Domain('step_ids', 'any', [
                ('state', 'not in', CLOSED), ('workorder_id.workcenter_id', '=', int(workcenter_id))])
        bprs = self.search(domain, limit=MAX_BATCHES, order='id')
        rows = bprs._prepare_floor_batches(bprs._get_floor_stages(), workcenter_id)
        rows.sort(key=lambda row: (not row['is_here'], row['state'] == 'issue', row['started_at'] or '9', row['id']))
        return {
            **self._prepare_floor_frame(),
            'terminal': self.env['mrp.terminal']._get_current().name or '',
            'batches': rows,
            'left_off': self.search_count(domain) - len(bprs) if len(bprs) == MAX_BATCHES else 0,
        }

    @api.model
    def _prepare_floor_frame(self):
        """Return what every answer carries: the time of the server, whose clock counts, and the channels of the bus."""
        return {
            'now': iso_utc(fields.Datetime.now()),
            'channels': [f'mrp_mmr_floor_{company.id}' for company in self.env.companies],
        }

    def _prepare_floor_batches(self, stages, workcenter_id=None):
        """Return each of these batches as one row, in their order; ``stages`` as of :meth:`_get_floor_stages`."""
        bprs = self.sudo()
        holds = bprs._get_floor_hold_times()
        deviations = self.env['mrp.deviation'].sudo().search(
            [('bpr_id', 'in', self.ids), ('state', '=', 'open')], order='id').grouped('bpr_id')
        next_steps = {}
        for bpr in bprs:
            ready = [row for row in stages[bpr.id] if row['is_ready']]
            here = [row for row in ready if row['workcenter_id'] == workcenter_id] if workcenter_id else []
            next_steps[bpr] = (here or ready or [None])[0]
        steps = self.env['mrp.bpr.step'].sudo().browse(row['next_id'] for row in next_steps.values() if row)
        steps.fetch(['name', 'stage', 'number', 'kind', 'state', 'points', 'performer_role', 'verifier_role', 'started_at',
                     *POINT_FIELDS.values()])
        several = len(self.env.companies) > 1
        result = []
        for bpr in bprs:
            row, step = next_steps[bpr], steps.browse()
            if row:
                step = steps.browse(row['next_id']).with_prefetch(steps._prefetch_ids)
            order = bpr.production_id
            own = deviations.get(bpr, self.env['mrp.deviation'])
            closed, total = sum(stage['closed'] for stage in stages[bpr.id]), bpr.step_count
            result.append({
                'id': bpr.id,
                'name': bpr.name,
                'order': order.name,
                'order_id': order.id,
                'product': bpr.product_id.with_context(display_default_code=False).display_name,
                'lot': ', '.join(order.lot_producing_ids.mapped('name')),
                'mmr': bpr.mmr_revision_id.mmr_id.name,
                'revision': bpr.mmr_revision_id.revision,
                'company': several and bpr.company_id.name,
                'responsible': order.user_id.name or False,
                'state': bpr.state,
                'state_label': bpr.status_text,
                'decision': order.mmr_decision,
                'started_at': iso_utc(bpr.started_at),
                'closed': closed,
                'total': total,
                'is_here': bool(row and workcenter_id and row['workcenter_id'] == workcenter_id),
                'stage': row and row['name'] or False,
                'workcenter': row and row['workcenter'] or False,
                'step': step and {
                    'id': step.id, 'code': step.code, 'name': step.name, 'kind': step.kind, 'state': step.state} or False,
                'waits': bpr._get_floor_wait(step, stages[bpr.id], own),
                'limits': bpr._get_floor_limits(stages[bpr.id], holds.get(bpr.id, {})),
                'deviations': [deviation._prepare_floor_vals() for deviation in own],
            })
        return result

    def _get_floor_stages(self):
        """Return how far each stage is, by batch: a list in the order of the MMR.

        A stage is ready when every step of the stages before it is closed; its next step may then start.
        """
        self.env['mrp.bpr.step'].flush_model()
        result = {bpr.id: [] for bpr in self}
        if not self:
            return result
        for row in self.env.execute_query_dict(SQL(
            """WITH stages AS (
                SELECT s.bpr_id, s.stage, count(*) AS total, count(*) FILTER (WHERE s.state IN %(closed)s) AS closed,
                       min(s.sequence) AS sequence, min(s.started_at) AS started_at, max(s.closed_at) AS ended_at,
                       bool_and(s.state = 'open') AS is_untouched, min(s.workorder_id) AS workorder_id,
                       (array_agg(s.id ORDER BY s.number))[1] AS first_id,
                       (array_agg(s.id ORDER BY s.number) FILTER (WHERE s.state NOT IN %(closed)s))[1] AS next_id
                  FROM mrp_bpr_step s WHERE s.bpr_id IN %(bprs)s GROUP BY s.bpr_id, s.stage)
               SELECT t.*, f.planned -> 'stage' AS planned, n.planned ->> 'time_limit' AS step_limit,
                      n.started_at AS step_started_at, n.performed_signature_id IS NOT NULL AS is_performed,
                      n.name AS step_name, w.id AS workcenter_id, w.name AS workcenter
                 FROM stages t
                 JOIN mrp_bpr_step f ON f.id = t.first_id
                 LEFT JOIN mrp_bpr_step n ON n.id = t.next_id
                 LEFT JOIN mrp_workorder o ON o.id = t.workorder_id
                 LEFT JOIN mrp_workcenter w ON w.id = o.workcenter_id
                ORDER BY t.bpr_id, t.sequence""", closed=CLOSED, bprs=self._ids)):
            planned = row.pop('planned')
            result[row['bpr_id']].append({**row, **{name: planned[name] for name in (
                'name', 'kind', 'predecessors', 'time_limit', 'instruction', 'storage_conditions')}})
        for rows in result.values():
            unfinished = {row['stage'] for row in rows if row['closed'] < row['total']}
            for row in rows:
                row['is_ready'] = row['stage'] in unfinished and not unfinished & set(row['predecessors'])
        return result

    def _get_floor_hold_times(self):
        """Return the longest time in hours between each stage and its followers, by batch and stage (IPC-040)."""
        result = {}
        if self:
            self.env['mrp.production'].flush_model(['mmr_snapshot'])
            for bpr_id, stage, hours in self.env.execute_query(SQL(
                """SELECT b.id, (o ->> 'position')::integer, o ->> 'hold_time'
                     FROM mrp_bpr b JOIN mrp_production p ON p.id = b.production_id
                    CROSS JOIN jsonb_array_elements(p.mmr_snapshot -> 'document' -> 'operations') AS o
                    WHERE b.id IN %s AND o ->> 'hold_time' IS NOT NULL""", self._ids)):
                result.setdefault(bpr_id, {})[stage] = hours
        return result

    def _get_floor_limits(self, stages, holds):
        """Return the times that run out, the nearest first: hold times, stages, and the step in hand (IPC-040)."""
        self.ensure_one()
        rows = []

        def add(kind, name, since, limit, unit='h'):
            rows.append({'kind': kind, 'name': name, 'since': iso_utc(since), 'until': iso_utc(add_to(since, limit, unit))})

        by_stage = {row['stage']: row for row in stages}
        for row in stages:
            for before in row['predecessors']:
                if before in holds and row['is_untouched'] and by_stage[before]['closed'] == by_stage[before]['total']:
                    add('hold', by_stage[before]['name'], by_stage[before]['ended_at'], holds[before])
            if row['closed'] == row['total']:
                continue
            if row['time_limit'] and row['started_at']:
                add('stage', row['name'], row['started_at'], row['time_limit'])
            if row['step_limit'] and row['step_started_at'] and not row['is_performed']:
                add('step', row['step_name'], row['step_started_at'], row['step_limit'], 'min')
        return sorted(rows, key=lambda row: row['until'])

    # === WHO IS NEXT === #

    def _get_floor_wait(self, step, stages, deviations):
        """Return for whom this batch waits, for what and since when; ``step`` is the one that is next, or none."""
        self.ensure_one()
        if self.state == 'issue':
            return self._prepare_floor_wait('production', self.env._("issues the record"), self.create_date)
        if self.sudo().production_id.mmr_decision == 'stop':
            return self._prepare_floor_wait('qc', self.env._("stopped this batch"), None)
        if self.sudo().production_id.mmr_decision == 'pending' and (not step or step.state == 'open'):
            return self._prepare_floor_wait('qc', self.env._("decides whether the batch continues or stops"), None)
        if self.release_state == 'rejected':
            return self._prepare_floor_wait(
                'production', self.env._("cancels the order: the batch was rejected"), self.released_at)
        if self._get_rejection():
            return self._prepare_floor_wait('qc', self.env._("rejects the batch, because its material was rejected"), None)
        ended = [row['ended_at'] for row in stages if row['ended_at']]
        if not step:
            return self._prepare_floor_wait('production', self.env._("completes the order"), max(ended, default=None))
        blocking = self._get_floor_blocking(step, stages, deviations)
        if blocking:
            return self._prepare_floor_wait(
                'qc', self.env._("decides on %s", ', '.join(blocking.mapped('name'))), min(blocking.mapped('reported_at')))
        point = step.next_point
        role = step._get_point_role(point)
        if step.state == 'open':
            row = next(row for row in stages if row['stage'] == step.stage)
            ended = [before['ended_at'] for before in stages if before['stage'] in row['predecessors'] and before['ended_at']]
            since = row['ended_at'] or max(ended, default=None) or self.issue_signature_id.signed_at or self.create_date
            return self._prepare_floor_wait(role, self.env._("starts"), since)
        since = max([step.started_at, *(step[name].signed_at for name in POINT_FIELDS.values() if step[name])])
        return self._prepare_floor_wait(role, step._get_point_task(point), since)

    def _prepare_floor_wait(self, role, what, since):
        label = self.env['mrp.bpr.step']._get_labels('performer_role')[role]
        return {'role': role, 'role_label': label, 'what': what, 'since': iso_utc(since)}

    def _get_floor_blocking(self, step, stages, deviations):
        """Return which of the open deviations keep ``step`` from going on (IPC-020)."""
        before = stages_before(step.stage, {row['stage']: row['predecessors'] for row in stages})
        return deviations.filtered(lambda deviation: deviation.is_blocking and (
            not deviation.step_id or deviation.step_id.stage in before
            or deviation.step_id.stage == step.stage and deviation.step_id.number <= step.number))

    # === ONE BATCH === #

    @takes(bpr_id='id', step_id='id', workcenter_id='id')
    @api.model
    @api.readonly
    def get_floor_batch(self, bpr_id, step_id=None, workcenter_id=None):
        """Return one batch with its steps by stage, and one step in full.

        :param int step_id: the step to show; else the one that is next, if possible at ``workcenter_id``
        :return: dict of ``batch``, ``stages``, ``handovers`` and ``step`` (see ``mrp.bpr.step._prepare_floor_step``)
        """
        bpr = self.browse(int(bpr_id))
        bpr.check_access('read')
        bpr = bpr.sudo()
        stages = bpr._get_floor_stages()
        [batch] = bpr._prepare_floor_batches(stages, workcenter_id)
        steps = bpr.step_ids.sorted('sequence')
        # One query for all plans, which are not read with the other columns.
        steps.fetch(['planned'])
        step = steps.filtered(lambda step: step.id == step_id) or steps.browse(batch['step'] and batch['step']['id'])
        order = bpr.production_id
        return {
            **self._prepare_floor_frame(),
            'batch': {
                **batch,
                'quantity': order.product_qty,
                'unit': order.product_uom_id.name,
                'precautions': bpr._get_floor_precautions(),
                'next_id': batch['step'] and batch['step']['id'],
                'completed_at': iso_utc(bpr.completed_at),
            },
            'stages': bpr._prepare_floor_stages(stages[bpr.id], steps),
            'handovers': steps._prepare_floor_handovers(),
            'step': step.with_user(self.env.user)._prepare_floor_step(stages[bpr.id]) if step else False,
        }

    def _get_floor_precautions(self):
        """Return the special notations of the whole MMR, from the snapshot, without reading all of it."""
        self.ensure_one()
        [[text]] = self.env.execute_query(SQL(
            "SELECT mmr_snapshot -> 'document' ->> 'precautions' FROM mrp_production WHERE id = %s", self.production_id.id))
        return text

    def _prepare_floor_stages(self, stages, steps):
        kinds, states = steps._get_labels('kind'), steps._get_labels('state')
        signatures = steps._get_floor_signatures()
        deviating = self.deviation_ids.filtered(lambda deviation: deviation.state == 'open').step_id
        by_stage = steps.grouped('stage')
        return [{
            'position': row['stage'], 'name': row['name'], 'workcenter': row['workcenter'], 'closed': row['closed'],
            'total': row['total'],
            'steps': [{
                'id': step.id, 'code': step.code, 'name': step.name, 'kind': step.kind, 'kind_label': kinds[step.kind],
                'state': step.state, 'state_label': states[step.state], 'result': step.result, 'outcome': step.outcome,
                'is_next': row['is_ready'] and row['next_id'] == step.id, 'is_hold_point': step.is_hold_point,
                'has_open_deviation': step in deviating, 'signatures': signatures[step],
            } for step in by_stage[row['stage']]],
        } for row in stages]

    # === SCANNED CODES === #

    @takes(code='text', step_id='id')
    @api.model
    @api.readonly
    def find_floor_code(self, code, step_id=None):
        """Say what a scanned code is: a lot or a unit of equipment for the step in hand, a batch, an order, or a step.

        Codes are read as they are, by the barcode nomenclature of the company, and as GS1 where they say that they
        are (an FNC1 in front or between). Worksheets carry ``BPR number/order of work``.

        :return: dict of ``type`` ('lot', 'text', 'equipment', 'batch', 'step', 'unknown') and what belongs to it
        """
        # The separator of GS1 is white space to Python.
        code = str(code or '').strip(' \t\r\n')
        if not code:
            return {'type': 'unknown', 'message': self.env._("No code was read.")}
        names = self._parse_floor_code(code)
        step = self.env['mrp.bpr.step'].browse(step_id and int(step_id))
        if step:
            step.check_access('read')
            found = step.sudo()._find_floor_lot(names)
            if found:
                return found
        return self._find_floor_batch(code) or self._find_floor_equipment(names) or {
            'type': 'unknown', 'message': self.env._(
                "%s is not a known lot, equipment, batch, order or step.", code)}

    @api.model
    def _parse_floor_code(self, code):
        """Return what a code may mean, the most specific first: lot in it, product in it, the code itself."""
        nomenclatures = self.env.company.sudo().nomenclature_id
        gs1 = self.env.ref('barcodes_gs1_nomenclature.default_gs1_nomenclature', raise_if_not_found=False)
        if gs1 and (code.startswith((']C1', ']e0', ']d2', ']Q3', ']J1', '\x1d')) or '\x1d' in code):
            nomenclatures |= gs1.sudo()
        names = []
        for nomenclature in nomenclatures:
            try:
                parsed = nomenclature.parse_barcode(code)
            except ValueError:
                continue
            rows = parsed if isinstance(parsed, list) else [parsed or {}]
            names += [str(row.get('value') if 'ai' in row else row.get('code')) for row in rows if row.get('type') == 'lot']
        return list(dict.fromkeys([*names, code]))

    @api.model
    def _find_floor_batch(self, code):
        own = Domain('company_id', 'in', self.env.companies.ids)
        bpr = self.search(own & (Domain('name', '=', code) | Domain('production_id.name', '=', code)), limit=1)
        if bpr:
            return {'type': 'batch', 'bpr_id': bpr.id, 'name': bpr.name}
        name, _slash, number = code.rpartition('/')
        if not name or not number.isdecimal() or len(number) > 6:
            return None
        step = self.env['mrp.bpr.step'].search(
            [('bpr_id.name', '=', name), ('sequence', '=', int(number)), ('company_id', 'in', self.env.companies.ids)], limit=1)
        return {'type': 'step', 'bpr_id': step.bpr_id.id, 'step_id': step.id, 'name': step.display_name} if step else None

    @api.model
    def _find_floor_equipment(self, names):
        # Odoo lets users read only the equipment that they own; a name and a serial number are all that is told.
        unit = self.env['maintenance.equipment'].sudo().search(
            [('serial_no', 'in', names), ('company_id', 'in', [False, *self.env.companies.ids])], limit=1)
        return {'type': 'equipment', 'id': unit.id, 'name': unit.name, 'code': unit.serial_no} if unit else None
