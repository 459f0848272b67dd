"""Signatures of a step: who did it, who verified it, who added and who verified that, and Quality Control."""

from datetime import timedelta
from decimal import Decimal

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime

from ....domain.canonical import sha256
from ....domain.limits import within_tolerance
from ....domain.numbers import decimal_string, exact
from ....domain.refusals import refusal
from ....domain.roles import ROLE_GROUPS
from ....domain.step_kinds import ENTRY_OF_STEP
from ....domain.step_states import CLOSED, POINT_FIELDS, VERIFIES

#: Further signatures, which are no points of the step.
QC_ACTIONS = ('hold_approve', 'hold_reject', 'authorise_retest')


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    def action_sign(self):
        """Open the signature that this step waits for."""
        self.ensure_one()
        return self.action_open_signature('hold_approve' if self.next_point == 'hold' else self.next_point or 'performed')

    def _is_signed_by_others(self, action):
        # At the terminal of a colleague, with own user name and password (SIG-040, VER-050).
        return True

    def _get_signing_company(self):
        return self.sudo().company_id

    def _get_signing_profile(self):
        return self.sudo().bpr_id._get_signing_profile()

    def _get_signing_action(self, action):
        self.ensure_one()
        if action in POINT_FIELDS and action != 'hold':
            return self._prepare_point(action)
        if action == 'not_done':
            return self._prepare_not_done()
        if action in QC_ACTIONS:
            return self._prepare_qc_action(action)
        raise UserError(self.env._("Unknown signature: %s", action))

    def _prepare_point(self, point):
        if self.next_point != point or self.state not in ('started', 'checking'):
            raise refusal(
                self.env, self.env._("%(step)s is not to be signed as %(point)s now: %(state)s.", step=self.display_name,
                                     point=point.replace('_', ' '), state=self._describe_next()),
                "VER-050, USE-050, 21 CFR 111.260(j), 11.10(f)", self.env._("sign what the step waits for."), record=self)
        self._check_workable()
        self._check_terminal()
        self._check_lots_still_released(point)
        missing = self._get_missing(point)
        if missing:
            raise refusal(
                self.env, self.env._("%(step)s is not complete:\n%(rows)s", step=self.display_name,
                                     rows='\n'.join(f"• {row}" for row in missing)),
                "BPR-030 to BPR-110, 21 CFR 111.260", self.env._("record what is missing, then sign."), record=self)
        planned = self.planned
        if point in VERIFIES:
            role, meaning = planned['verifier_role'] or 'verifier', planned['verifier_meaning'] or 'verified'
        else:
            role, meaning = planned['performer_role'] or 'operator', planned['performer_meaning'] or 'performed'
        content = self._get_document(point)
        return {
            'meaning': meaning, 'group': ROLE_GROUPS[role], 'digest': sha256(content), 'content': content,
            'statement': self._get_statement(point),
        }

    def _check_lots_still_released(self, point):
        """Refuse to sign for material that Quality Control does not let be used any more (VER-030, 21 CFR 211.101(c)(1)).

        An addition that was made is verified all the same: the record says what was done.
        """
        if self.kind not in ('weigh', 'add') or point == 'addition_verified':
            return
        for lot in self._get_weights().lot_id:
            if lot.mmr_status != 'released' or lot._mmr_get_end_of_use():
                raise refusal(
                    self.env, self.env._("%(step)s: lot %(lot)s may not be used any more (%(status)s).",
                                         step=self.display_name, lot=lot.name, status=lot._mmr_get_status_label()),
                    "VER-030, USE-060, 21 CFR 211.101(c)(1)",
                    self.env._("keep it apart and weigh a released lot; correct the entry with the reason."), record=self)

    def _get_statement(self, point):
        return {
            'performed': self.env._("I performed this step as written, at the time recorded."),
            'verified': self.env._("I verified this step while or after it was performed by another person."),
            'added': self.env._("I added this component to the batch."),
            'addition_verified': self.env._("I verified that this component was added to the batch."),
        }[point]

    def _prepare_not_done(self):
        if self.state in CLOSED:
            raise refusal(
                self.env, self.env._("%s is closed.", self.display_name), "USE-050, 21 CFR 111.255(c)",
                self.env._("go on with the next step."), record=self)
        self._check_workable(own_deviations=False, closing=True)
        waiting = self._get_waiting_for()
        if waiting:
            raise refusal(
                self.env, self.env._("%(step)s cannot be closed before %(others)s.", step=self.display_name,
                                     others=', '.join(waiting[:3].mapped('display_name'))),
                "USE-050, 21 CFR 111.255(c)", self.env._("close the steps before it."), record=self)
        content = self._get_document('not_done')
        return {
            'meaning': 'checked', 'group': ROLE_GROUPS['production'], 'digest': sha256(content), 'content': content,
            'comment_required': True,
            'statement': self.env._("This step was not done; I report the departure from the MMR."),
        }

    def _prepare_qc_action(self, action):
        if action == 'authorise_retest':
            if self.state in CLOSED or not self.sudo().entry_ids.filtered(lambda entry: entry.outcome == 'fail'):
                raise refusal(
                    self.env, self.env._("%s has no result out of limits that could be tested again.", self.display_name),
                    "IPC-030, 21 CFR 211.192", self.env._("go on with the step."), record=self)
            self.sudo().bpr_id._check_not_rejected()
        elif self.next_point != 'hold':
            raise refusal(
                self.env, self.env._("%s does not wait for a decision on the material.", self.display_name),
                "IPC-060, 21 CFR 211.110(c)", self.env._("it is decided when the step is performed and verified."), record=self)
        else:
            self._check_workable()
        content = self._get_document('hold' if action == 'hold_approve' else action)
        statements = {
            'hold_approve': self.env._("I examined the in-process material and approve it; specifications were met."),
            'hold_reject': self.env._("I reject the in-process material."),
            'authorise_retest': self.env._("I authorise one more test; the first result stays."),
        }
        return {
            'meaning': 'rejected' if action == 'hold_reject' else 'approved', 'group': ROLE_GROUPS['qc'],
            'digest': sha256(content), 'content': content, 'statement': statements[action],
            'comment_required': action != 'hold_approve',
        }

    def _describe_next(self):
        if self.state in CLOSED or self.state == 'open':
            return self._get_state_label()
        return dict(self._fields['next_point']._description_selection(self.env)).get(self.next_point, '')

    def _get_document(self, point):
        """Return what a signature of this step covers: the step, and everything recorded at it so far."""
        step = self.sudo()
        return {
            'schema': 'mrp_mmr/step/1', 'point': point, 'bpr': step.bpr_id.name, 'order': step.production_id.name,
            'snapshot_sha256': step.production_id.mmr_snapshot_sha256,
            'step': {'sequence': step.sequence, 'code': step.code, 'name': step.name, 'planned_sha256': sha256(step.planned)},
            'entries': [entry._get_document() for entry in step.entry_ids.sorted('id')],
            'weights': [entry._get_document() for entry in step._get_weights()] if step.kind == 'add' else [],
            'deviations': step.deviation_ids.sorted('id').mapped('name'),
        }

    # === COMPLETE === #

    def _get_missing(self, point):
        """Return what must be recorded before ``point`` is signed, as sentences."""
        if point != next(iter(self.points)):
            return [self.env._("a correction waits for its signature")] if any(
                self.sudo().entry_ids.mapped('is_proposed')) else []
        entries = self.sudo().entry_ids._get_current()
        kinds = set(entries.mapped('kind'))
        planned, rows = self.planned, []
        checks = {entry.position for entry in entries if entry.kind == 'check'}
        rows += [self.env._("checklist: %s", row['text']) for row in planned['checklist']
                 if row['mandatory'] and row['position'] not in checks]
        result = ENTRY_OF_STEP.get(self.kind)
        labels = dict(self.env['mrp.bpr.entry']._fields['kind']._description_selection(self.env))
        wanted = {result} if result else set()
        if result == 'outcome' and self.kind == 'clearance' and planned['checklist']:
            wanted = set()  # the checklist is the examination
        rows += [self.env._("%s: nothing recorded", labels[kind]) for kind in sorted(wanted - kinds - {'sample'})]
        if planned['sample']:
            taken = sum(Decimal(entry.value) for entry in entries if entry.kind == 'sample')
            if taken < (planned['sample']['count'] or 1):
                rows.append(self.env._("samples: %(taken)s of %(planned)s", taken=taken, planned=planned['sample']['count']))
        if self.kind == 'material' and not any((entry.data or {}).get('not_made') for entry in entries):
            used = {entry.position for entry in entries if entry.kind == 'material'}
            rows += [row['product']['name'] for row in planned['pack']['materials'] if row['position'] not in used]
        if self.kind == 'add' and not self._get_weights():
            rows.append(self.env._("the component was not weighed"))
        if planned['equipment'] and self.kind != 'equipment' and not self._get_units(planned['equipment']):
            rows.append(self.env._("equipment: %s is not identified", self._get_planned_unit_name()))
        until = self._get_minimum_end()
        if until and fields.Datetime.now() < until and not self._get_transcriptions():
            rows.append(self.env._(
                "%(minutes)s minutes since the start: not before %(time)s", minutes=planned['minimum_time'],
                time=format_datetime(self.env, until, dt_format='short')))
        return rows

    def _get_minimum_end(self):
        """Return the moment before which this step is not performed, or None (CON-150); steps on paper have their own times."""
        self.ensure_one()
        minimum = self.planned.get('minimum_time')
        if not minimum or not self.started_at:
            return None
        # Times are kept in whole seconds.
        return self.started_at + timedelta(seconds=int(exact(minimum) * 60))

    # === SIGNER === #

    def _check_signer(self, action, user):
        if action in POINT_FIELDS and action != 'hold':
            self.sudo().bpr_id.mmr_revision_id._check_trained(user)
        if action not in VERIFIES:
            return
        before = self.sudo()[POINT_FIELDS[VERIFIES[action]]]
        if before.user_id._get_gmp_persons() & user._get_gmp_persons() or before.partner_id == user.partner_id:
            raise refusal(
                self.env, self.env._("%(user)s did this at step %(step)s and cannot verify it.", user=user.name,
                                     step=self.display_name),
                "VER-010, VER-020, 21 CFR 111.210(h)(3)(ii), 211.101(c)-(d)",
                self.env._("ask another qualified person to verify, here with own user name and password."), record=self)

    # === EFFECT === #

    def _apply_signing_action(self, action, signature):
        self.ensure_one()
        comment = signature.comment or ''
        if action == 'not_done':
            self.env['mrp.deviation']._open(
                self, 'departure', self.env._("%s was not done", self.display_name), comment, cause_key='not_done')
            self._close('not_done')
        elif action == 'authorise_retest':
            self.write({'retest_count': self.retest_count + 1})
            self.deviation_ids.filtered(lambda row: row.state == 'open' and row.entry_id)._note_retest(comment)
        elif action == 'hold_reject':
            self.env['mrp.deviation']._open(
                self, 'specification', self.env._("%s: in-process material rejected", self.display_name), comment,
                severity='major')
        else:
            self._apply_point('hold' if action == 'hold_approve' else action, signature)
        self._notify_floor()

    def _apply_point(self, point, signature):
        self.write({POINT_FIELDS[point]: signature.id, 'state': 'checking'})
        if point == next(iter(self.points)):
            self._check_amount()
            self._log_use()
            self._check_duration(self.planned['time_limit'], 60, self.started_at, 'step', self.display_name)
        if point == 'added':
            self._post_consumption()
        if not self.next_point:
            self._close('done')

    def _close(self, state):
        self.write({'state': state, 'closed_at': fields.Datetime.now()})
        self._finish_workorder()
        if self.kind == 'yield' and state == 'done':
            self._warn_of_drift()
        stage = self.bpr_id.step_ids.filtered(lambda step: step.stage == self.stage)
        if all(step.state in CLOSED for step in stage):
            started = min(filter(None, stage.mapped('started_at')), default=None)
            self._check_duration(self.planned['stage']['time_limit'], 3600, started, 'stage', self.planned['stage']['name'])

    def _check_duration(self, limit, seconds, started, what, name):
        """Open a deviation where a step or stage took longer than it may (IPC-040, 21 CFR 211.111)."""
        if not limit or not started:
            return
        taken = fields.Datetime.now() - started
        if taken > timedelta(seconds=float(exact(limit) * seconds)):
            self.env['mrp.deviation']._open(
                self, 'departure', self.env._("Time limit exceeded: %s", name),
                self.env._("It took %(taken)s h:mm:ss; the limit is %(limit)s %(unit)s.", taken=taken, limit=limit,
                           unit=self.env._("minutes") if seconds == 60 else self.env._("h")),
                cause_key=f'time:{what}')

    def _check_amount(self, late=False):
        """Open a deviation where the amount of a component leaves its tolerance (USE-070, 21 CFR 111.113(a)(2))."""
        target = self._get_target()
        if self.kind != 'weigh' or not target:
            return
        total = sum(Decimal(entry.data['quantity']) for entry in self._get_weights())
        wanted, tolerance = self._get_target_quantity(), target.get('tolerance')
        if within_tolerance(total, wanted, tolerance):
            return
        self.env['mrp.deviation']._open(
            self, 'departure',
            self.env._("%(step)s: %(actual)s instead of %(target)s %(unit)s", step=self.display_name,
                       actual=decimal_string(total), target=wanted, unit=target['unit']),
            self.env._("Target %(target)s, tolerance %(tolerance)s, weighed %(actual)s %(unit)s.", target=wanted,
                       tolerance=tolerance or '0', actual=decimal_string(total), unit=target['unit']),
            cause_key=f'amount:{decimal_string(total)}' if late else 'amount')

    # === STOCK === #

    def _is_component_added(self):
        """Whether the component that is weighed here went into the batch already."""
        return bool(self.bpr_id.step_ids.filtered(
            lambda step: step.planned['component'] == self.planned['component']).added_signature_id)

    def _post_consumption(self):
        """Book the weighed lots of this component as consumed, so that nobody types them twice (BPR-060)."""
        target = self._get_target()
        if target:
            self.production_id._mmr_post_consumption(target, self._get_weights())
