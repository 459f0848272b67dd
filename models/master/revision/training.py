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

    def _group_untrained_users(self):
        """Return who holds a role that a step of these revisions names, and lacks the training that they ask for: a dict from
        the revisions that ask for training. Queries do not grow with the revisions or the persons."""
        asked = {revision: rows for revision, rows in self._group_training_revisions().items() if rows}
        revisions = self.browse().union(*asked)
        steps = self.env['mrp.mmr.step'].sudo().search_fetch(
            [('revision_id', 'in', revisions.ids)],
            ['revision_id', 'performer_role', 'verifier_role', 'sample_required', 'kind', 'sample_role']).grouped(
                lambda step: step.revision_id.id) if revisions else {}
        groups = {revision: self._get_step_groups_of(steps[revision.id]) for revision in revisions if revision.id in steps}
        users = self.env['res.users'].sudo().search(
            [('all_group_ids', 'in', self.env['res.groups'].union(*groups.values()).ids), ('share', '=', False)],
            order='name, id') if groups else self.env['res.users']
        trainings = self.env['mrp.qualification'].sudo().search([
            ('revision_id', 'in', self.browse().union(*asked.values()).ids), ('revoked_at', '=', False)]) if groups else ()
        trained = {(row.revision_id.id, row.user_id.id) for row in trainings if row.state == 'current'}
        return {revision: users.filtered(lambda user, revision=revision: (
            user.all_group_ids & groups[revision] and revision.sudo().company_id in user.company_ids
            and not any((row.id, user.id) in trained for row in asked[revision]))) for revision in groups}

    def _get_step_users(self):
        """Return everybody who holds a role that a step of this revision names."""
        return self.env['res.users'].search([
            ('all_group_ids', 'in', self._get_step_groups().ids), ('company_ids', 'in', self.company_id.ids),
            ('share', '=', False)], order='name, id')

    def _get_step_groups(self):
        """Return the groups of the roles that perform, verify or sample in a step of this revision."""
        return self._get_step_groups_of(self.step_ids)

    @api.model
    def _get_step_groups_of(self, steps):
        roles = {*steps.mapped('performer_role'), *steps.mapped('verifier_role'), *steps.filtered(
            lambda step: step.sample_required or step.kind == 'sampling').mapped('sample_role')} - {False}
        return self.env['res.groups'].union(*(self.env.ref(ROLE_GROUPS[role]) for role in roles))

    def _get_training_revisions(self):
        """Return the revisions whose training is valid for this one, the one that requires it first; empty if none is required.

        A revision that requires none does not cancel the requirement of an earlier one: otherwise a correction of a
        word would let everybody work with a change that they do not know. A revision that was never used requires nothing.
        """
        self.ensure_one()
        return self._group_training_revisions()[self] if self.id else self.filtered('training_required')

    def _group_training_revisions(self):
        """Return :meth:`_get_training_revisions` of each of these revisions; queries do not grow with them."""
        history = self.sudo().search_fetch(
            [('mmr_id', 'in', self.mmr_id.ids), '|', ('id', 'in', self.ids), ('effective_at', '!=', False)],
            ['mmr_id', 'revision', 'training_required', 'effective_at'], order='revision').grouped(lambda row: row.mmr_id.id)
        result = {}
        for revision in self:
            before = history[revision.sudo().mmr_id.id].filtered(lambda row, own=revision: row.id == own.id or (
                row.effective_at and row.revision <= own.revision))
            asking = before.filtered('training_required')[-1:]
            result[revision] = before.filtered(lambda row, first=asking: first and row.revision >= first.revision)
        return result

    def _filter_trained(self, user):
        """Return those of these revisions by which ``user`` may work: they ask for no training, or the person has it.

        Queries do not grow with the revisions.
        """
        asked = self._group_training_revisions()
        trained = user._get_trained_revisions(self.sudo().union(*asked.values()))
        return self.filtered(lambda revision: not asked[revision] or asked[revision] & trained)

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
