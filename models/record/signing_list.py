"""The signing list of a stage: what waits there for one person, read as a whole and signed by one authentication (SIG-140)."""

from odoo import models
from odoo.exceptions import UserError

from ...domain.arguments import is_id, takes
from ...domain.passkeys import AssertedKey
from ...domain.refusals import refusal
from ...domain.step_states import CLOSED, VERIFIES

RULE = "SIG-140, SIG-030, 21 CFR 11.50, 11.70, 111.260(j)"
#: The action by which the signature dialog signs a list.
LIST = 'signing_list'
#: What a list is of: its part → the actions of steps and of entries that are in it.
PARTS = {
    'performed': {'mrp.bpr.step': ('performed', 'added'), 'mrp.bpr.entry': ('corrected',)},
    'verified': {'mrp.bpr.step': tuple(VERIFIES), 'mrp.bpr.entry': ('verified',)},
}
#: Kinds of steps that another person sees at the moment.
WITNESSED = ('weigh', 'add')


class MrpBpr(models.Model):
    """A list is refused as a whole where one of its rows is; each row gets a signature of its own, one after the other."""
    _inherit = 'mrp.bpr'

    # === WHAT IS ON IT === #

    def _get_listed(self, stage):
        """Return what waits for a signature in a stage: pairs of record and action, by part."""
        self.ensure_one()
        steps = self.step_ids.filtered(lambda step: step.stage == stage).sorted('sequence')
        listed = {part: [] for part in PARTS}
        for part, actions in PARTS.items():
            listed[part] += [(step, step.next_point) for step in steps if step.state not in (*CLOSED, 'open')
                             and step.next_point in actions['mrp.bpr.step']]
        for entry in steps.entry_ids.sorted('id').filtered('is_proposed'):
            action = 'verified' if entry._get_correction_signature() else 'corrected'
            listed['verified' if action == 'verified' else 'performed'].append((entry, action))
        return listed

    def _count_listed(self, stage):
        """Return how many signatures a stage waits for, by part."""
        return {part: len(rows) for part, rows in self._get_listed(stage).items()}

    @takes(stage='count', part='text')
    def prepare_signing_list(self, stage, part):
        """Return what the signature dialog shows of the list of a stage, each row with everything that is signed.

        :param int stage: position of the stage
        :param str part: ``performed`` or ``verified``
        :return: as :meth:`esign_prepare`, with ``rows``: dicts of ``model``, ``id``, ``action``, ``digest``, ``title``,
            ``statement``, ``entries`` and ``left_out``, why a row is not signed in a list
        """
        self.ensure_one()
        self.check_access('read')
        listed = self.sudo()._get_listed(stage).get(part, [])
        rows = [self._prepare_listed(record.with_env(self.env), action) for record, action in listed]
        signed = [row for row in rows if not row['left_out']]
        return {
            'record_name': self.env._("%(batch)s: %(count)s entries", batch=self.display_name, count=len(signed)),
            'meaning_label': self._get_meaning_labels()['verified' if part == 'verified' else 'performed'],
            'statement': ' '.join(dict.fromkeys(row['statement'] for row in signed)),
            'role': ', '.join(dict.fromkeys(row['role'] for row in signed)),
            'digest': ' '.join(row['digest'] for row in signed), 'comment_required': False, 'annex_sha256': False, 'rows': rows,
            'pin': self._prepare_pin_vals(LIST), **self._prepare_credential_vals(), 'passkey': False, 'passkeys': False}

    def _prepare_listed(self, record, action):
        """Return one row of the list, for the dialog."""
        is_step = record._name == 'mrp.bpr.step'
        step = record if is_step else record.sudo().step_id
        entries = step.sudo()._prepare_floor_entries()
        if not is_step:
            shown = record.sudo() | record.sudo().supersedes_id
            entries = [row for row in entries if row['id'] in shown.ids]
        left_out = record._get_list_obstacle(action)
        try:
            prepared = {} if left_out else record.esign_prepare(action)
        except UserError as error:
            left_out, prepared = str(error.args[0]), {}
        return {
            'model': record._name, 'id': record.id, 'action': action, 'title': step.sudo().display_name,
            'instruction': step.sudo().planned['instruction'], 'entries': entries, 'left_out': left_out,
            'digest': prepared.get('digest', ''), 'statement': prepared.get('statement', ''), 'role': prepared.get('role', '')}

    # === SIGNING === #

    def _get_signing_rule(self, action):
        if action != LIST:
            return super()._get_signing_rule(action)
        # It is signed where its rows are; each of them has a rule of its own.
        return self.env['mrp.bpr.step']._get_signing_rules()['performed']

    def _esign_all(self, action, digest, comment, annex_sha256, key):
        """Sign a list: ``digest`` is then a list of rows as :meth:`prepare_signing_list` gave them (SIG-140)."""
        if action != LIST:
            return super()._esign_all(action, digest, comment, annex_sha256, key)
        if isinstance(key, AssertedKey):
            raise refusal(
                self.env, self.env._("A passkey signs one record at a time."), RULE,
                self.env._("open the steps one by one and sign each."), record=self)
        signatures = self.env['mrp.esignature']
        for record, row_action, shown in self._read_listed(digest):
            record._check_listed(row_action, self.env.user)
            signatures |= record._esign(row_action, shown, comment, None, key)
        return signatures

    def _read_listed(self, rows):
        """Return record, action and shown digest of each row that a client sent; all of one stage of this batch.

        :raise UserError: for anything else
        """
        self.ensure_one()
        found, stages, parts = [], set(), set()
        for row in rows if isinstance(rows, list) and len(rows) <= 200 else []:
            row = row if isinstance(row, dict) else {}
            model, action = row.get('model'), row.get('action')
            part = isinstance(model, str) and next(
                (name for name, actions in PARTS.items() if action in actions.get(model, ())), None)
            record = self.env[model].browse(row['id']).exists() if part and is_id(row.get('id')) else None
            step = record and (record if model == 'mrp.bpr.step' else record.sudo().step_id)
            if not step or step.sudo().bpr_id != self:
                raise self._refuse_list()
            stages.add(step.stage)
            parts.add(part)
            found.append((record, action, row.get('digest')))
        records = {(record._name, record.id) for record, *_rest in found}
        if not found or len(stages) > 1 or len(parts) > 1 or len(records) < len(found):
            raise self._refuse_list()
        return found

    def _refuse_list(self):
        return refusal(
            self.env, self.env._("%s: this is no list of what one stage waits for.", self.display_name), RULE,
            self.env._("close the dialog, open the list again, read it and sign it."), record=self)


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    def _get_list_obstacle(self, action):
        """Return why ``action`` is signed at the step itself and not in a list; empty where it may be in one."""
        self.ensure_one()
        if action in VERIFIES and self.kind in WITNESSED:
            return self.env._(
                "Another person sees this when it is done and signs at the step (21 CFR 111.210(h)(3), 211.101(c)-(d)).")
        if action in VERIFIES and self.is_critical:
            return self.env._("A critical step is verified when it is done, at the step.")
        if self.is_hold_point:
            return self.env._("The material waits for Quality Control: it is signed at the step.")
        return ''

    def _check_listed(self, action, user):
        """Refuse what is not signed in a list: what is witnessed at the moment, and what others recorded (SIG-140)."""
        obstacle = self._get_list_obstacle(action)
        others = self.sudo().entry_ids.user_id._get_gmp_persons() - user._get_gmp_persons()
        if not obstacle and action == 'performed' and others:
            obstacle = self.env._("Others recorded at this step as well.")
        if obstacle:
            raise refusal(
                self.env, self.env._("%(step)s is not signed in a list. %(why)s", step=self.display_name, why=obstacle), RULE,
                self.env._("sign it at the step."), record=self)


class MrpBprEntry(models.Model):
    _inherit = 'mrp.bpr.entry'

    def _get_list_obstacle(self, action):
        return ''

    def _check_listed(self, action, user):
        """Refuse to sign in a list what another person entered; whoever verifies is judged as ever (SIG-140)."""
        if action == 'corrected' and self.sudo().user_id._get_gmp_persons() != user._get_gmp_persons():
            raise refusal(
                self.env, self.env._("%(user)s did not make this entry: %(entry)s.", user=user.name, entry=self.display_name),
                RULE, self.env._("let the person sign who made it."), record=self)
