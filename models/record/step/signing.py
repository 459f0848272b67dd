"""Signatures of a step: who did it, who verified it, who added and who verified that, and Quality Control."""

from decimal import Decimal

from odoo import fields, models
from odoo.tools import LazyTranslate, format_datetime

from ....domain.canonical import sha256
from ....domain.criterion import time_text
from ....domain.durations import add_to, elapsed_text, is_longer
from ....domain.limits import is_permitted
from ....domain.numbers import decimal_string, round_fraction
from ....domain.refusals import refusal
from ....domain.roles import ROLE_GROUPS
from ....domain.signing import SigningRule
from ....domain.step_kinds import ENTRY_OF_STEP
from ....domain.step_states import CLOSED, POINT_FIELDS, VERIFIES

_lt = LazyTranslate(__name__)
CLOSING_RULE = "USE-050, 21 CFR 111.255(c)"
HOLD_RULE = "IPC-060, 21 CFR 211.110(c)"
RETEST_RULE = "IPC-030, 21 CFR 211.192"


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    _signing_citation = "VER-050, USE-050, 21 CFR 111.260(j), 11.10(f)"
    _signing_next_step = _lt("sign what the step is waiting for.")
    # Everything here is signed at the terminal of a colleague, with own user name and password (SIG-040, VER-050).
    _signing_actions = {
        # The points of a step, in the order that its kind has. Its MMR may name other roles and meanings.
        'performed': SigningRule(
            meaning='performed', group='mrp_mmr.group_mmr_operator', states=('started', 'checking'), at_terminal=True,
            statement=_lt("I performed this step as written, at the time recorded."),
            prepare='_prepare_work', check_signer='_check_trained_person', filter_signer='_filter_trained_person',
            apply='_apply_point'),
        'verified': SigningRule(
            meaning='verified', group='mrp_mmr.group_mmr_verifier', states=('started', 'checking'), at_terminal=True,
            statement=_lt("I verified this step while or after it was performed by another person."),
            prepare='_prepare_verification', check_signer='_check_verifier', filter_signer='_filter_verifier',
            apply='_apply_point'),
        'added': SigningRule(
            meaning='performed', group='mrp_mmr.group_mmr_operator', states=('started', 'checking'), at_terminal=True,
            statement=_lt("I added this component to the batch."),
            prepare='_prepare_work', check_signer='_check_trained_person', filter_signer='_filter_trained_person',
            apply='_apply_point'),
        'addition_verified': SigningRule(
            meaning='verified', group='mrp_mmr.group_mmr_verifier', states=('started', 'checking'), at_terminal=True,
            statement=_lt("I verified that this component was added to the batch."),
            prepare='_prepare_verification', check_signer='_check_verifier', filter_signer='_filter_verifier',
            apply='_apply_point'),
        # Quality Control on the material of the step.
        'hold_approve': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_qc', at_terminal=True,
            statement=_lt("I examined the in-process material and approve it; specifications were met."),
            prepare='_prepare_hold_decision', apply='_apply_hold_approval'),
        'hold_reject': SigningRule(
            meaning='rejected', group='mrp_mmr.group_mmr_qc', at_terminal=True, comment_required=True,
            statement=_lt("I reject the in-process material."),
            prepare='_prepare_hold_decision', apply='_apply_hold_rejection'),
        'authorise_retest': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_qc', states=('open', 'started', 'checking'), at_terminal=True,
            comment_required=True, citation=RETEST_RULE, next_step=_lt("continue with the step."),
            statement=_lt("I authorise one more test; the first result stays."),
            prepare='_prepare_retest', apply='_apply_retest'),
        # Production on a step that is left out.
        'not_done': SigningRule(
            meaning='checked', group='mrp_mmr.group_mmr_production', states=('open', 'started', 'checking'),
            leads_to='not_done', at_terminal=True, comment_required=True, citation=CLOSING_RULE,
            next_step=_lt("continue with the next step."),
            statement=_lt("This step was not done; I report the departure from the MMR."),
            prepare='_prepare_not_done', apply='_apply_not_done'),
    }

    def action_sign(self):
        """Open the signature that this step waits for."""
        self.ensure_one()
        return self.action_open_signature('hold_approve' if self.next_point == 'hold' else self.next_point or 'performed')

    def _get_signing_company(self):
        return self.sudo().company_id

    def _get_signing_profile(self):
        return self.sudo().bpr_id._get_signing_profile()

    # === WHAT IS SIGNED === #

    def _prepare_work(self, action):
        planned = self.planned
        return self._prepare_point(
            action, planned['performer_role'] or 'operator', planned['performer_meaning'] or 'performed')

    def _prepare_verification(self, action):
        planned = self.planned
        return self._prepare_point(action, planned['verifier_role'] or 'verifier', planned['verifier_meaning'] or 'verified')

    def _prepare_point(self, point, role, meaning):
        """Return the signature of a point, by the role and with the meaning that the MMR plans."""
        if self.next_point != point:
            raise refusal(
                self.env, self.env._("%(step)s cannot be signed as %(point)s now: %(state)s.", step=self.display_name,
                                     point=point.replace('_', ' '), state=self._describe_next()),
                self._signing_citation, self.env._(self._signing_next_step), record=self)
        self._check_workable()
        self._check_terminal()
        self._check_lots_still_released(point)
        missing = self._get_missing(point)
        if missing:
            raise refusal(
                self.env, self.env._("%(step)s is not complete:\n%(rows)s", step=self.display_name,
                                     rows='\n'.join(f"• {row}" for row in missing)),
                "BPR-030 to BPR-110, 21 CFR 111.260", self.env._("record what is missing, then sign."), record=self)
        return self._make_signing_action(
            point, self._get_document(point), group=ROLE_GROUPS[role], meaning=meaning,
            statement=self._get_statement(point))

    def _check_lots_still_released(self, point):
        """Refuse to sign for material that Quality Control does not let be used any more (VER-030, 21 CFR 211.101(c)(1)).

        An addition that was made is verified all the same: the record says what was done.
        """
        if self.kind not in ('weigh', 'add') or point == 'addition_verified':
            return
        for lot in self._get_weights().lot_id:
            if lot.mmr_status != 'released' or lot._mmr_get_end_of_use():
                raise refusal(
                    self.env, self.env._("%(step)s: lot %(lot)s may no longer be used (%(status)s).",
                                         step=self.display_name, lot=lot.name, status=lot._mmr_get_status_label()),
                    "VER-030, USE-060, 21 CFR 211.101(c)(1)",
                    self.env._("keep it apart and weigh a released lot; correct the entry with a reason."), record=self)

    def _get_statement(self, point):
        """Return what the signer of ``point`` states."""
        return self.env._(self._get_signing_rule(point).statement)

    def _prepare_not_done(self, action):
        self._check_workable(own_deviations=False, closing=True)
        waiting = self._get_waiting_for()
        if waiting:
            raise refusal(
                self.env, self.env._("%(step)s cannot be closed before %(others)s.", step=self.display_name,
                                     others=', '.join(waiting[:3].mapped('display_name'))),
                CLOSING_RULE, self.env._("close the preceding steps."), record=self)
        return self._make_signing_action(action, self._get_document(action))

    def _prepare_hold_decision(self, action):
        if self.next_point != 'hold':
            raise refusal(
                self.env, self.env._("%s is not waiting for a decision on the material.", self.display_name), HOLD_RULE,
                self.env._("the decision is made once the step is performed and verified."), record=self)
        self._check_workable()
        # An approval is the point of the step; a rejection is none.
        return self._make_signing_action(action, self._get_document('hold' if action == 'hold_approve' else action))

    def _prepare_retest(self, action):
        if not self.sudo().entry_ids.filtered(lambda entry: entry.outcome == 'fail'):
            raise refusal(
                self.env, self.env._("%s has no result out of limits that could be tested again.", self.display_name),
                RETEST_RULE, self.env._("continue with the step."), record=self)
        self.sudo().bpr_id._check_not_rejected()
        return self._make_signing_action(action, self._get_document(action))

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
            return [self.env._("a correction is waiting for its signature")] if any(
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
            rows.append(self.env._("the component has not been weighed"))
        if planned['equipment'] and self.kind != 'equipment' and not self._get_units(planned['equipment']):
            rows.append(self.env._("equipment: %s is not identified", self._get_planned_unit_name()))
        until = self._get_minimum_end()
        if until and fields.Datetime.now() < until and not self._get_transcriptions():
            rows.append(self.env._(
                "%(minimum)s since the start: not before %(time)s", minimum=time_text(planned, 'minimum_time'),
                time=format_datetime(self.env, until, dt_format='short')))
        return rows

    def _get_minimum_end(self):
        """Return the moment before which this step is not performed, or None (CON-150); steps on paper have their own times."""
        self.ensure_one()
        minimum = self.planned.get('minimum_time')
        if not minimum or not self.started_at:
            return None
        # Times are kept in whole seconds.
        return add_to(self.started_at, minimum, 'min').replace(microsecond=0)

    # === SIGNER === #

    def _group_by_signing_role(self, action):
        if action not in POINT_FIELDS:
            return super()._group_by_signing_role(action)
        return {self._get_signing_group(ROLE_GROUPS[role]): steps
                for role, steps in self.grouped(lambda step: step._get_point_role(action)).items()}

    def _filter_trained_person(self, action, user):
        """Return those of these steps by whose MMR ``user`` may work (SEC-030)."""
        trained = self.sudo().bpr_id.mmr_revision_id._filter_trained(user)
        return self.filtered(lambda step: step.sudo().bpr_id.mmr_revision_id in trained)

    def _filter_foreign_work(self, action, user):
        """Return those of these steps that ``user`` did not perform, add or write any entry of (VER-010, VER-100)."""
        persons = user._get_gmp_persons()

        def is_foreign(step):
            before = step.sudo()[POINT_FIELDS[VERIFIES[action]]]
            return not step._get_performers()._get_gmp_persons() & persons and before.partner_id != user.partner_id

        return self.filtered(is_foreign)

    def _filter_verifier(self, action, user):
        return self._filter_foreign_work(action, user)._filter_trained_person(action, user)

    def _check_trained_person(self, action, user):
        self.sudo().bpr_id.mmr_revision_id._check_trained(user)

    def _check_verifier(self, action, user):
        """Refuse the verification of one's own work: performed, added or recorded in part (VER-010, VER-020, VER-100)."""
        self._check_trained_person(action, user)
        if not self._filter_foreign_work(action, user):
            raise refusal(
                self.env, self.env._("%(user)s did this at step %(step)s and cannot verify it.", user=user.name,
                                     step=self.display_name),
                "VER-010, VER-020, VER-100, 21 CFR 111.210(h)(3)(ii), 211.101(c)-(d)",
                self.env._("ask another qualified person to verify it and sign here with their own user name and password."),
                record=self)

    # === EFFECT === #

    def _apply_not_done(self, action, signature):
        self.env['mrp.deviation']._open(
            self, 'departure', self.env._("%s was not done", self.display_name), signature.comment or '',
            cause_key='not_done')
        self._close(self._get_signing_rule(action).leads_to)
        self._notify_floor()

    def _apply_retest(self, action, signature):
        self.write({'retest_count': self.retest_count + 1})
        self.deviation_ids.filtered(lambda row: row.state == 'open' and row.entry_id)._note_retest(signature.comment or '')
        self._notify_floor()

    def _apply_hold_rejection(self, action, signature):
        self.env['mrp.deviation']._open(
            self, 'specification', self.env._("%s: in-process material rejected", self.display_name),
            signature.comment or '', severity='major')
        self._notify_floor()

    def _apply_hold_approval(self, action, signature):
        self._apply_point('hold', signature)

    def _apply_point(self, point, signature):
        self.write({POINT_FIELDS[point]: signature.id, 'state': 'checking'})
        if point == next(iter(self.points)):
            self._check_amount()
            self._log_use()
            self._check_duration(
                self.planned['time_limit'], 'min', self.started_at, 'step', self.display_name,
                time_text(self.planned, 'time_limit'))
        if point == 'added':
            self._post_consumption()
        if not self.next_point:
            self._close('done')
        self._notify_floor()

    def _close(self, state):
        self.write({'state': state, 'closed_at': fields.Datetime.now()})
        self._finish_workorder()
        if self.kind == 'yield' and state == 'done':
            self._warn_of_drift()
        stage = self.bpr_id.step_ids.filtered(lambda step: step.stage == self.stage)
        if all(step.state in CLOSED for step in stage):
            started = min(filter(None, stage.mapped('started_at')), default=None)
            limit = self.planned['stage']['time_limit']
            self._check_duration(limit, 'h', started, 'stage', self.planned['stage']['name'], f'{limit} h')

    def _check_duration(self, limit, unit, started, what, name, written):
        """Open a deviation where a step or stage took longer than it may (IPC-040, 21 CFR 211.111).

        :param limit: in ``unit``
        :param str written: the limit as it was written, with its unit
        """
        if not limit or not started:
            return
        taken = fields.Datetime.now() - started
        if is_longer(taken, limit, unit):
            self.env['mrp.deviation']._open(
                self, 'departure', self.env._("Time limit exceeded: %s", name),
                self.env._("It took %(taken)s (h:mm:ss); the limit is %(limit)s.", taken=elapsed_text(taken), limit=written),
                cause_key=f'time:{what}')

    def _check_amount(self, late=False):
        """Open a deviation where the amount of a component leaves its tolerance (USE-070, 21 CFR 111.113(a)(2))."""
        target = self._get_target()
        if self.kind != 'weigh' or not target:
            return
        total = sum(entry._get_quantity() for entry in self._get_weights())
        wanted, tolerance = self._get_target_quantity(), target.get('tolerance')
        if is_permitted(total, target, wanted):
            return
        total = round_fraction(total)
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
