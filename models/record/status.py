"""The status of a batch in words, said once: ribbon, badge, review, shop floor and lists show these (REL-010, BPR-130)."""

from odoo import api, fields, models
from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)
#: What the way to the release has come to, of a completed batch.
BATCH = {
    'review': _lt("to be reviewed"), 'approved': _lt("reviewed"), 'certified': _lt("certified"),
    'released': _lt("batch released"), 'rejected': _lt("batch rejected")}
#: What became of the packaged lot of a released batch.
PACKED = {False: _lt("packed lot open"), 'released': _lt("packed lot released"), 'rejected': _lt("packed lot rejected")}


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    status_text = fields.Char("Status in Words", compute='_compute_status', compute_sudo=True)
    status_kind = fields.Selection([
        ('open', "Open"),
        ('quarantine', "In Quarantine"),
        ('released', "Released"),
        ('rejected', "Rejected"),
    ], compute='_compute_status', compute_sudo=True, help="What may be done with the goods: only released goods may leave.")

    @api.depends('state', 'release_state', 'packed_state', 'lot_ids.mmr_status')
    @api.depends_context('lang')
    def _compute_status(self):
        packed = self._origin.filtered(lambda bpr: bpr.release_state == 'released')._filter_packed()
        for bpr in self:
            bpr.status_text, bpr.status_kind = bpr._get_status(bpr._origin in packed)

    def _get_status(self, is_packed):
        """Return the status of the batch, its packaged lot and its lots as ``(text, kind)``.

        For instance *batch released · packed lot open · in quarantine*: what Quality Control decided, what is still to be
        decided, and whether the goods may leave now.
        """
        self.ensure_one()
        statuses = set(self._get_own_lots().mapped('mmr_status'))
        if self.release_state not in BATCH:
            return dict(self._fields['state']._description_selection(self.env))[self.state], 'open'
        words = [self.env._(BATCH[self.release_state])]
        if self.release_state == 'released' and is_packed:
            words.append(self.env._(PACKED[self.packed_state or False]))
        if 'rejected' in (self.release_state, self.packed_state) or statuses == {'rejected'}:
            kind = 'rejected'
            if self.release_state != 'rejected' and self.packed_state != 'rejected':
                words.append(self.env._("lot rejected"))
        elif statuses == {'released'}:
            kind = 'released'
        else:
            kind = 'quarantine'
            words.append(self.env._("in quarantine"))
        return ' · '.join(words), kind
