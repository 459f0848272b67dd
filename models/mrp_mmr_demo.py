from contextlib import nullcontext
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.http import borrow_request, request

from ..tools import session_of

#: Vitamin C 500 mg, film-coated, 625 mg a tablet: what depends on the batch size is filled in.
VITAMIN_C_OPERATIONS = [
    ('Dispensing', 'dispensing', """\
Line clearance: no material, label or paper of another batch is in the booth; the cleaning label is in date.
Compare name, lot number and expiry date of each container with the pick list before opening it.
Weigh each component into its own labelled bag: floor scale from 10 kg, bench balance below. A second person checks \
identity and weight of every bag.
Seal the bags, stage them on one pallet in the order of use and close unused containers at once."""),
    ('Sieving and blending', 'blender', """\
Fit the {shell} shell. Line clearance; check that the shell is dry.
Pass silicon dioxide, croscarmellose sodium and about one third of the microcrystalline cellulose together through a \
20 mesh sieve.
Load half of the ascorbic acid, the sieved premix, the rest of the cellulose and the other half of the ascorbic acid.
Blend for {blend} minutes at {speed} rpm.
Sample the blend at ten positions of the shell; label the samples for Quality Control."""),
    ('Lubrication', 'blender', """\
Pass stearic acid and magnesium stearate through a 40 mesh sieve and add them to the blend.
Blend for 3 minutes at {speed} rpm, not longer: over-lubricated blend disintegrates slowly.
Discharge into double-lined drums, weigh every drum and label it with name, batch number, net weight and drum x of y.
Expected: {core} kg of final blend."""),
    ('Compression', 'press', """\
Fit the 12 mm round concave tooling; line clearance; challenge the metal detector with all three test pieces.
Set up and have the first tablets released: mass 606 mg (588 to 624 mg), hardness 12 to 18 kp, friability at most 0.8 %.
Every 15 minutes: mass of 20 tablets, hardness and thickness of 5, appearance. Stop the press and inform the \
supervisor where a value is out of its limits.
Collect dedusted tablets in lined drums; rejects of set-up and metal detector are weighed and recorded."""),
    ('Film coating', 'coating', """\
Disperse the coating premix in the purified water under the stirrer, 45 minutes; keep stirring and use within 8 hours.
Load {load}; warm to a bed temperature of 40 °C.
Spray at a bed temperature of 40 to 44 °C until the tablets gained 3.0 % of mass. The water is a processing aid: it \
is removed completely.
Dry for 10 minutes at 45 °C, cool below 30 °C and discharge."""),
    ('Bulk packaging', 'packaging', """\
Line clearance, labels included. Count the labels received.
Fill 20 kg of tablets each into double PE bags with one desiccant unit, in fibre drums; close with a numbered seal.
Label every drum with product, formulation, batch number, net weight, drum x of y and expiry date; reconcile labels.
Theoretical yield {size} kg ({tablets} tablets). Below 96.0 % or above 101.0 %: stop and inform Quality Control."""),
]
VITAMIN_C_PRECAUTIONS = """\
Ascorbic acid oxidises and picks up moisture: relative humidity below 45 %, temperature below 25 °C, containers closed.
Contact surfaces are stainless steel 316L or PE; iron and copper discolour the blend.
Wear dust mask FFP2, safety glasses, gloves and hair cover. Magnesium stearate and ascorbic acid dust can ignite: \
ground all drums."""
#: component, quantity in 100 kg, unit, operation that uses it
VITAMIN_C_COMPONENTS = [
    ('ascorbic_acid', 80.0, 'kgm', 2),
    ('mcc', 11.0, 'kgm', 2),
    ('croscarmellose', 3.0, 'kgm', 2),
    ('silicon_dioxide', 500.0, 'gram', 2),
    ('stearic_acid', 1.5, 'kgm', 3),
    ('magnesium_stearate', 1000.0, 'gram', 3),
    ('coating_premix', 3.0, 'kgm', 5),
    ('purified_water', 17.0, 'kgm', 5),
]
#: What revision 2 changes of it.
VITAMIN_C_CHANGES = {'mcc': 11.25, 'magnesium_stearate': 750.0}
VITAMIN_C_SIZES = {
    100: {'size': '100', 'core': '97.00', 'tablets': '160,000', 'shell': '300 L', 'blend': 15, 'speed': 12,
          'load': 'the cores in one pan load'},
    500: {'size': '500', 'core': '485.00', 'tablets': '800,000', 'shell': '1,500 L', 'blend': 22, 'speed': 8,
          'load': 'the cores in five equal pan loads and repeat the following for each'},
}
VITAMIN_C_MINUTES = {100: (75, 60, 25, 150, 240, 60), 500: (210, 90, 35, 620, 900, 220)}

