"""Record, moves and stock of a batch agree, at completion, review and release (STK-040, 21 CFR 111.260(f), 211.192)."""

from odoo import models

from ...domain.refusals import refusal
from ...verification.stock import find_differences, plain

RULE = "STK-040, 21 CFR 111.260(f), 211.192"


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    def _get_stock_differences(self):
        """Return what record, moves and stock of these batches say differently, as sentences by batch."""
        self.env.flush_all()
        found = {bpr: [] for bpr in self}
        for row in find_differences(self.env.cr, self.ids) if self else ():
            product = self.env['product.product'].sudo().browse(row.product_id)
            what = product.display_name
            if row.lot:
                what = self.env._("%(product)s, lot %(lot)s", product=what, lot=row.lot)
            vals = {'what': what, 'expected': plain(row.expected), 'found': plain(row.found), 'unit': product.uom_id.name,
                    'place': row.place}
            found[self.browse(row.bpr_id)].append({
                'used': self.env._("%(what)s: recorded %(expected)s %(unit)s, taken from stock %(found)s %(unit)s"),
                'made': self.env._("%(what)s: yield %(expected)s %(unit)s, added to stock %(found)s %(unit)s"),
                'stock': self.env._("%(what)s: moved to %(place)s %(expected)s %(unit)s, in stock there %(found)s %(unit)s"),
            }[row.kind] % vals)
        return found

    def _check_stock_agrees(self):
        """Refuse a batch whose record, moves and stock differ.

        :raise UserError: naming product, lot and both quantities
        """
        for bpr, rows in self._get_stock_differences().items():
            if rows:
                raise refusal(
                    self.env, self.env._("%(bpr)s: the stock does not agree with the record:\n%(rows)s", bpr=bpr.name,
                                         rows='\n'.join(f"• {row}" for row in rows[:30])), RULE,
                    self.env._("use Book Again on the batch record, which books what was recorded."), record=bpr)

    def _complete(self):
        # PostgreSQL sees what Odoo still writes on the moves before the record is closed.
        self.env.flush_all()
        super()._complete()
        self._check_stock_agrees()

    def _iterate_release_issues(self, purpose):
        yield from super()._iterate_release_issues(purpose)
        completed = self.filtered(lambda bpr: bpr.state == 'done')
        for bpr, rows in completed._get_stock_differences().items():
            for row in rows:
                yield bpr, self._prepare_issue(bpr, 'stock', RULE, row)

    def action_book_again(self):
        """Make the moves of a completed batch follow its record, where they do not.

        :raise UserError: after the decision of Quality Control, or by anybody but production and Quality Control
        """
        self.ensure_one()
        self.check_access('read')
        if not any(self.env.user.has_group(f'mrp_mmr.group_mmr_{role}') for role in ('production', 'qc')):
            raise refusal(
                self.env, self.env._("%s has no role for booking batches.", self.env.user.name), f"SEC-010, {RULE}",
                self.env._("ask a Production Responsible or Quality Control."), record=self)
        self._check_not_decided()
        bpr = self.sudo()
        if bpr.state != 'done':
            raise refusal(
                self.env, self.env._("%s is not completed.", bpr.name), RULE, self.env._("complete its order first."),
                record=bpr)
        before = bpr._get_stock_differences()[bpr]
        bpr.production_id._mmr_settle()
        bpr._check_stock_agrees()
        bpr.production_id._message_log(
            body=self.env._("Booked again as recorded:\n%s", '\n'.join(before)), author_id=self.env.user.partner_id.id)
        return True
