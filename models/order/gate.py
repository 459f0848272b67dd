"""The gate: an order of a controlled product is released on an effective MMR of exactly its size, or not at all."""

from odoo import api, models

from ...domain.numbers import convert, decimal_string, exact
from ...domain.refusals import refusal
from ...domain.transitions import transition
from .scheduling import is_scheduling
from .snapshot import Snapshot


class MrpProduction(models.Model):
    """Also held in guards/mrp_production.sql."""
    _name = 'mrp.production'
    _inherit = ['mrp.production', 'mrp.audit.trail.mixin', 'mrp.bundle.mixin']

    # === RELEASE === #

    def action_confirm(self):
        """Confirm orders; what is controlled by MMR is released by it, or not at all (USE-010, 21 CFR 111.205(a)).

        Other subjects add their part by the two hooks: what is checked before, and what follows for confirmed orders.
        """
        self._mmr_check_before_confirm()
        result = self._mmr_confirm_one_by_one() if is_scheduling() else self._mmr_release_and_confirm()
        self._mmr_follow_confirm()
        return result

    def _mmr_check_before_confirm(self):
        """Hook: refuse to confirm these orders, by a rule of another subject.

        :raise UserError: naming order and rule
        """

    def _mmr_release_and_confirm(self):
        """Check what is controlled, embed its snapshot, and let Odoo confirm."""
        self._mmr_check_other_products()
        self._mmr_release_to_floor()
        with transition(self.filtered('mmr_snapshot_sha256')):
            return super().action_confirm()  # pylint: disable=super-method-mismatch

    def _mmr_follow_confirm(self):
        """Hook: do what follows from the confirmation of these orders; some may still be drafts (see :func:`scheduling`)."""

    def _mmr_check_other_products(self):
        """Refuse to make a controlled product together with another one: it needs its own MMR and order."""
        for production in self:
            for move in production.move_finished_ids:
                if move.product_id.mmr_controlled and move.product_id != production.product_id \
                        and not production.bom_id.sudo().mmr_revision_ids:
                    raise production._mmr_refuse_other_product(move.product_id)

    def _mmr_refuse_other_product(self, product):
        return refusal(
            self.env,
            self.env._("%(order)s cannot make %(product)s together with %(main)s: %(product)s is controlled by MMR.",
                       order=self.name, product=product.display_name, main=self.product_id.display_name),
            "USE-010, 21 CFR 111.205(a)",
            self.env._("make %s with an order of its own, on its MMR.", product.display_name), record=self)

    def _mmr_check_no_kits(self):
        """Refuse components that became kits after the approval: Odoo would put others in their place (MMR-050)."""
        for company, orders in self.grouped('company_id').items():
            kits = self.env['mrp.bom'].sudo()._bom_find(
                orders.move_raw_ids.product_id, company_id=company.id, bom_type='phantom')
            for order in orders if kits else ():
                for product in order.move_raw_ids.product_id.filtered(kits.get):
                    raise refusal(
                        self.env,
                        self.env._("%(order)s: %(product)s has become a kit; its content is not what was signed.",
                                   order=order.name, product=product.display_name),
                        "MMR-050, 21 CFR 111.210(b)",
                        self.env._("archive the kit, or have a revision with the components of the kit approved."),
                        record=order)

    def _mmr_refuse_without_lot(self):
        return refusal(
            self.env, self.env._("%(order)s: %(product)s is controlled by MMR but is not tracked by lots.", order=self.name,
                                 product=self.product_id.display_name),
            "REL-010, BPR-020, 21 CFR 111.260(a), 111.410(d), 211.130(c)",
            self.env._("set its tracking to lots on the product, and give the batch a lot number."), record=self)

    def _get_mmr_size_labels(self, masters):
        """Return the batch sizes of ``masters`` that this order could be made in, as text."""
        self.ensure_one()
        usable = masters.filtered(
            lambda mmr: mmr.product_id == self.product_id._origin and mmr.company_id == self.company_id)
        several = len(set(usable.mapped('formulation_code'))) > 1
        return ', '.join(
            f"{mmr._get_batch_size_label()} ({mmr.formulation_code})" if several else mmr._get_batch_size_label()
            for mmr in usable)

    def _mmr_release_to_floor(self):
        """Release draft orders of controlled products: check each against its MMR and embed the snapshot.

        Queries do not grow with the number of orders; orders of other products are not touched.

        :raise UserError: where no effective MMR has exactly the order's size, or order and MMR differ
        """
        drafts = self.filtered(lambda order: order.state == 'draft')
        orders = drafts.filtered(lambda order: order.product_id.mmr_controlled)
        changed = drafts.filtered(lambda order: order.mmr_controlled != order.product_id.mmr_controlled)
        with transition(changed):
            for order in changed:
                order.mmr_controlled = order.product_id.mmr_controlled
        if not orders:
            return
        for order in orders:
            if order.product_tracking == 'serial' and order.product_uom_id != order.product_id.uom_id:
                # Core converts such orders when it confirms them, which would be too late: the size is fixed then.
                order.write({
                    'product_qty': float(convert(order.product_qty, order.product_uom_id, order.product_id.uom_id)),
                    'product_uom_id': order.product_id.uom_id.id,
                })
        revisions = self.env['mrp.mmr.revision'].sudo()
        revisions.search([
            ('state', '=', 'approved'), ('mmr_id.product_id', 'in', orders.product_id.ids),
            ('mmr_id.company_id', 'in', orders.company_id.ids),
        ])._activate_due()
        masters = self.env['mrp.mmr']._get_effective_masters(orders.product_id, orders.company_id)
        chosen = {order: order._mmr_choose(masters).effective_revision_id for order in orders}
        for order in orders:
            if order.product_tracking == 'none':
                raise order._mmr_refuse_without_lot()
        orders._mmr_check_no_kits()
        used = revisions.union(*chosen.values())
        used._lock_for_release()
        snapshots, plans = {}, {}
        for revision in used:
            snapshots[revision] = Snapshot(revision._prepare_snapshot())
            revision._check_bom_is_signed(snapshots[revision]['document'])
            revision.mmr_id._check_review_not_overdue()
            plans[revision] = self._mmr_prepare_plan(revision, snapshots[revision]['document'])
        by_revision = {}
        for order, revision in chosen.items():
            if order.bom_id != revision.bom_id:
                order._mmr_use_revision(revision)
            order._mmr_check_content(revision, plans[revision])
            by_revision[revision] = by_revision.get(revision, self.browse()) | order
        with transition(orders):
            for revision, batch in by_revision.items():
                batch.sudo().write({
                    'mmr_revision_id': revision.id,
                    'mmr_snapshot': snapshots[revision],
                    'mmr_snapshot_sha256': snapshots[revision].sha256,
                })

    def _get_mmr_of_size(self, masters):
        """Return those of ``masters`` that are for this order's product, company and exact quantity (MMR-030)."""
        self.ensure_one()
        size = convert(self.product_qty, self.product_uom_id, self.product_id.uom_id)
        return masters.filtered(
            lambda mmr: mmr.product_id == self.product_id._origin and mmr.company_id == self.company_id
            and size is not None and exact(mmr.batch_size_product_uom) == size)

    def _mmr_choose(self, masters):
        """Return the one master of exactly this order's size.

        :raise UserError: naming the available batch sizes, where there is none or the choice is open
        """
        self.ensure_one()
        candidates = self._get_mmr_of_size(masters)
        own = self.bom_id.sudo().mmr_revision_ids.mmr_id
        if own:
            candidates = candidates.filtered(
                lambda mmr: mmr.formulation_code == own.formulation_code) or (
                    candidates if len(candidates) == 1 else candidates.browse())
        if len(candidates) == 1:
            return candidates
        sizes = self._get_mmr_size_labels(masters)
        wanted = f"{decimal_string(self.product_qty)} {self.product_uom_id.name}"
        if len(candidates) > 1:
            message = self.env._(
                "%(order)s: %(product)s has more than one formulation for %(size)s.", order=self.name,
                product=self.product_id.display_name, size=wanted)
            next_action = self.env._("choose the master manufacturing record on the order: %s.", sizes)
        elif sizes:
            message = self.env._(
                "%(order)s: no effective MMR of %(product)s has the batch size %(size)s. Available batch sizes: "
                "%(sizes)s.", order=self.name, product=self.product_id.display_name, size=wanted, sizes=sizes)
            next_action = self.env._(
                "choose an available batch size, or have an MMR for %s prepared and approved.", wanted)
        else:
            message = self.env._(
                "%(order)s: %(product)s is controlled by MMR and has no effective MMR in %(company)s.", order=self.name,
                product=self.product_id.display_name, company=self.company_id.sudo().name)
            next_action = self.env._("have an MMR for %s prepared and approved.", wanted)
        raise refusal(
            self.env, message, "USE-010, 21 CFR 111.205(a), 211.186(a), EU GMP 4.17", next_action, record=self)

    def _mmr_use_revision(self, revision):
        """Put a draft order on the bill of materials of ``revision``, its quantity unchanged."""
        self.ensure_one()
        if self.bom_id == revision.bom_id:
            self._link_bom(revision.bom_id)
        else:
            self.write({
                'bom_id': revision.bom_id.id, 'product_qty': self.product_qty, 'product_uom_id': self.product_uom_id.id})

    def action_mmr_reset(self):
        """Take components and operations of the MMR again, where a draft was edited."""
        self.check_access('write')
        for production in self:
            if production.state == 'draft' and production.mmr_id.effective_revision_id:
                production._mmr_use_revision(production.mmr_id.effective_revision_id)
        return True

    @api.model
    def _mmr_prepare_plan(self, revision, document):
        """Return what each order of ``revision`` is compared with, made once for all of them."""
        operations = revision.bom_id.operation_ids.sorted(lambda operation: (operation.sequence, operation.id))
        return {
            'operations': operations,
            'positions': {operation.id: position for position, operation in enumerate(operations, 1)},
            'components': self._mmr_sum_rows(document['components']),
            'by_products': self._mmr_sum_rows(document['by_products']),
            'workorders': document['operations'],
        }

    @api.model
    def _mmr_sum_rows(self, rows):
        """Return quantities of rows of the document by product, unit and operation, and how products and units are called."""
        quantities, names = {}, {}
        for row in rows:
            key = (row['product']['id'], row['unit_id'], row['operation'])
            quantities[key] = quantities.get(key, 0) + exact(row['quantity'])
            names[key[:2]] = (row['product']['name'], row['unit'])
        return quantities, names

    def _mmr_check_content(self, revision, plan):
        """Refuse where components, operations or products of the order are not those of the MMR.

        :param dict plan: see :meth:`_mmr_prepare_plan`
        :raise UserError: naming each difference with the value of the order and of the MMR
        """
        self.ensure_one()
        finished = self.move_finished_ids.filtered(lambda move: move.product_id == self.product_id)
        rows = self._mmr_compare_moves(plan, 'components', self.move_raw_ids)
        rows += self._mmr_compare_moves(plan, 'by_products', self.move_finished_ids - finished)
        rows += self._mmr_compare_workorders(plan['workorders'], plan['operations'])
        if len(finished) != 1 or finished.product_uom != self.product_uom_id \
                or exact(finished.product_uom_qty) != exact(self.product_qty):
            rows.append(self.env._("the order does not make %(size)s of %(product)s in a single batch",
                                   size=f"{decimal_string(self.product_qty)} {self.product_uom_id.name}",
                                   product=self.product_id.display_name))
        if rows:
            raise refusal(
                self.env,
                self.env._("%(order)s differs from %(revision)s:\n%(rows)s", order=self.name,
                           revision=revision.display_name, rows='\n'.join(f"• {row}" for row in rows)),
                "MMR-050, USE-030, 21 CFR 111.255(c)",
                self.env._("use Reset to MMR on the order to restore the content of the MMR."), record=self)

    def _mmr_compare_moves(self, plan, kind, moves):
        """Return what differs between the plan and moves, by product, unit and operation."""
        planned, planned_names = plan[kind]
        positions, actual = plan['positions'], {}
        # A move that was cancelled, consumed or reserved before the release is not the planned one.
        moves = moves.filtered(lambda move: move.state == 'draft')
        for move in moves:
            operation = move.operation_id.id
            key = (move.product_id.id, move.product_uom.id, positions.get(operation, operation and -operation or None))
            actual[key] = actual.get(key, 0) + exact(move.product_uom_qty)
        if actual == planned:
            return []
        names = dict(planned_names)
        for move in moves:
            names.setdefault((move.product_id.id, move.product_uom.id), (move.product_id.display_name, move.product_uom.name))
        steps = {positions[operation.id]: operation.name for operation in plan['operations']}
        return [
            self.env._(
                "%(product)s: %(actual)s %(unit)s on the order, %(planned)s %(unit)s in the MMR (operation: %(step)s)",
                product=names[key[:2]][0], unit=names[key[:2]][1], actual=decimal_string(actual.get(key, 0)),
                planned=decimal_string(planned.get(key, 0)), step=steps.get(key[2]) or self.env._("none"))
            for key in dict.fromkeys([*planned, *actual]) if planned.get(key, 0) != actual.get(key, 0)]

    def _mmr_compare_workorders(self, planned_rows, operations):
        """Return what differs between operations of the document and work orders: name, place and order."""
        rows = []
        workorders = self.workorder_ids.filtered(lambda workorder: workorder.state != 'cancel').sorted(
            lambda workorder: (workorder.sequence, workorder.id))
        by_operation = workorders.grouped('operation_id')
        for row, operation in zip(planned_rows, operations, strict=True):
            workorder = by_operation.pop(operation, workorders.browse())
            if len(workorder) != 1 or workorder.name != row['name']:
                rows.append(self.env._("operation %s of the MMR is missing", row['name']))
                for other in workorder.filtered(lambda workorder, row=row: workorder.name != row['name']):
                    rows.append(self.env._("operation %s is not in the MMR", other.name))
            elif workorder.workcenter_id not in operation.workcenter_id | operation.workcenter_id.alternative_workcenter_ids:
                rows.append(self.env._(
                    "operation %(operation)s: %(actual)s on the order, %(planned)s in the MMR", operation=row['name'],
                    actual=workorder.workcenter_id.name, planned=row['work_center']['name']))
        for others in by_operation.values():
            rows += [self.env._("operation %s is not in the MMR", workorder.name) for workorder in others]
        if not rows and list(workorders.operation_id) != list(operations):
            rows.append(self.env._("the operations are not in the sequence of the MMR"))
        return rows

    # === EVIDENCE === #

    def _make_bundle(self, prints=True):
        if not self.sudo().mmr_snapshot_sha256:
            raise refusal(
                self.env, self.env._("%s was not released on an MMR: there is no evidence to export.", self.name),
                "REC-050, 21 CFR 111.610(a)", self.env._("confirm the order first."), record=self)
        self.sudo().bpr_ids._check_not_disposed()
        return super()._make_bundle(prints=prints)