ZINC_OPERATIONS = [
    ('Dispensing', 'dispensing', 150, """\
Line clearance; the cleaning label of the booth is in date.
Compare name, lot number and expiry date of each container with the pick list before opening it.
Weigh each component into its own labelled bag. A second person checks identity and weight of every bag."""),
    ('Sieving and blending', 'blender', 75, """\
Fit the 800 L shell. Pass zinc gluconate, croscarmellose sodium and silicon dioxide through a 20 mesh sieve.
Load in layers: half of the cellulose, the sieved premix, the other half of the cellulose.
Blend for 20 minutes at 10 rpm. Sample at ten positions for content uniformity."""),
    ('Lubrication', 'blender', 30, """\
Pass stearic acid and magnesium stearate through a 40 mesh sieve and add them.
Blend for 4 minutes at 10 rpm. Discharge into lined drums, weigh and label every drum. Expected: 250.00 kg."""),
    ('Compression', 'press', 480, """\
Fit the 9 mm round tooling; line clearance; challenge the metal detector.
Set up: mass 250 mg (240 to 260 mg), hardness 8 to 13 kp, friability at most 0.8 %, disintegration at most 30 minutes.
Every 15 minutes: mass of 20 tablets, hardness and thickness of 5, appearance."""),
    ('Bulk packaging', 'packaging', 120, """\
Line clearance, labels included. Fill 20 kg each into double PE bags in fibre drums; close with a numbered seal.
Theoretical yield 250 kg (1,000,000 tablets). Below 96.0 % or above 101.0 %: stop and inform Quality Control."""),
]
ZINC_COMPONENTS = [
    ('zinc_gluconate', 105.0, 'kgm', 2),
    ('mcc', 120.0, 'kgm', 2),
    ('croscarmellose', 12.5, 'kgm', 2),
    ('silicon_dioxide', 2500.0, 'gram', 2),
    ('stearic_acid', 5.0, 'kgm', 3),
    ('magnesium_stearate', 5000.0, 'gram', 3),
]
ZINC_PRECAUTIONS = """\
Zinc gluconate dust irritates: dust mask FFP2, safety glasses and gloves; local extraction is on.
Relative humidity below 50 %. Clean the press at once after the batch: the blend sticks when it gets moist."""


