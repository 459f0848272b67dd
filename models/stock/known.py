"""What the ledger covers of stock in addition to controlled lots: locations, and expiry dates of older lots (AUD-080)."""

from odoo import SUPERUSER_ID, api, models
from odoo.http import request
from odoo.tools import SQL

from ...domain.sessions import is_own_session
from ...verification.check_places import has_place_lines, read_places, read_unknown_places
from ...verification.queries import CONDITIONS

#: What of a place the ledger follows, as its columns are called.
COLUMNS = {'usage', 'company_id', 'location_id', 'warehouse_id'}


class StockLocation(models.Model):
    """Where goods are follows from what their place is for and of whom it is: each change has its line (REL-070, AUD-090)."""
    _inherit = 'stock.location'

    @api.model_create_multi
    def create(self, vals_list):
        places = super().create(vals_list)
        places._mmr_note({})
        return places

    def _write_multi(self, vals_list):
        # Below write(): the warehouse is computed.
        if not any(COLUMNS & vals.keys() for vals in vals_list):
            return super()._write_multi(vals_list)
        before = read_places(self.env.cr, self.ids)
        result = super()._write_multi(vals_list)
        self._mmr_note(before)
        return result

    def unlink(self):
        # What lies in them goes with them.
        places = self.with_context(active_test=False).search([('id', 'child_of', self.ids)])
        before = read_places(self.env.cr, places.ids)
        result = super().unlink()
        self.env.flush_all()
        places._mmr_note(before)
        return result

    def _mmr_note(self, before, reason=None):
        """Append a line about each of these places that is not what it was ``before``, by id."""
        after = read_places(self.env.cr, self.ids)
        lines, entries, user = [], self.env['mrp.audit.entry'], self.env.user
        if not user._is_superuser() and not is_own_session(request, user.id, self.env.cr):
            # Jobs and actions of Odoo make places as well; nobody is said to have done it (SEC-060).
            entries = entries.with_user(SUPERUSER_ID)
            reason = reason or self.env._("In the name of %s, who was not acting in this session.", user.name)
        for place in self.ids:
            name, old = before.get(place, (None, None))
            name, new = after.get(place, (name, None))
            if old != new:
                company = self.env['res.company'].browse((new or old).get('company')) or self.env.company
                lines.append({
                    'chain': company, 'kind': 'setting', 'model': 'stock.location', 'res_id': place, 'record_name': name,
                    'values': {'place': {**({'old': old} if old else {}), 'new': new}}, 'reason': reason})
        entries._append(lines)


class StockLot(models.Model):
    _inherit = 'stock.lot'

    @api.model
    def _mmr_note_expiry(self):
        """Append the expiry of each lot that the ledger follows without having ever named it."""
        rows = self.env.execute_query(SQL(
            """SELECT t.id FROM stock_lot t WHERE %s AND t.expiration_date IS NOT NULL AND NOT EXISTS (
                  SELECT FROM mrp_audit_entry e
                   WHERE e.res_model = 'stock.lot' AND e.res_id = t.id AND e.kind IN ('create', 'baseline', 'write', 'state')
                     AND e."values"::text LIKE %s) ORDER BY t.id""", SQL(CONDITIONS['stock.lot']), '%"expiration_date"%'))
        lots = self.sudo().browse([lot for lot, in rows])
        lots._audit_append('write', {
            lot: {'expiration_date': {'old': None, 'new': lot._audit_value('expiration_date')}} for lot in lots},
            self.env._("Taken over as it is now."))


class MrpAuditEntry(models.Model):
    _inherit = 'mrp.audit.entry'

    @api.model
    def _note_taken_over(self):
        """Append what the ledger does not know yet: once the expiries of lots, and each place that an update made."""
        super()._note_taken_over()
        self.env.flush_all()
        if not has_place_lines(self.env.cr):
            self.env['stock.lot']._mmr_note_expiry()
        places = self.env['stock.location'].sudo().browse(read_unknown_places(self.env.cr))
        places._mmr_note({}, self.env._("Taken over as it is now."))

    @api.model
    def _render_value(self, name, field, value):
        if name == 'place' and isinstance(value, dict):
            return '; '.join(f"{column}: {value[column]}" for column in sorted(value))
        return super()._render_value(name, field, value)

    @api.model
    def _get_value_labels(self):
        return {**super()._get_value_labels(), 'place': self.env._("Location: Usage, Company, Parent, Warehouse")}
