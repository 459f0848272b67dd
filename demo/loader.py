"""Makes the records of the demonstration that data files cannot: signatures and what follows from them."""

import base64
from contextlib import nullcontext
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.http import borrow_request, request
from odoo.tools import file_open

from ..domain.sessions import authenticated, own_sessions, session_of

#: The persons of the demonstration who sign.
ROLES = ('preparer', 'qc', 'qa', 'qp', 'qmanager', 'production', 'operator', 'verifier')

#: Where the cursor keeps the keys that the passwords opened, while the demonstration is made.
OPENED = 'mrp_mmr_demo_opened'


class MrpMmrDemo(models.AbstractModel):
    """Makes the demonstration records that data files cannot: signatures and what follows from them.

    Its people write, sign and order as they do in the browser, with their own rights and passwords. What they
    write is in ``demo/``, one module per product.
    """
    _name = 'mrp.mmr.demo'
    _description = "Demonstration of Master Manufacturing Records"

    @api.model
    def _load(self):
        """Load once; called by ``demo/mrp_mmr_demo.xml``.

        :raise UserError: where the demonstration users do not exist, or a signature is refused
        """
        if self._find('mmr_vitamin_c_100'):
            return
        wanted = ('planner', 'security', *ROLES)
        missing = [login for login in wanted if not self._find(f'user_{login}')]
        if missing:
            raise UserError(self.env._(
                "The users of the demonstration data are missing: %s. Nothing was loaded.", ', '.join(missing)))
        # What the balances show, and targets by assay, are on stock as well: in kilograms, to the milligram.
        precision = self.env.ref('uom.decimal_product_uom')
        precision.digits = max(precision.digits, 6)
        # Read with the data, so that a production database does not carry them in its memory.
        from . import batches, dressing_kit, equipment, ibuprofen, lots, paracetamol, people, vitamin_c, zinc
        from . import vitamin_c_powder as powder
        # Installed from the Apps menu there is a request, and its session is not the signer's.
        with borrow_request() if request else nullcontext(), own_sessions():
            self._load_qualifications(people)
            # Their passwords are as public as their names.
            self.env['mrp.signer']._set_up(
                self.env['res.users'].union(*(self._get(f'user_{login}') for login in ROLES)), self._get('user_security'),
                "Demonstration: passport")
            # Nobody verifies the own identity.
            self.env['mrp.signer']._set_up(
                self._get('user_security'), self.env.ref('base.user_admin'), "Demonstration: passport")
            self._enrol_keys()
            # At terminals of the floor, once somebody registers one (SIG-130).
            self.env.ref('base.main_company').write({'mmr_pin': True, 'mmr_pin_length': 4})
            self._sign(self._get('reviewer_production'), 'switch_on', 'qc', "Quality manual 4.2: production agrees to drugs.")
            self._load_equipment(equipment)
            self._load_lots(lots)
            small = self._load_effective(vitamin_c.get_data(100), "Compared with formulation VC500-A and validation PV-2001.")
            running = self._create_order(small, 0)
            running.action_confirm()
            self._load_vitamin_c_change(small, vitamin_c)
            for granter, logins, evidence in people.CHANGE_TRAINING:
                self._grant(granter, logins, small.effective_revision_id, evidence)
            large = self._load_effective(
                vitamin_c.get_data(500), "Compared with revision 2 of the 100 kg and with the validation of VB-02.")
            self._load_zinc(zinc)
            tablets = self._load_effective(ibuprofen.get_data(), "Validation PV-2101 and the approved label compared.")
            kits = self._load_effective(
                dressing_kit.get_data(), "Device file 2301 and validations SV-2301, VR-2301 compared.")
            solution = self._load_effective(
                paracetamol.get_data(), "Compared with the marketing authorisation, module 3.2.P.3.")
            bottles = self._load_effective(powder.get_data(), "Validation PV-2004 and the approved label compared.")
            self._set_xmlids({
                'production_superseded': running, 'production_draft': self._create_order(large, 8),
                'production_confirmed': self._release_order(small, 0), 'production_waiting': self._release_order(solution, 1),
                'production_stopped': self._release_order(kits, 0), 'production_done': self._release_order(bottles, 0),
                'production_rejected': self._release_order(bottles, 0), 'production_review': self._release_order(bottles, 0),
                'production_drug': self._release_order(tablets, 0), 'production_device': self._release_order(kits, 0),
                'production_medicine': self._release_order(solution, 0)})
            # Quality Control says how long a kit lives; sudo(), as she edits no products otherwise.
            self._as('qc', self._get('product_dressing_kit')).sudo().mmr_lifetime_years = 3
            self._load_batches(batches)

    # === PEOPLE === #

    def _load_qualifications(self, data):
        """Grant qualifications and record training, each by the person who decides about it."""
        login, role, evidence = data.APPOINTMENT
        self._grant('security', [login], self.env.ref(f'mrp_mmr.group_mmr_{role}'), evidence, -365)
        for login, role, evidence, first, last in data.QUALIFICATIONS:
            self._grant('qmanager', [login], self.env.ref(f'mrp_mmr.group_mmr_{role}'), evidence, first, last)
        for logins, name, evidence in data.TRAINING:
            self._grant('production', logins, self._get(f'sop_{name}'), evidence, -30)

    def _grant(self, granter, logins, subject, evidence, first=0, last=None):
        """Grant as a person does in the dialog; days count from today."""
        company = self.env.ref('base.main_company')
        today = company._get_mmr_today()
        self._as(granter, self.env['mrp.qualification'])._grant(
            self.env['res.users'].union(*(self._get(f'user_{login}') for login in logins)),
            subject.with_user(self._get(f'user_{granter}')), evidence, today + timedelta(days=first),
            None if last is None else today + timedelta(days=last), company)

    # === RECORDS === #

    def _load_equipment(self, data):
        """Clean and calibrate the equipment, each line signed by those who did it."""
        now, today = fields.Datetime.now(), self.env.ref('base.main_company')._get_mmr_today()
        for name, kind, days, vals in data.get_lines():
            vals = dict(vals, ended_at=now - timedelta(days=days, hours=2))
            if 'procedure' in vals:
                vals['procedure_id'] = self._get(f"sop_{vals.pop('procedure')}").id
            if 'due' in vals:
                vals['next_due'] = today + timedelta(days=vals.pop('due'))
            self._log_equipment(self._get(f'equipment_{name}'), kind, vals)

    def _log_equipment(self, unit, kind, vals):
        line = self.env['mrp.equipment.log'].browse(self._as('operator', unit).action_mmr_record(kind, vals)['log_id'])
        while point := line._get_next_point():
            self._sign(line, point, {'checked': 'verifier', 'reviewed': 'qc'}.get(point, 'operator'))

    def _load_lots(self, data):
        """Release the lots in stock, with the results of the laboratory; one waits in quarantine."""
        names = self.env['ir.model.data'].search([('module', '=', 'mrp_mmr'), ('model', '=', 'stock.lot')], order='id')
        for lot, name in zip(self._as('qc', self.env['stock.lot'].browse(names.mapped('res_id'))), names.mapped('name'),
                             strict=True):
            if name.removeprefix('lot_demo_') in data.WAITING:
                continue
            vals = data.RESULTS.get(name.removeprefix('lot_demo_'))
            if vals:
                lot.write(vals)
            self._sign(lot, 'release', 'qc', "Examined as its specification says; certificate of the supplier compared.")

    def _load_effective(self, data, comment):
        """Return a new MMR whose first revision went all the way: written, submitted, reviewed, approved."""
        mmr = self._create_mmr(data)
        revision = mmr.open_revision_id
        self._sign(revision, 'submit', 'preparer')
        while revision.open_review_names:
            self._sign(revision, 'review', 'production', "Feasible on the equipment named; limits agreed.")
        if revision.overages_to_confirm:
            self._as('qc', revision).action_confirm_overages()
        self._sign(revision, 'approve', 'qc', comment)
        return mmr

    def _load_vitamin_c_change(self, mmr, data):
        """Supersede the first revision: less magnesium stearate, more overage, a narrower limit."""
        action = self._as('preparer', mmr).action_new_revision()
        wizard = self._as('preparer', self.env[action['res_model']]).with_context(**action['context']).create(data.CHANGE)
        revision = self._as('preparer', self.env['mrp.mmr.revision']).browse(wizard.action_create()['res_id'])
        for line in revision.bom_line_ids:
            for product, quantity in data.CHANGED_QUANTITIES.items():
                if line.product_id == self._get(f'product_{product}'):
                    line.gmp_qty = quantity
            if line._has_overage():
                overage, rationale = data.CHANGED_OVERAGE
                line.write({'mmr_overage': overage, 'mmr_overage_rationale': rationale})
        revision.step_ids.filtered(lambda step: step.name.startswith("Disintegration")).maximum = data.CHANGED_DISINTEGRATION
        self._set_xmlids({'revision_vitamin_c_100_2': revision})
        self._sign(revision, 'submit', 'preparer')
        self._as('qc', revision).action_confirm_overages()
        self._sign(revision, 'approve', 'qc', "Study of the lubricant level and stability data reviewed.")

    def _load_zinc(self, data):
        """One MMR that waits for Quality Control, and a draft of another size copied from it."""
        revision = self._create_mmr(data.get_data()).open_revision_id
        self._sign(revision, 'submit', 'preparer', "Ready for review before the campaign of next month.")
        action = self._as('preparer', revision).action_copy_to_mmr()
        wizard = self._as('preparer', self.env[action['res_model']]).with_context(**action['context']).create({
            'batch_size': 50.0})
        draft = self.env['mrp.mmr.revision'].browse(wizard.action_create()['res_id'])
        self._set_xmlids({'mmr_zinc_50': draft.mmr_id, 'revision_zinc_50_1': draft})

    def _create_order(self, mmr, days):
        """Return what the planner saves after *New Order* on ``mmr``, to start in some days."""
        defaults = self._as('planner', mmr).action_new_order()['context']
        vals = {name.removeprefix('default_'): value for name, value in defaults.items()}
        vals['date_start'] = fields.Datetime.now() + timedelta(days=days)
        return self._as('planner', self.env['mrp.production']).create(vals)

    def _release_order(self, mmr, days):
        """Return a new order on ``mmr`` that the planner confirmed, with reserved components."""
        order = self._create_order(mmr, days)
        order.action_confirm()
        order.action_assign()
        return order

    # === CONTENT === #

    def _create_mmr(self, data):
        """Return a new MMR, written by the preparer, whose first revision is a complete draft.

        :param dict data: content as in ``demo/``
        """
        mmr = self._as('preparer', self.env['mrp.mmr']).create({
            'company_id': self.env.ref('base.main_company').id,
            'product_id': self._get(f"product_{data['product']}").id,
            'formulation_code': data['formulation'],
            'profile_id': self.env.ref(f"mrp_mmr.profile_{data['profile']}").id,
            'batch_size': data['size'],
            'uom_id': self._unit(data['unit']).id,
            **({'review_interval': data['review_interval']} if 'review_interval' in data else {}),
        })
        revision = mmr.open_revision_id
        revision.write(data['header'])
        stages = self._create_stages(revision, data['stages'])
        lines = self._create_components(revision, data['components'], stages)
        self._create_steps(revision, data['stages'], stages, lines)
        self._create_declaration(revision, data)
        self._create_packs(revision, data)
        for section in revision.section_ids:
            section.write(self._prepare_section_vals(data['sections'][section.code]))
        name = data['name']
        self._set_xmlids({f'mmr_{name}': mmr, f'revision_{name}_1': revision})
        return mmr

    def _create_stages(self, revision, stages):
        return revision.env['mrp.routing.workcenter'].create([{
            'bom_id': revision.bom_id.id,
            'sequence': sequence,
            'name': stage['name'],
            'workcenter_id': self._get(f"workcenter_{stage['workcenter']}").id,
            'time_mode': 'manual',
            'time_cycle_manual': stage['minutes'],
            'mmr_stage': stage['stage'],
            'mmr_instruction': stage['instruction'],
            'mmr_time_limit': stage.get('time_limit', 0),
            'mmr_hold_time': stage.get('hold_time', 0),
            'mmr_storage_conditions': stage.get('storage'),
            **self._prepare_yield_vals(revision, *stage.get('yield', ())),
        } for sequence, stage in enumerate(stages, 1)])

    def _prepare_yield_vals(self, revision, theoretical=None, minimum=0, maximum=0, rationale=None):
        return {
            'mmr_yield_control': True, 'mmr_theoretical_yield': theoretical, 'mmr_yield_uom_id': revision.uom_id.id,
            'mmr_yield_min': minimum, 'mmr_yield_max': maximum, 'mmr_yield_rationale': rationale,
        } if theoretical else {}

    def _create_components(self, revision, rows, stages):
        return revision.env['mrp.bom.line'].create([
            dict(
                self._prepare_component_vals(**more),
                bom_id=revision.bom_id.id,
                sequence=sequence,
                product_id=self._get(f'product_{product}').id,
                gmp_qty=quantity,
                product_uom_id=self._unit(unit).id,
                operation_id=stages[stage - 1].id,
            ) for sequence, (product, quantity, unit, stage, more) in enumerate(rows, 1)])

    def _prepare_component_vals(self, is_active=False, is_declared=False, not_in_product=False, strength=(None, None),
                                overage=None, supplier=None, tolerance=0, tolerance_justification=None, assay=None,
                                is_filler=False):
        kind, overage, rationale = overage or (False, 0, None)
        return {
            'mmr_is_active': is_active, 'mmr_is_declared': is_declared, 'mmr_not_in_product': not_in_product,
            'mmr_strength': strength[0], 'mmr_strength_unit': strength[1],
            'mmr_overage_kind': kind, 'mmr_overage': overage, 'mmr_overage_rationale': rationale,
            'mmr_supplier_id': supplier and self._get(f'partner_{supplier}').id,
            'mmr_tolerance': tolerance, 'mmr_tolerance_justification': tolerance_justification, 'mmr_is_filler': is_filler,
            **(dict(zip(('mmr_assay_reference', 'mmr_assay_unit', 'mmr_assay_basis'), assay, strict=True),
                    mmr_assay_adjusted=True) if assay else {}),
        }

    def _create_steps(self, revision, rows, stages, lines):
        equipment = revision.env['mrp.mmr.equipment'].create([
            self._prepare_equipment_vals(revision, stage, sequence, *row)
            for stage, data in zip(stages, rows, strict=True) for sequence, row in enumerate(data['equipment'], 1)])
        by_stage = equipment.grouped('operation_id')
        by_product = lines.grouped('product_id')
        data = [(stage, step) for stage, stage_data in zip(stages, rows, strict=True) for step in stage_data['steps']]
        steps = revision.env['mrp.mmr.step'].create([dict(
            self._prepare_step_vals(step, by_stage.get(stage), by_product),
            revision_id=revision.id, operation_id=stage.id, sequence=sequence,
        ) for sequence, (stage, step) in enumerate(data, 1)])
        revision.env['mrp.mmr.step.check'].create([
            {'step_id': step.id, 'revision_id': revision.id, 'sequence': sequence, 'name': text}
            for step, (_stage, row) in zip(steps, data, strict=True)
            for sequence, text in enumerate(row.get('checks', ()), 1)])

    def _prepare_equipment_vals(self, revision, stage, sequence, name, preparation):
        kind, _separator, key = name.rpartition(':')
        return {
            'revision_id': revision.id, 'operation_id': stage.id, 'sequence': sequence, 'preparation': preparation,
            **({'category_id': self._get(f'equipment_category_{key}').id} if kind
               else {'equipment_id': self._get(f'equipment_{key}').id}),
        }

    def _prepare_step_vals(self, step, equipment, components):
        vals = {name: step[name] for name in (
            'kind', 'instruction', 'precaution', 'performer_role', 'performer_meaning', 'verifier_role', 'verifier_meaning',
            'is_critical', 'is_hold_point', 'execution', 'corrective_action', 'minimum_time', 'time_limit') if name in step}
        vals.update(name=step['name'], **self._prepare_limit_vals(step.get('limits')))
        if 'component' in step:
            product, line = step['component']
            product = self._get(f'product_{product}')
            vals.update(bom_line_id=components[product][line].id, name=step['name'] or f"Weigh {product.name}")
        if 'equipment' in step:
            vals['equipment_id'] = equipment[step['equipment'] - 1].id
        if 'method' in step:
            vals['method_id'] = self._get(f"sop_method_{step['method']}").id
        if 'sops' in step:
            vals['sop_ids'] = [Command.set([self._get(f'sop_{name}').id for name in step['sops']])]
        if 'plausible' in step:
            vals.update(has_plausibility=True, plausible_min=step['plausible'][0], plausible_max=step['plausible'][1])
        if 'sample' in step:
            names = ('sample_count', 'sample_size', 'sample_unit', 'sample_timing', 'sample_role')
            vals.update(zip(names, step['sample'], strict=True), sample_required=True)
        if 'picture' in step:
            vals.update(picture=self._read(step['picture']), picture_name=step['picture'])
        return vals

    def _prepare_limit_vals(self, limits):
        """Return the fields of an acceptance criterion written as in ``demo/common.py``."""
        if not limits:
            return {}
        if isinstance(limits, str):
            return {'limit_kind': 'text', 'criterion_text': limits}
        kind, *values = limits
        bounds = {'range': ('minimum', 'maximum'), 'nlt': ('minimum',), 'nmt': ('maximum',)}[kind]
        vals = dict(zip(bounds, values, strict=False), limit_kind=kind, unit=values[len(bounds)])
        target = values[len(bounds) + 1:]
        return dict(vals, has_target=True, target=target[0]) if target else vals

    def _create_declaration(self, revision, data):
        revision.env['mrp.mmr.ingredient'].create([{
            'revision_id': revision.id, 'sequence': sequence, 'name': name, 'is_dietary': is_dietary,
            'product_id': self._get(f'product_{product}').id,
            **(dict(zip(('amount', 'amount_unit'), amount, strict=True)) if amount else {}),
        } for sequence, (name, is_dietary, product, *amount) in enumerate(data['ingredients'], 1)])
        revision.env['mrp.mmr.specification'].create([{
            'revision_id': revision.id, 'sequence': sequence, 'scope': scope,
            'product_id': product and self._get(f'product_{product}').id,
            'document_id': self._get(f'sop_{document}').id,
            'name': row['name'], 'is_identity': row['is_identity'], 'method': row['method'],
            'method_id': self._get(f"sop_method_{row['test']}").id, 'corrective_action': row['corrective_action'],
            **self._prepare_limit_vals(row['limits']),
        } for sequence, (scope, product, document, row) in enumerate(data['specifications'], 1)])
        revision.env['mrp.mmr.reference'].create([
            {'revision_id': revision.id, 'sequence': sequence, 'sop_id': self._get(f'sop_{name}').id, 'purpose': purpose}
            for sequence, (name, purpose) in enumerate(data['references'], 1)])

    def _create_packs(self, revision, data):
        labels = {name: self._get_label(name, row, revision.company_id) for name, row in data['labels'].items()}
        packs = revision.env['mrp.mmr.pack'].create([{
            'revision_id': revision.id, 'sequence': sequence, 'label_id': labels[pack['label']].id,
            'uom_id': self._unit(pack.get('unit', 'unit')).id,
            **{name: pack[name] for name in ('name', 'quantity', 'description', 'coding_position', 'clearance', 'checks')},
        } for sequence, pack in enumerate(data['packs'], 1)])
        # A reconciliation says which pack size its labels are of.
        labelling = revision.step_ids.filtered(lambda step: step.kind == 'label').sorted('sequence')
        for step, pack in zip(labelling, packs, strict=False):
            step.pack_id = pack
        revision.env['mrp.mmr.pack.line'].create([{
            'pack_id': pack.id, 'revision_id': revision.id, 'sequence': sequence,
            'product_id': self._get(f'product_{product}').id, 'quantity': quantity,
        } for pack, row in zip(packs, data['packs'], strict=True)
            for sequence, (product, quantity) in enumerate(row['materials'], 1)])

    def _get_label(self, name, row, company):
        """Return a version of a label, approved by a signature of Quality Control or not; sizes share it."""
        label = self._find(f'label_{name}')
        if label:
            return self._as('preparer', label)
        label = self._as('preparer', self.env['mrp.mmr.label']).create({
            'company_id': company.id,
            'product_id': self._get(f"product_{row['product']}").id,
            **{key: row[key] for key in ('code', 'version', 'name', 'panel', 'claims', 'location') if key in row},
            **({'upload': self._read(row['image']), 'upload_name': row['image']} if 'image' in row else {}),
        })
        self._set_xmlids({f'label_{name}': label})
        if row.get('approved'):
            self._sign(label, 'approve', 'qc', "Proof compared word for word with the master copy.")
        return label

    def _prepare_section_vals(self, row):
        vals = {name: value for name, value in row.items() if name != 'file'}
        if 'file' in row:
            vals.update(upload=self._read(row['file']), upload_name=row['file'])
        return vals

    # === TOOLS === #

    def _enrol_keys(self):
        """Let the security administrator enrol the own key, as the first one does, and then those of all others."""
        security = self._get('user_security')
        people = self.env['res.users'].union(*(self._get(f'user_{login}') for login in ROLES))
        for users in (security, people):
            # As public as their names: a slow digest would protect nothing.
            self.env['mrp.signer.key']._set_up(
                users, security, {login: login for login in ('security', *ROLES)}, cost=2 ** 4)

    def _sign(self, record, action, login, comment=None):
        """Sign as the person does in the dialog; the password of each person is checked, and opens the key, once.

        :raise UserError: where the signature is refused
        """
        user, opened = self._get(f'user_{login}'), self.env.cr.cache.setdefault(OPENED, {})
        record = record.with_user(user)
        with session_of(user), authenticated(user.id):
            if user.id not in opened:
                opened[user.id] = self.env['mrp.signer']._check_secret(user, {'password': login})
            record._esign(action, record.esign_prepare(action)['digest'], comment, key=opened[user.id])

    def _read(self, name):
        with file_open(f'mrp_mmr/demo/images/{name}', 'rb') as image:
            return base64.b64encode(image.read())

    def _as(self, login, records):
        return records.with_user(self._get(f'user_{login}'))

    def _unit(self, name):
        return self.env.ref(f'uom.product_uom_{name}')

    def _find(self, name):
        return self.env.ref(self._get_xmlid(name), raise_if_not_found=False)

    def _get(self, name):
        return self.env.ref(self._get_xmlid(name))

    def _set_xmlids(self, records):
        """Name records like those of a data file; an update of the addon leaves them alone."""
        self.env['ir.model.data']._update_xmlids([
            {'xml_id': self._get_xmlid(name), 'record': record, 'noupdate': True} for name, record in records.items()])

    def _get_xmlid(self, name):
        """Return ``mrp_mmr.user_demo_qc`` for ``user_qc``."""
        kind, separator, rest = name.partition('_')
        if name.startswith('equipment_category_'):
            kind, rest = 'equipment_category', name.removeprefix('equipment_category_')
        return f'mrp_mmr.{kind}_demo{separator}{rest}'