class MrpMmrDemo(models.AbstractModel):
    """Makes the demonstration records that XML cannot: signatures and what follows from them.

    Its people write, sign and order as they do in the browser, with their own rights and passwords.
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
        missing = [login for login in ('preparer', 'qc', 'planner') if not self._find(f'user_{login}')]
        if missing:
            raise UserError(self.env._(
                "The users of the demonstration data are missing: %s. Nothing was loaded.", ', '.join(missing)))
        # Installed from the Apps menu there is a request, and its session is not the signer's.
        with borrow_request() if request else nullcontext():
            small = self._load_vitamin_c(100)
            self._load_vitamin_c_change(small)
            large = self._load_vitamin_c(500)
            self._load_zinc()
            self._load_orders(small, large)

    # === RECORDS === #

    def _load_vitamin_c(self, size):
        """Return the MMR of VC500-A for ``size`` kg with its effective revision.

        Each size is written and signed by itself; the 500 kg come after the change of the formula.
        """
        factor = size // 100
        changes = VITAMIN_C_CHANGES if factor > 1 else {}
        mmr = self._create_mmr(
            f'mmr_vitamin_c_{size}', 'vitamin_c', 'VC500-A', size, VITAMIN_C_PRECAUTIONS,
            [(name, workcenter, minutes, text.format(**VITAMIN_C_SIZES[size]))
             for (name, workcenter, text), minutes in zip(
                 VITAMIN_C_OPERATIONS, VITAMIN_C_MINUTES[size], strict=True)],
            [(product, changes.get(product, quantity) * factor, unit, operation)
             for product, quantity, unit, operation in VITAMIN_C_COMPONENTS])
        revision = mmr.open_revision_id
        self._sign(revision, 'submit', 'preparer')
        self._sign(revision, 'approve', 'qc', "Compared with formulation VC500-A and the validation batches.")
        return mmr

    def _load_vitamin_c_change(self, mmr):
        """Supersede the first revision: less magnesium stearate."""
        action = self._as('preparer', mmr).action_new_revision()
        revision = self._as('preparer', self.env['mrp.mmr.revision']).browse(action['res_id'])
        revision.write({
            'change_category': 'formula',
            'description': "Magnesium stearate 1000 g → 750 g; microcrystalline cellulose 11.00 kg → 11.25 kg. "
                           "The mass of the tablet does not change.",
            'reason': "Three batches disintegrated in 24 to 28 minutes (limit 30). The study of the lubricant level "
                      "showed 14 minutes at 0.75 % with unchanged ejection force and hardness.",
        })
        for line in revision.bom_line_ids:
            for product, quantity in VITAMIN_C_CHANGES.items():
                if line.product_id == self._get(f'product_{product}'):
                    line.gmp_qty = quantity
        self._set_xmlids({'revision_vitamin_c_100_2': revision})
        self._sign(revision, 'submit', 'preparer')
        self._sign(revision, 'approve', 'qc', "Study of the lubricant level reviewed; the change is justified.")

    def _load_zinc(self):
        """One MMR that waits for Quality Control, and a draft of another size copied from it."""
        mmr = self._create_mmr(
            'mmr_zinc_250', 'zinc', 'ZN15-A', 250, ZINC_PRECAUTIONS, ZINC_OPERATIONS, ZINC_COMPONENTS)
        revision = mmr.open_revision_id
        self._sign(revision, 'submit', 'preparer', "Ready for review before the campaign of next month.")
        wizard = self._as('preparer', self.env['mrp.mmr.create']).create({
            'bom_id': revision.bom_id.id, 'formulation_code': 'ZN15-A', 'batch_size': 50.0})
        action = wizard.action_create()
        draft = self.env['mrp.mmr.revision'].browse(action['res_id'])
        self._set_xmlids({'mmr_zinc_50': draft.mmr_id, 'revision_zinc_50_1': draft})

    def _load_orders(self, small, large):
        """One confirmed order with reserved components, and one draft."""
        confirmed, draft = (self._create_order(mmr, days) for mmr, days in ((small, 1), (large, 8)))
        confirmed.action_confirm()
        confirmed.action_assign()
        self._set_xmlids({'production_confirmed': confirmed, 'production_draft': draft})

    def _create_order(self, mmr, days):
        """Return what the planner saves after *New Order* on ``mmr``, to start in some days."""
        defaults = self._as('planner', mmr).action_new_order()['context']
        vals = {name.removeprefix('default_'): value for name, value in defaults.items()}
        vals['date_start'] = fields.Datetime.now() + timedelta(days=days)
        return self._as('planner', self.env['mrp.production']).create(vals)

    # === TOOLS === #

    def _create_mmr(self, name, product, formulation, size, precautions, operations, components):
        """Return a new MMR, written by the preparer, whose first revision is a draft."""
        kilogram = self.env.ref('uom.product_uom_kgm')
        mmr = self._as('preparer', self.env['mrp.mmr']).create({
            'company_id': self.env.ref('base.main_company').id,
            'product_id': self._get(f'product_{product}').id,
            'formulation_code': formulation,
            'profile_id': self.env.ref('mrp_mmr.profile_p111').id,
            'batch_size': size,
            'uom_id': kilogram.id,
        })
        revision = mmr.open_revision_id
        revision.precautions = precautions
        routing = mmr.env['mrp.routing.workcenter'].create([{
            'bom_id': revision.bom_id.id,
            'sequence': sequence,
            'name': operation,
            'workcenter_id': self._get(f'workcenter_{workcenter}').id,
            'time_mode': 'manual',
            'time_cycle_manual': minutes,
            'mmr_instruction': instruction,
        } for sequence, (operation, workcenter, minutes, instruction) in enumerate(operations, 1)])
        mmr.env['mrp.bom.line'].create([{
            'bom_id': revision.bom_id.id,
            'sequence': sequence,
            'product_id': self._get(f'product_{component}').id,
            'gmp_qty': quantity,
            'product_uom_id': self.env.ref(f'uom.product_uom_{unit}').id,
            'operation_id': routing[operation - 1].id,
        } for sequence, (component, quantity, unit, operation) in enumerate(components, 1)])
        self._set_xmlids({name: mmr, f'{name.replace("mmr_", "revision_", 1)}_1': revision})
        return mmr

    def _sign(self, revision, action, login, comment=None):
        """Sign as the person does in the dialog.

        :raise UserError: where the signature is refused
        """
        user = self._get(f'user_{login}')
        revision = revision.with_user(user)
        with session_of(user):
            prepared = revision.esign_prepare(action)
            result = revision.esign(action, {'login': login, 'password': login}, prepared['digest'], comment)
        if 'refused' in result:
            raise UserError(result['refused'])

    def _as(self, login, records):
        return records.with_user(self._get(f'user_{login}'))

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
        return f'mrp_mmr.{kind}_demo{separator}{rest}'
