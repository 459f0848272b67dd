"""Dialogs that open next revisions, and say where something is used (REV-030)."""

from odoo import api, fields, models

from ..domain.refusals import refusal
from ..models.master.revision.revision import CHANGE_CATEGORIES


class MrpMmrChange(models.TransientModel):
    """Open the next revision of one MMR or of many, with one category, description, reason and date (REV-030)."""
    _name = 'mrp.mmr.change'
    _description = "Change of Master Manufacturing Records"

    revision_ids = fields.Many2many(
        'mrp.mmr.revision', string="Revisions to Change", required=True,
        help="The next revision of each MMR is copied from the one listed here.")
    blocked_ids = fields.Many2many(
        'mrp.mmr.revision', compute='_compute_blocked_ids', string="Already Open",
        help="Their MMRs already have an open revision: finish or cancel it first, or change it as well.")
    change_category = fields.Selection(
        [item for item in CHANGE_CATEGORIES if item[0] != 'initial'], required=True, default='formula')
    description = fields.Text("Description of the Change", required=True)
    reason = fields.Text(required=True)
    date_effective = fields.Date("Effective Date")
    training_required = fields.Boolean(
        help="Nobody can work with the new revisions without training on them (SEC-030, 21 CFR 111.14(b)(2)).")

    @api.depends('revision_ids')
    def _compute_blocked_ids(self):
        for wizard in self:
            wizard.blocked_ids = wizard.revision_ids._origin.mmr_id.open_revision_id

    def action_create(self):
        """Create the drafts and open them; MMRs with an open revision are left out.

        :raise UserError: where nothing is left to do
        """
        self.ensure_one()
        # One draft for each MMR, from the newest of its revisions that were chosen.
        newest = [max(group, key=lambda revision: revision.revision) for group in self.revision_ids.grouped('mmr_id').values()]
        revisions = self.revision_ids.browse().union(*newest).filtered(
            lambda revision: not revision.mmr_id.open_revision_id)
        if not revisions:
            (self.revision_ids.mmr_id or self.env['mrp.mmr'])._check_no_open_revision()
            raise refusal(
                self.env, self.env._("No revision was chosen."), "REV-030, EU GMP 4.3",
                self.env._("choose the revisions to change."))
        drafts = revisions._create_successor({
            'change_category': self.change_category, 'description': self.description, 'reason': self.reason,
            'date_effective': self.date_effective, 'training_required': self.training_required,
        })
        action = {
            'type': 'ir.actions.act_window', 'name': self.env._("New Revisions"), 'res_model': 'mrp.mmr.revision',
            'view_mode': 'list,form', 'domain': [('id', 'in', drafts.ids)],
        }
        if len(drafts) == 1:
            action.update(view_mode='form', res_id=drafts.id, name=drafts.display_name)
        return action


class MrpMmrWhereUsed(models.TransientModel):
    """Find every master record that uses a component, equipment, document or label (REV-040, ISO 13485 4.2.4)."""
    _name = 'mrp.mmr.where.used'
    _description = "Where Used in Master Manufacturing Records"

    product_id = fields.Many2one('product.product', "Component or Material")
    equipment_id = fields.Many2one('maintenance.equipment', "Unit of Equipment")
    category_id = fields.Many2one('maintenance.equipment.category', "Class of Equipment")
    sop_id = fields.Many2one('mrp.sop', "Document")
    label_id = fields.Many2one('mrp.mmr.label')
    partner_id = fields.Many2one('res.partner', "Supplier")
    include_drafts = fields.Boolean("Include Open Revisions")
    revision_ids = fields.Many2many('mrp.mmr.revision', compute='_compute_revision_ids', string="Revisions")
    revision_count = fields.Integer(compute='_compute_revision_ids')

    def _compute_display_name(self):
        self.display_name = self.env._("Where Used")

    @api.depends('product_id', 'equipment_id', 'category_id', 'sop_id', 'label_id', 'partner_id', 'include_drafts')
    def _compute_revision_ids(self):
        for wizard in self:
            states = ['effective'] + (['draft', 'submitted', 'approved'] if wizard.include_drafts else [])
            wizard.revision_ids = self.env['mrp.mmr.revision']._search_where_used(
                wizard.product_id, wizard.equipment_id, wizard.category_id, wizard.sop_id, wizard.label_id,
                wizard.partner_id).filtered(lambda revision, states=states: revision.state in states)
            wizard.revision_count = len(wizard.revision_ids)

    def action_change(self):
        """Open the dialog that makes a draft revision of every effective MMR that was found."""
        self.ensure_one()
        self.env['mrp.mmr.change'].check_access('create')
        revisions = self.revision_ids.filtered(lambda revision: revision.state == 'effective')
        if not revisions:
            raise refusal(
                self.env, self.env._("No effective MMR uses what you chose."), "REV-040, 21 CFR 111.123(a)(1)",
                self.env._("choose something else."))
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Change %s MMRs", len(revisions)),
            'res_model': 'mrp.mmr.change',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_revision_ids': revisions.ids},
        }
