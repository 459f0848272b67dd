"""Training that a revision requires: who has it, who lacks it, and the refusal (SEC-030, 21 CFR 111.14(b)(2))."""

from odoo import api, fields, models

from ....domain.refusals import refusal
from ....domain.roles import ROLE_GROUPS
from ....domain.rules import TRAINING_RULE

#: Persons that a refusal names.
NAMED = 10


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    training_revision_id = fields.Many2one(
        'mrp.mmr.revision', "Training Required By", compute='_compute_training_revision_id', compute_sudo=True,
        help="The latest revision up to this one that requires training. Anyone trained on it, or on a later one, may work.")
    trained_user_ids = fields.Many2many(
        'res.users', string="Trained", compute='_compute_trained_user_ids', compute_sudo=True,
        help="People who hold a role named in a step of this revision and were trained.")
    untrained_user_ids = fields.Many2many(
        'res.users', string="Not Trained", compute='_compute_trained_user_ids', compute_sudo=True,
        help="People who hold a role named in a step of this revision and were not trained.")

    @api.depends('training_required', 'state')
    def _compute_training_revision_id(self):
        for revision in self:
            revision.training_revision_id = revision._get_training_revisions()[:1]

    def _compute_trained_user_ids(self):
        for revision in self:
            users = revision._get_step_users()
            trained = users._filter_trained(revision._get_training_revisions() or revision._origin)
            revision.trained_user_ids = trained
            revision.untrained_user_ids = users - trained

    def _get_step_users(self):
        """Return everybody who holds a role that a step of this revision names."""
        return self.env['res.users'].search([
            ('all_group_ids', 'in', self._get_step_groups().ids), ('company_ids', 'in', self.company_id.ids),
            ('share', '=', False)], order='name, id')

    def _get_step_groups(self):
        """Return the groups of the roles that perform, verify or sample in a step of this revision."""
        steps = self.step_ids
        roles = {*steps.mapped('performer_role'), *steps.mapped('verifier_role'), *steps.filtered(
            lambda step: step.sample_required or step.kind == 'sampling').mapped('sample_role')} - {False}
        return self.env['res.groups'].union(*(self.env.ref(ROLE_GROUPS[role]) for role in roles))

    def _get_training_revisions(self):
        """Return the revisions whose training is valid for this one, the one that requires it first; empty if none is required.

        A revision that requires none does not cancel the requirement of an earlier one: otherwise a correction of a
        word would let everybody work with a change that they do not know. A revision that was never used requires nothing.
        """
        self.ensure_one()
        if not self.id:
            return self.filtered('training_required')
        history = self.sudo().search_fetch(
            [('mmr_id', '=', self.mmr_id.id), ('revision', '<=', self.revision),
             '|', ('id', '=', self.id), ('effective_at', '!=', False)], ['revision', 'training_required'], order='revision')
        asking = history.filtered('training_required')[-1:]
        return history.filtered(lambda revision: asking and revision.revision >= asking.revision)

    def _check_trained(self, users):
        """Refuse people who lack the training that this revision requires; called when they start a step.

        :raise UserError: naming them
        """
        self.ensure_one()
        untrained = users._get_untrained(self).sudo()
        if untrained:
            names = ", ".join(untrained[:NAMED].mapped('name'))
            raise refusal(
                self.env,
                self.env._("%(revision)s requires training, and these people have no training that is valid on %(today)s: "
                           "%(names)s.",
                           revision=self.display_name, today=self.company_id._get_mmr_today(),
                           names=f"{names} …" if len(untrained) > NAMED else names),
                TRAINING_RULE,
                self.env._("have a Production Responsible or Quality Control record the training, on the Training page of "
                           "the revision, or let a trained person work."), record=self)

    def action_record_training(self):
        """Open the dialog that records training on this revision, for everybody who lacks it."""
        self.ensure_one()
        self.check_access('read')
        return self.env['mrp.qualification']._open_grant({
            'default_kind': 'revision', 'default_revision_id': self.id,
            'default_user_ids': (self.untrained_user_ids - self.env.user).ids})

    def action_view_training(self):
        """Open everything that was recorded about training on this revision, revoked training included."""
        self.ensure_one()
        self.check_access('read')
        self.env['mrp.qualification'].check_access('read')
        action = self.env['ir.actions.actions']._for_xml_id('mrp_mmr.mrp_qualification_action')
        return dict(action, domain=[('revision_id', '=', self.id)], context={})
