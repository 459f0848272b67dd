"""How long batch records are kept, what carries the date, holds, and the one way on which a record's content goes."""

from contextlib import contextmanager
from datetime import timedelta

from freezegun import freeze_time

from psycopg2.errors import CheckViolation

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import SQL, mute_logger

from ..evidence import ledger
from ..evidence.records import Verification
from ..retention import GONE
from .common import PNG
from .test_lot_status import LotCommon


class RetentionCommon(LotCommon):
    """A completed batch of a product without packs, so that one decision is made on it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        helper = cls('_prepare')
        helper._prepare()

    def _prepare(self):
        cls = type(self)
        cls.revision = self._make_effective(self._create_mmr())
        cls.bpr = self._make_completed()
        cls.order, cls.lot = cls.bpr.production_id, cls.bpr.lot_ids
        cls.qc = cls.bpr.with_user(cls.user_qc)
        cls.template = cls.product.product_tmpl_id

    @contextmanager
    def _unguarded(self, *tables):
        """Change the past: what no user can, so that a date lies behind the clock of PostgreSQL."""
        self.env.flush_all()
        for table in tables:
            self.env.cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table)))
        yield self.env.cr
        for table in tables:
            self.env.cr.execute(SQL("ALTER TABLE %s ENABLE TRIGGER USER", SQL.identifier(table)))
        self.env.invalidate_all()

    def _set_profile(self, code):
        with self._unguarded('mrp_mmr') as cr:
            cr.execute(SQL("UPDATE mrp_mmr SET profile_id = %s WHERE id = %s",
                           self.env.ref(f'mrp_mmr.profile_{code.lower()}').id, self.revision.mmr_id.id))
        self.env['mrp.bpr']._update_retention()

    def _expire(self, date):
        """Let the lot of the batch have expired on a day, as it was released."""
        with self._unguarded('stock_lot') as cr:
            cr.execute(SQL("UPDATE stock_lot SET expiration_date = %s WHERE id = %s", date, self.lot.id))
        self.env['mrp.bpr']._update_retention()

    def _ship(self, quantity=5, lot=None, back=False, **vals):
        """Deliver some of a lot to a customer, or take it back; return the transfer."""
        stock, customers = self.env.ref('stock.stock_location_stock'), self.env.ref('stock.stock_location_customers')
        places = (customers, stock) if back else (stock, customers)
        lot = lot or self.lot
        move = self.env['stock.move'].create({
            'product_id': lot.product_id.id, 'product_uom': lot.product_uom_id.id, 'product_uom_qty': quantity,
            'location_id': places[0].id, 'location_dest_id': places[1].id})
        picking = self.env['stock.picking'].create({
            'picking_type_id': self.env.ref(f"stock.picking_type_{'in' if back else 'out'}").id, 'origin': "SO/77",
            'partner_id': self.env.ref('base.res_partner_2').id if 'base.res_partner_2' in self.env else
            self.env['res.partner'].create({'name': "Pharmacy Ltd."}).id,
            'location_id': places[0].id, 'location_dest_id': places[1].id, 'move_ids': [Command.link(move.id)]})
        self.env['stock.move.line'].create({
            'move_id': move.id, 'picking_id': picking.id, 'product_id': lot.product_id.id, 'lot_id': lot.id,
            'quantity': quantity, 'product_uom_id': lot.product_uom_id.id, 'location_id': places[0].id,
            'location_dest_id': places[1].id, 'picked': True, **vals})
        picking.action_confirm()
        picking.button_validate()
        self.assertEqual(picking.state, 'done')
        return picking

    def _findings(self):
        self.env.flush_all()
        return [finding for finding in Verification(self.env.cr) if finding.severity == ledger.FINDING]

    def _hold(self, reason="Claim 7", user=None, **subject):
        hold = self.env['mrp.legal.hold'].with_user(user or self.user_qc)._record(reason, **subject)
        self._sign(hold, 'hold', user or self.user_qc)
        return hold.with_env(self.env)

    def _dispose(self, bprs=None, reason="Retention period over"):
        """Record and sign a disposal; return it."""
        disposal = self.env['mrp.record.disposal'].with_user(self.user_qc)._record(bprs or self.bpr, reason)
        self._sign(disposal, 'dispose', self.user_qc)
        return disposal.with_env(self.env)
