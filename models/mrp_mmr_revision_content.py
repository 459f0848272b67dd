"""What a revision says: its content, the document that is signed, and what orders take from it."""

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import SQL

from ..tools import convert, decimal_string, iso_utc, refusal, sha256

DOCUMENT_SCHEMA = 'mrp_mmr/mmr/1'


def _agrees(live, frozen):
    """Whether live content still is what a frozen document says.

    Records that the document identifies by id or code may have been renamed since; which ones they are may
    not change. What a later version of the addon adds to the content is not in an older document, and does
    not count.
    """
    if isinstance(frozen, dict):
        if not isinstance(live, dict):
            return False
        identified = {'id', 'code'} & frozen.keys()
        names = {'name'} if identified else set()
        if 'id' in frozen:
            names.add('code')
        if 'unit_id' in frozen:
            names.add('unit')
        return all(key in live and _agrees(live[key], frozen[key]) for key in frozen.keys() - names)
    if isinstance(frozen, list):
        return isinstance(live, list) and len(live) == len(frozen) and all(map(_agrees, live, frozen))
    return live == frozen


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    # === CONTENT === #

    @api.model
    def _prepare_content_vals(self, bom, product, to_review=False):
        """Return values that copy lines, operations and by-products of ``bom`` for ``product``.

        Quantities are copied as they are; ``to_review`` marks each of them (MMR-040).
        """
        operations = bom.operation_ids.filtered(lambda operation: not operation._skip_operation_line(product))
        lines = bom.bom_line_ids.filtered(lambda line: not line._skip_bom_line(product))
        byproducts = bom.byproduct_ids.filtered(lambda line: not line._skip_byproduct_line(product))
        return {
            'operations': [{
                'name': operation.name,
                'sequence': operation.sequence,
                'workcenter_id': operation.workcenter_id.id,
                'time_mode': operation.time_mode,
                'time_mode_batch': operation.time_mode_batch,
                'time_cycle_manual': operation.time_cycle_manual,
                'mmr_instruction': operation.mmr_instruction,
            } for operation in operations],
            'operation_ids': operations.ids,
            'lines': [{
                'product_id': line.product_id.id,
                'gmp_qty': line._get_mmr_quantity(),
                'product_uom_id': line.product_uom_id.id,
                'sequence': line.sequence,
                'mmr_to_review': to_review or line.mmr_to_review,
                'operation_id': line.operation_id.id,
            } for line in lines],
            'byproducts': [{
                'product_id': line.product_id.id,
                'product_qty': line.product_qty,
                'product_uom_id': line.product_uom_id.id,
                'sequence': line.sequence,
                'cost_share': line.cost_share,
                'operation_id': line.operation_id.id,
            } for line in byproducts],
        }

    def _copy_content_from(self, bom, to_review=False):
        """Fill this draft's bill of materials from another one (operations first, lines point to them)."""
        self.ensure_one()
        content = self._prepare_content_vals(bom, self.product_id, to_review)
        operations = self.env['mrp.routing.workcenter'].create([
            dict(vals, bom_id=self.bom_id.id) for vals in content['operations']])
        mapping = dict(zip(content['operation_ids'], operations.ids, strict=True))
        for source, operation in zip(
                self.env['mrp.routing.workcenter'].browse(content['operation_ids']), operations, strict=True):
            blockers = [mapping[blocker.id] for blocker in source.blocked_by_operation_ids if blocker.id in mapping]
            if blockers:
                operation.blocked_by_operation_ids = [Command.set(blockers)]
        for model, key in (('mrp.bom.line', 'lines'), ('mrp.bom.byproduct', 'byproducts')):
            self.env[model].create([
                dict(vals, bom_id=self.bom_id.id, operation_id=mapping.get(vals['operation_id'], False))
                for vals in content[key]])
        if self.bom_id.allow_operation_dependencies != bom.allow_operation_dependencies:
            self.bom_id.allow_operation_dependencies = bom.allow_operation_dependencies

    def _prepare_document(self):
        """Return the whole content of the revision, live, as the document that is signed.

        Quantities are decimal strings, times ISO 8601 UTC; ``schema/mmr.schema.json`` describes it.
        """
        self.ensure_one()
        mmr = self.mmr_id
        # Signed wording must not depend on the language of the signer.
        bom = self.bom_id.sudo().with_context(lang=None)
        product = bom.product_id
        operations = bom.operation_ids.sorted(lambda operation: (operation.sequence, operation.id))
        positions = {operation.id: position for position, operation in enumerate(operations, 1)}

        def product_vals(record):
            return {'id': record.id, 'code': record.default_code or None,
                    'name': record.with_context(display_default_code=False).display_name}

        def product_quantity(quantity, unit, record):
            # A unit's ratio is content as well: it says how much a drum is.
            converted = convert(quantity, unit, record.uom_id)
            return None if converted is None else decimal_string(converted)

        return {
            'schema': DOCUMENT_SCHEMA,
            'number': mmr.name,
            'revision': self.revision,
            'company': {'id': mmr.company_id.id, 'name': mmr.company_id.sudo().name},
            'profile': {'code': mmr.profile_id.code, 'name': mmr.profile_id.with_context(lang=None).name},
            'product': product_vals(product),
            'formulation': mmr.formulation_code,
            'batch_size': {
                'quantity': decimal_string(mmr.batch_size),
                'unit': mmr.uom_id.with_context(lang=None).name, 'unit_id': mmr.uom_id.id,
                'product_unit_quantity': product_quantity(mmr.batch_size, mmr.uom_id, product)},
            'change': {
                'category': self.change_category,
                'description': self.description or None,
                'reason': self.reason or None,
            },
            'effective_date': fields.Date.to_string(self.date_effective) or None,
            'precautions': self.precautions or None,
            'components': [{
                'position': position,
                'product': product_vals(line.product_id),
                'quantity': decimal_string(line.gmp_qty),
                'unit': line.product_uom_id.name,
                'unit_id': line.product_uom_id.id,
                'product_unit_quantity': product_quantity(line.gmp_qty, line.product_uom_id, line.product_id),
                'operation': positions.get(line.operation_id.id),
            } for position, line in enumerate(
                bom.bom_line_ids.sorted(lambda line: (line.sequence, line.id)), 1)],
            'operations': [{
                'position': positions[operation.id],
                'name': operation.name,
                'work_center': {'id': operation.workcenter_id.id, 'name': operation.workcenter_id.name},
                'instruction': operation.mmr_instruction or None,
                'predecessors': sorted(
                    positions[blocker.id] for blocker in operation.blocked_by_operation_ids
                    if blocker.id in positions)
                # Without dependencies Odoo runs the operations one after the other.
                if bom.allow_operation_dependencies else list(range(1, positions[operation.id]))[-1:],
            } for operation in operations],
            'by_products': [{
                'position': position,
                'product': product_vals(line.product_id),
                'quantity': decimal_string(line.product_qty),
                'unit': line.product_uom_id.name,
                'unit_id': line.product_uom_id.id,
                'product_unit_quantity': product_quantity(line.product_qty, line.product_uom_id, line.product_id),
                'operation': positions.get(line.operation_id.id),
            } for position, line in enumerate(
                bom.byproduct_ids.sorted(lambda line: (line.sequence, line.id)), 1)],
        }

    def _get_unmet_requirements(self):
        """Return everything that keeps this draft from being submitted, as ``(citation, text)`` rows."""
        self.ensure_one()
        rows = []
        bom = self.bom_id
        if not self.reason or not self.reason.strip():
            rows.append(("REV-030, EU GMP 4.3", self.env._("The reason of this revision is missing.")))
        if not bom.bom_line_ids:
            rows.append(("CON-020, 21 CFR 111.210(b)", self.env._("The list of components is empty.")))
        if not bom.operation_ids:
            rows.append(("CON-150, 21 CFR 111.205(b)(2)", self.env._("There is no operation.")))
        if not self.precautions or not self.precautions.strip():
            rows.append(("CON-110, 21 CFR 111.210(h)(4)", self.env._(
                "Special notations and precautions are blank; write 'none' where there are none.")))
        if decimal_string(bom.product_qty) != decimal_string(self.batch_size) or bom.product_uom_id != self.uom_id:
            rows.append(("MMR-010, 21 CFR 111.205(a)", self.env._(
                "Odoo's precision 'Product Unit' cannot hold the batch size %(size)s exactly. Write it in a "
                "smaller unit, or raise the precision.", size=self.mmr_id._get_batch_size_label())))
        kits = self.env['mrp.bom']._bom_find(
            bom.bom_line_ids.product_id, company_id=self.company_id.id, bom_type='phantom')
        for line in bom.bom_line_ids:
            name = line.product_id.display_name
            if line.gmp_qty <= 0:
                rows.append(("CON-030, 21 CFR 111.210(c)", self.env._("%s: the quantity must be greater than zero.", name)))
            elif not line._is_mmr_quantity_exact():
                rows.append(("CON-030, 21 CFR 111.210(c)", self.env._(
                    "%(component)s: Odoo's precision 'Product Unit' cannot hold %(quantity)s %(unit)s exactly. "
                    "Write it in a smaller unit, or raise the precision.",
                    component=name, quantity=decimal_string(line.gmp_qty), unit=line.product_uom_id.name)))
            if not line.product_uom_id._has_common_reference(line.product_id.uom_id):
                rows.append(("CON-030, 21 CFR 111.210(c)", self.env._(
                    "%(component)s: %(unit)s does not convert to %(product_unit)s.", component=name,
                    unit=line.product_uom_id.name, product_unit=line.product_id.uom_id.name)))
            if line.product_id == self.product_id:
                rows.append(("CON-020, 21 CFR 111.210(b)", self.env._("%s: the product is no component of itself.", name)))
            if line.product_id.type != 'consu':
                rows.append(("CON-020, 21 CFR 111.210(b)", self.env._(
                    "%s: a service is no component; Odoo consumes goods only.", name)))
            if line.mmr_to_review:
                rows.append(("MMR-040, 21 CFR 111.205(a)", self.env._(
                    "%s: the quantity comes from another batch size and was not reviewed.", name)))
            if kits.get(line.product_id):
                rows.append(("MMR-050, 21 CFR 111.210(b)", self.env._(
                    "%s is a kit: add its components one by one.", name)))
        if self.date_effective and self.date_effective < self._get_today():
            rows.append(("REV-030, EU GMP 4.3", self.env._("The effective date lies in the past.")))
        return rows

    def _check_complete(self):
        """Refuse with every unmet row at once.

        :raise UserError: where anything is missing
        """
        rows = self._get_unmet_requirements()
        if rows:
            raise refusal(
                self.env,
                self.env._("%(revision)s is not complete:\n%(rows)s", revision=self.display_name,
                           rows='\n'.join(f"• {text} [{citation}]" for citation, text in rows)),
                "CON-010 to CON-200, 21 CFR 111.210",
                self.env._("fill in what is listed and submit again."), record=self)

    # === USE ON ORDERS === #

    def _lock_for_release(self):
        """Keep these revisions effective until the orders that use them are committed."""
        if self.ids:
            self.env.execute_query(SQL(
                "SELECT id FROM mrp_mmr_revision WHERE id IN %s ORDER BY id FOR SHARE", tuple(self.ids)))

    def _is_content_signed(self):
        """Whether the frozen document is intact and the live content still is what it says.

        Names of products, units and work centers may change later; which ones they are may not.
        """
        self.ensure_one()
        return (
            sha256(self.document) == self.document_sha256
            and _agrees(self._prepare_document(), self.document)
        )

    def _check_bom_is_signed(self):
        """Refuse where the bill of materials is not the signed content any more (MMR-050).

        :raise UserError: naming each component with both quantities
        """
        self.ensure_one()
        self._check_signatures()
        if self._is_content_signed():
            return
        signed = {row['position']: row for row in self.document['components']}
        current = {row['position']: row for row in self._prepare_document()['components']}
        rows = []
        for position in sorted(signed.keys() | current.keys()):
            was, now = signed.get(position), current.get(position)
            if not (was and now and _agrees(now, was)):
                rows.append(self.env._(
                    "%(component)s: %(now)s in the bill of materials, %(was)s in the MMR",
                    component=(was or now)['product']['name'],
                    now=f"{now['quantity']} {now['unit']}" if now else self.env._("missing"),
                    was=f"{was['quantity']} {was['unit']}" if was else self.env._("missing")))
        raise refusal(
            self.env,
            self.env._("The bill of materials of %(revision)s is not what was signed.\n%(rows)s",
                       revision=self.display_name, rows='\n'.join(f"• {row}" for row in rows)),
            "MMR-050, 21 CFR 111.210, 11.70",
            self.env._("inform Quality Control; a new revision is needed."), record=self)

    def _check_signatures(self):
        """Refuse where a signature is not intact or not over the frozen document (SIG-030, 21 CFR 11.70).

        :raise UserError: naming the signature
        """
        self.ensure_one()
        for signature in (self.prepared_signature_id, self.approved_signature_id):
            if not signature._is_intact() or signature.content_sha256 != self.document_sha256:
                raise refusal(
                    self.env,
                    self.env._("%(revision)s: %(signature)s does not verify.", revision=self.display_name,
                               signature=signature.display_name or self.env._("a signature")),
                    "SIG-030, 21 CFR 11.70",
                    self.env._("inform Quality Control and your administrator; a new revision is needed."),
                    record=self)

    def _prepare_snapshot(self):
        """Return what an order embeds: the signed document, its digest and its signatures (USE-030)."""
        self.ensure_one()
        return {
            'schema': 'mrp_mmr/snapshot/1',
            'document': self.document,
            'document_sha256': self.document_sha256,
            'signatures': [
                signature._get_printed_vals()
                for signature in (self.prepared_signature_id, self.approved_signature_id)],
            'effective_at': iso_utc(self.effective_at),
        }
