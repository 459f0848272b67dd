"""The planner's view of the masters: which sizes there are, what is made and what is missing."""

from odoo import api, fields, models
from odoo.fields import Domain

from ...domain.arguments import takes
from ...domain.batch_split import split_into_batches
from ...domain.numbers import exact
from ...domain.refusals import refusal

#: As many orders are made at once; more is a typing error or wants a larger batch size.
MAX_BATCHES = 200
#: As many rows are sent to the browser at once.
MAX_ROWS = 200


class MrpMmr(models.Model):
    _inherit = 'mrp.mmr'

    # === PROPOSAL === #

    def _propose_batches(self, demand):
        """Split a demand into batches of these masters, which are of one product, formulation and company.

        :param demand: Decimal in the product's unit
        :return: list of (master, number of batches), largest size first; never less than the demand in total
        """
        by_size = {exact(mmr.batch_size_product_uom): mmr for mmr in self}
        return [(by_size[size], number) for size, number in split_into_batches(demand, by_size)]

    def action_plan(self):
        """Open the dialog that splits a demand into batches; it proposes what the product is short of.

        :raise UserError: unless these masters are of one product, formulation and company
        """
        first = self[:1]
        others = self.filtered(lambda mmr: (mmr.product_id, mmr.formulation_code, mmr.company_id) != (
            first.product_id, first.formulation_code, first.company_id))
        if not first or others:
            raise refusal(
                self.env, self.env._("A demand can only be planned in the batch sizes of one product and one formulation."),
                "MMR-030, 21 CFR 111.205(a)", self.env._("choose MMRs of one formulation."),
                record=self)
        return self.env['mrp.mmr.plan']._open({
            'company_id': first.company_id.id,
            'product_id': first.product_id.id,
            'formulation_code': first.formulation_code,
            'demand_qty': first.product_id._mmr_get_shortage(first.company_id),
        })

    # === MATRIX === #

    @takes(search='text', offset='count', limit='count')
    @api.model
    @api.readonly
    def get_planner_data(self, search='', offset=0, limit=40):
        """Return one page of the planner's matrix: controlled products and formulations with their batch sizes.

        The number of queries depends neither on the number of masters nor on the number of rows.

        :param str search: part of a product's name or reference, of a formulation or of an MMR's number
        :param int offset: rows to skip
        :param int limit: rows to return, at most :data:`MAX_ROWS`
        :return: dict with ``rows``, ``total`` (number of rows of all pages), ``can_plan`` and ``digits``
        """
        search = str(search or '').strip()
        offset, limit = max(int(offset), 0), min(max(int(limit), 1), MAX_ROWS)
        own = Domain('company_id', 'in', self.env.companies.ids) & Domain('product_id.mmr_controlled', '=', True)
        domain = own
        if search:
            domain &= (Domain('product_id', 'ilike', search) | Domain('formulation_code', 'ilike', search)
                       | Domain('name', 'ilike', search))
        groups = self._read_group(
            domain, ['product_id', 'formulation_code', 'company_id'], order='product_id, formulation_code, company_id')
        # A controlled product without any master cannot be made at all: that belongs into the view, too.
        without_domain = (
            Domain('mmr_controlled', '=', True) & Domain('company_id', 'in', [False, *self.env.companies.ids])
            & Domain('id', 'not in', self._search(own).subselect('product_id')))
        if search:
            without_domain &= Domain('display_name', 'ilike', search)
        without = self.env['product.product'].search(without_domain)
        keys = groups + [(product, False, self.env.company) for product in without]
        page = keys[offset:offset + limit]
        cells = self._get_planner_cells(page, own)
        quantities = self._get_planner_quantities(page)
        several = len(self.env.companies) > 1
        return {
            'rows': [
                {
                    'key': f'{product.id}/{company.id}/{formulation or ""}',
                    'product_id': product.id,
                    'product': product.display_name,
                    'formulation': formulation,
                    'company': several and company.name,
                    'unit': product.uom_id.name,
                    **quantities[product, company],
                    'cells': cells.get((product, formulation, company), []),
                }
                for product, formulation, company in page
            ],
            'total': len(keys),
            'can_plan': self.env['mrp.production'].has_access('create') and self.env['mrp.mmr.plan'].has_access('create'),
            'digits': self.env['decimal.precision'].precision_get('Product Unit'),
        }

    @api.model
    def _get_planner_cells(self, page, own):
        """Return, for each row of ``page``, its masters by growing batch size, as what the browser shows of them."""
        masters = self.search_fetch(
            own & Domain('product_id', 'in', [product.id for product, _formulation, _company in page])
            & Domain('formulation_code', 'in', [formulation for _product, formulation, _company in page if formulation]),
            ['name', 'product_id', 'formulation_code', 'company_id', 'batch_size', 'uom_id', 'effective_revision_id',
             'open_revision_id', 'date_next_review'],
            order='batch_size_product_uom, id')
        orders = masters._get_open_order_counts()
        today = {company: company._get_mmr_today() for company in masters.company_id}
        cells = {}
        for mmr in masters:
            effective, opened, review = mmr.effective_revision_id, mmr.open_revision_id, mmr.date_next_review
            cells.setdefault((mmr.product_id, mmr.formulation_code, mmr.company_id), []).append({
                'id': mmr.id,
                'name': mmr.name,
                'batch_size': mmr.batch_size,
                'unit': mmr.uom_id.name,
                'revision': effective.revision if effective else False,
                'open_revision': opened.revision if opened else False,
                'open_state': opened.state if opened else False,
                'open_state_label': opened._get_state_label() if opened else False,
                'review': fields.Date.to_string(review) or False,
                'review_overdue': bool(review and review < today[mmr.company_id]),
                'order_count': orders.get(mmr, 0),
            })
        return cells

    def _get_open_order_counts(self):
        """Return how many orders of each master are neither done nor cancelled, drafts included."""
        revisions = self.env['mrp.mmr.revision'].search_fetch(
            [('mmr_id', 'in', self.ids)], ['mmr_id', 'bom_id', 'revision', 'state'])
        master_of = {revision.bom_id: revision.mmr_id for revision in revisions}
        counts = {}
        for bom, count in self.env['mrp.production']._read_group(
                [('bom_id', 'in', revisions.bom_id.ids), ('state', 'not in', ('done', 'cancel'))], ['bom_id'], ['__count']):
            counts[master_of[bom]] = counts.get(master_of[bom], 0) + count
        return counts

    @api.model
    def _get_planner_quantities(self, page):
        """Return on hand and open demand of the rows' products, company by company."""
        products_of = {}
        for product, _formulation, company in page:
            products_of[company] = products_of.get(company, self.env['product.product']) | product
        quantities = {}
        for company, products in products_of.items():
            for product in products._mmr_in_company(company):
                quantities[product, company] = {
                    'on_hand': product.qty_available,
                    'open_demand': max(product.outgoing_qty - product.incoming_qty, 0.0),
                    'forecast': product.virtual_available,
                }
        return quantities
