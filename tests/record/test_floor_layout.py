"""Measures of the shop floor: what the step needs lies in the window, large enough for a finger, dark enough to be read."""

from odoo.tests import tagged

from ..common.hands import HandsCase
from .test_floor import FloorCommon

#: Pixels of the screens: two tablets as they lie and stand, a larger one, a phone.
SIZES = ((1024, 768), (768, 1024), (1280, 800), (390, 844))
TABLETS = ((1024, 768), (768, 1024))
#: 14 mm in pixels of CSS, less what rounding takes.
TARGET = 52.9

#: Odoo's variables in dark colours, as its dark themes set them.
DARK = """
$o-webclient-color-scheme: dark; $o-view-background-color: #1b1d26; $o-white: #1b1d26; $o-black: #ffffff;
$o-gray-100: #262a36; $o-gray-200: #2f3341; $o-gray-300: #3c4150; $o-gray-400: #5a5f6e; $o-gray-500: #7d8291;
$o-gray-600: #a5aab6; $o-gray-700: #c4c8d0; $o-gray-800: #dcdfe5; $o-gray-900: #f1f2f5;
"""

#: What is shown of an element; the box of what a finger presses for it.
TOOLS = """
    const isShown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
        element.getBoundingClientRect().width > 0 && !element.closest(".visually-hidden");
    const boxOf = (element) => (element.type === "checkbox" && element.closest("label") || element).getBoundingClientRect();
    const nameOf = ({ tagName, className, textContent }) => `${tagName}.${className} "${textContent.trim().slice(0, 40)}"`;
    const root = document.querySelector(".o_mrp_mmr_floor");
    const all = (selector) => [...root.querySelectorAll(selector)].filter(isShown);
"""
#: What is wrong with sizes, places and cut texts, as a list of sentences.
MEASURE = """(needed) => {
    const problems = [];
    for (const element of all("button, input, select, textarea, summary, label.o_mrp_mmr_floor_tick")) {
        const { width, height } = boxOf(element);
        if (Math.min(width, height) < %(target)s) {
            problems.push(`too small: ${nameOf(element)} ${width.toFixed(1)} x ${height.toFixed(1)}`);
        }
        if (element.matches("button") && element.scrollWidth > element.clientWidth + 2) {
            problems.push(`cut off: ${nameOf(element)} ${element.scrollWidth} > ${element.clientWidth}`);
        }
    }
    for (const selector of needed) {
        const found = all(selector);
        if (!found.length) {
            problems.push(`missing: ${selector}`);
        }
        for (const element of found) {
            const { left, top, right, bottom } = boxOf(element);
            if (left < 0 || top < 0 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5) {
                problems.push(`outside of the window: ${selector} ${nameOf(element)} ${[left, top, right, bottom]}`);
                continue;
            }
            if (element.disabled) {
                continue;
            }
            const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
            if (!hit || !(element.contains(hit) || hit.contains(element) && hit.closest("label, button"))) {
                problems.push(`covered: ${selector} ${nameOf(element)} by ${hit && nameOf(hit)}`);
            }
        }
    }
    if (document.documentElement.scrollWidth > innerWidth || root.scrollWidth > root.clientWidth + 1) {
        problems.push("wider than the window");
    }
    return problems;
}"""
#: What lies over something else of the step, and texts that stick out of their card.
OVERLAP = """(selector) => {
    const problems = [], found = all(selector);
    // As much of it as its list shows.
    const seen = (element) => {
        const { left, right, top, bottom } = element.getBoundingClientRect();
        const list = element.closest(".o_mrp_mmr_floor_lots")?.getBoundingClientRect();
        return { left, right, top: Math.max(top, list?.top ?? top), bottom: Math.min(bottom, list?.bottom ?? bottom) };
    };
    found.forEach((first, index) => {
        const a = seen(first);
        for (const second of found.slice(index + 1)) {
            const b = seen(second);
            if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1
                    && !first.contains(second) && !second.contains(first)) {
                problems.push(`${nameOf(first)} lies over ${nameOf(second)}`);
            }
        }
        for (const child of first.children) {
            if (isShown(child) && child.getBoundingClientRect().bottom > first.getBoundingClientRect().bottom + 1) {
                problems.push(`${nameOf(child)} sticks out of ${nameOf(first)}`);
            }
        }
    });
    return problems;
}"""
#: Texts with less than 4.5 to 1 of contrast; what is switched off is not counted (WCAG 1.4.3).
CONTRAST = """() => {
    const parse = (color) => {
        const found = color.match(/[\\d.]+/g).map(Number);
        const scale = color.startsWith("color(") ? 255 : 1;
        return [found[0] * scale, found[1] * scale, found[2] * scale, found[3] ?? 1];
    };
    const over = ([r, g, b, a], below) => [r, g, b].map((part, index) => part * a + below[index] * (1 - a));
    const behind = (element) => {
        const layers = [];
        for (let node = element; node; node = node.parentElement) {
            const color = parse(getComputedStyle(node).backgroundColor);
            layers.push(color);
            if (color[3] === 1) {
                break;
            }
        }
        return layers.reverse().reduce((below, color) => over(color, below), [255, 255, 255]);
    };
    const light = (color) => {
        const [r, g, b] = color.map((part) => part / 255)
            .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const problems = new Set();
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || !isShown(element) || element.closest(":disabled, .disabled")) {
            continue;
        }
        const ground = behind(element);
        const [a, b] = [light(over(parse(getComputedStyle(element).color), ground)), light(ground)];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) {
            problems.add(`${nameOf(element)}: ${ratio.toFixed(2)}`);
        }
    }
    return [...problems];
}"""
#: What lies in the window without scrolling, by what is recorded.
NEEDED = {
    'weight': ['.o_mrp_mmr_floor_pad .btn', '#floor_value', '.o_mrp_mmr_floor_unit'],
    'value': ['.o_mrp_mmr_floor_pad .btn', '#floor_value'],
    'yield': ['.o_mrp_mmr_floor_pad .btn', '#floor_value'],
    'sample': ['.o_mrp_mmr_floor_pad .btn', '#floor_count', '#floor_size'],
    'labels': ['.o_mrp_mmr_floor_pad .btn'],
    'material': ['.o_mrp_mmr_floor_pad .btn'],
    'outcome': ['.o_mrp_mmr_floor_pass', '.o_mrp_mmr_floor_fail'],
    'check': ['.o_mrp_mmr_floor_check[data-position="1"] .btn'],
    'equipment': ['.o_mrp_mmr_floor_lots .btn'],
    'photo': ['.o_mrp_mmr_floor_task label.o_mrp_mmr_floor_main'],
}
#: On tablets moreover.
NEEDED_ON_TABLETS = {
    'weight': ['.o_mrp_mmr_floor_weighing', '.o_mrp_mmr_floor_lots .btn:first-child', '#floor_lot'],
    'labels': ['#floor_labels', '#floor_issued', '#floor_used'],
    'material': ['#floor_material', '#floor_issued', '#floor_returned'],
}


class FloorKinds(FloorCommon):
    """A batch that has a step of each kind."""

    @classmethod
    def _extend(cls, draft):
        super()._extend(draft)
        env = cls.env(user=cls.user_preparer)
        documents = cls.env['mrp.sop'].sudo()
        method, sheet = documents.create([
            {'code': 'M-FLOOR', 'name': "Sampling", 'kind': 'method'},
            {'code': 'S-FLOOR', 'name': "Sheet", 'kind': 'specification'}])
        checks = cls._add_step(draft, name="Area check", kind='clearance', sequence=31, corrective_action=False)
        env['mrp.mmr.step.check'].create([
            {'step_id': checks.id, 'name': name, 'sequence': number} for number, name in enumerate((
                "No labels of another batch are on the line or in the printer", "No dust", "Doors closed", "Air on"), 1)])
        cls._add_step(draft, name="Colour", kind='passfail', sequence=32, criterion_text="White, without specks")
        cls._add_step(
            draft, name="Drying", kind='numeric', sequence=33, minimum=20, maximum=40, unit="°C", time_limit=90,
            precaution="Hot oven: wear gloves and goggles. Keep the door closed while it is hot.",
            instruction=" ".join(["Spread the mass on the trays, no layer deeper than two fingers, and turn it."] * 8))
        cls._add_step(draft, name="Photo of the drum", kind='photo', sequence=34)
        cls._add_step(draft, name="Samples", kind='sampling', sequence=35, sample_required=True, sample_count=2, sample_size=50,
                      sample_unit="g", sample_timing="At the end", method_id=method.id)
        blending = draft.operation_ids.sorted('sequence')[-1]
        packaging = env['mrp.routing.workcenter'].create({
            'name': "Packaging", 'bom_id': draft.bom_id.id, 'workcenter_id': blending.workcenter_id.id, 'sequence': 9,
            'mmr_stage': 'packaging'})
        pack = draft.pack_ids.with_env(env)
        pack.write({'packed_under': False, 'coding_position': "Bottom", 'clearance': "Count.", 'checks': "Torque."})
        env['mrp.mmr.specification'].create({
            'revision_id': draft.id, 'scope': 'packaging', 'product_id': cls.component_other.id, 'name': "Height",
            'is_identity': True, 'criterion_text': "As drawn.", 'document_id': sheet.id, 'method': "Calliper",
            'corrective_action': "Reject."})
        env['mrp.mmr.pack.line'].create({
            'pack_id': pack.id, 'product_id': cls.component_other.id, 'quantity': 1, 'uom_id': cls.kg.id})
        cls.line = cls.env['maintenance.equipment'].create({'name': "Filling line 1", 'serial_no': "FL-77"})
        env['mrp.mmr.equipment'].create({
            'revision_id': draft.id, 'operation_id': packaging.id, 'preparation': "Clean.", 'equipment_id': cls.line.id})
        env['mrp.mmr.step'].create([
            {'revision_id': draft.id, 'operation_id': packaging.id, **vals} for vals in (
                {'name': "Line clearance of the filling line", 'kind': 'clearance', 'instruction': "Look.", 'sequence': 80},
                {'name': "Labels of the bottles", 'kind': 'label', 'instruction': "Count the labels.", 'pack_id': pack.id,
                 'sequence': 90})])

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.unit = cls.env['maintenance.equipment'].create({
            'name': "Blender 1", 'serial_no': "BL-1",
            'category_id': cls.env['maintenance.equipment.category'].search([('name', '=', "Test blender")], limit=1).id})
        cls._person('verifier')
        for number in range(2, 5):
            cls._stock(cls.component_a, cls._create_lot_as_planned(cls.component_a, f"L-ASC-2031-{number:05}"))

    def _begin(self, step):
        if step.planned['unit']:
            self._ready_unit(step)
        step.with_user(self._person(step.performer_role or 'operator')).action_start(acknowledged=True)

    def _ask(self, hands, function, *args):
        return hands.js(f"(() => {{ {TOOLS} return ({function})({', '.join(map(repr, args))}); }})()")


@tagged('post_install', '-at_install')
class TestFloorLayout(FloorKinds, HandsCase):

    def _check(self, hands, needed, name):
        """Measure the screen that is shown; every problem is named with its screen."""
        problems = self._ask(hands, MEASURE % {'target': TARGET}, needed)
        problems += self._ask(hands, CONTRAST)
        return [f"{name}: {problem}" for problem in problems]

    def test_steps(self):
        """FLR-010: number pad and record button lie in the window for each kind of step on each screen (U-02, U-03).

        What is pressed has 14 mm, texts have a contrast of 4.5 to 1, and nothing is cut off or lies over something else.
        """
        problems, kinds = [], set()
        for step in self.steps.sorted('sequence'):
            self._begin(step)
            with self.at_terminal_of('t_operator', f'/odoo/mmr-floor/{self.bpr.id}') as hands:
                hands.see(f'.o_mrp_mmr_floor_step[data-id="{step.id}"][data-state=started]')
                for size in SIZES:
                    hands.resize(*size)
                    hands.js("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 50)))")
                    task = hands.js("document.querySelector('.o_mrp_mmr_floor_task')?.dataset.task")
                    needed = [*NEEDED.get(task, ()), *(NEEDED_ON_TABLETS.get(task, ()) if size in TABLETS else ())]
                    problems += self._check(
                        hands, [*needed, '.o_mrp_mmr_floor_bar .o_mrp_mmr_floor_main'], f"{step.code} {step.kind} {size}")
                    if size != SIZES[-1]:
                        problems += [f"{step.code} {size}: {row}" for row in self._ask(
                            hands, OVERLAP, '.o_mrp_mmr_floor_scroll .btn, .o_mrp_mmr_floor_scroll .alert, '
                                            '.o_mrp_mmr_floor_scroll .form-control, .o_mrp_mmr_floor_title')]
                    kinds.add(task)
            self._record_step(step)
            self._sign_step(step)
        self.assertLessEqual(NEEDED.keys(), kinds)
        self.assertFalse(problems, '\n'.join(problems))

    def test_cards(self):
        """FLR-010 (U-04): cards are as high as their text and never lie over each other, however many batches run."""
        for _number in range(10):
            self._create_order().action_confirm()
        with self.at_terminal_of('t_operator', '/odoo/mmr-floor') as hands:
            problems = []
            for size in SIZES:
                hands.resize(*size)
                hands.wait("document.querySelectorAll('.o_mrp_mmr_floor_card').length > 10")
                problems += self._check(hands, ['.o_mrp_mmr_floor_card:first-child'], f"cards {size}")
                problems += [f"{size}: {row}" for row in self._ask(hands, OVERLAP, '.o_mrp_mmr_floor_card')]
            self.assertFalse(problems, '\n'.join(problems))

    def test_dark(self):
        """FLR-010: in dark colours, as Odoo's variables have them where they are installed, the floor is read as well."""
        self.env['ir.attachment'].create({
            'name': "dark.scss", 'url': '/mrp_mmr/static/tests/dark.scss', 'type': 'binary', 'mimetype': 'text/scss',
            'raw': DARK.encode(), 'public': True})
        self.env['ir.asset'].create({
            'name': "Dark", 'bundle': 'web._assets_primary_variables', 'directive': 'prepend',
            'path': '/mrp_mmr/static/tests/dark.scss'})
        with self.at_terminal_of('t_operator', f'/odoo/mmr-floor/{self.bpr.id}') as hands:
            hands.see('.o_mrp_mmr_floor_step')
            ground = hands.js("getComputedStyle(document.querySelector('.o_mrp_mmr_floor')).backgroundColor")
            self.assertEqual(ground, 'rgb(27, 29, 38)')
            problems = self._check(hands, ['.o_mrp_mmr_floor_bar .o_mrp_mmr_floor_main'], "dark")
            hands.touch('.o_mrp_mmr_floor_main', "Start")
            hands.see('.o_mrp_mmr_floor_pad')
            problems += self._check(hands, NEEDED['weight'], "dark weighing")
            hands.touch('.o_mrp_mmr_floor_more')
            hands.wait("document.querySelector('.o_mrp_mmr_floor_side').checkVisibility()")
            problems += self._check(hands, [], "dark side")
            self.assertFalse(problems, '\n'.join(problems))

    def test_folded(self):
        """FLR-010: on a tablet steps and people are folded away, one touch shows them, in dark colours of the tablet too."""
        with self.at_terminal_of('t_operator', f'/odoo/mmr-floor/{self.bpr.id}') as hands:
            hands.send('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': 'dark'}])
            for button, part in (('Steps', '.o_mrp_mmr_floor_list'), ('More', '.o_mrp_mmr_floor_side')):
                self.assertFalse(hands.js(f"document.querySelector('{part}').checkVisibility()"))
                hands.touch('.o_mrp_mmr_floor_menu', button)
                hands.wait(f"document.querySelector('{part}').checkVisibility()")
                self.assertFalse(self._check(hands, [], part))
                hands.touch('.o_mrp_mmr_floor_menu', button)
                hands.wait(f"!document.querySelector('{part}').checkVisibility()")

    # === BEFORE THE START === #

    def test_precaution(self):
        """FLR-010 (U-20), CON-110: a precaution that was shown is passed with Enter; no earlier key answers it."""
        step = self._step("Drying")
        self._execute(self.order, until=step)
        with self.at_terminal_of('t_operator', f'/odoo/mmr-floor/{self.bpr.id}', (1366, 768), is_touch=False) as hands:
            hands.see('.o_mrp_mmr_floor_precaution input:focus')
            hands.js("new Promise((resolve) => setTimeout(resolve, 800))")
            hands.press('Enter')
            hands.see('.o_mrp_mmr_floor_main:focus:enabled', "Start")
            hands.see(f'.o_mrp_mmr_floor_step[data-id="{step.id}"][data-state=open]')
            hands.press('Enter')
            hands.see(f'.o_mrp_mmr_floor_step[data-id="{step.id}"][data-state=started]')
        self.assertTrue(step.precaution_acknowledged)

    def test_unready(self):
        """FLR-010 (U-15), BPR-040: equipment that is not clean is seen before the start, with the cleaning that it needs."""
        step = self.steps.filtered(lambda step: (step.planned['unit'] or {}).get('equipment'))[0]
        self._execute(self.order, until=step)
        [row] = self._read(step)['step']['unready']
        self.assertEqual((row['id'], row['needs_cleaning']), (self.line.id, True))
        self.assertIn("no signed full cleaning", row['issue'])
        with self.at_terminal_of('t_operator', f'/odoo/mmr-floor/{self.bpr.id}') as hands:
            hands.see('.o_mrp_mmr_floor_unready', "It needs a signed full cleaning (change of product).")
            hands.see('.o_mrp_mmr_floor_main:disabled', "Start")
            hands.touch('.o_mrp_mmr_floor_unready .o_mrp_mmr_floor_clean')
            hands.see('.modal', "Filling line 1")
        self._clean(self.line)
        self.assertFalse(self._read(step)['step']['unready'])
        self.line.with_user(self.user_qc).mmr_is_instrument = True
        [row] = self._read(step)['step']['unready']
        self.assertEqual((row['needs_cleaning'], row['issue']), (False, f"{self.line.display_name} has never been calibrated."))
        self._calibrate(self.line)
        self.assertEqual(step.with_user(self.user_operator).action_start(acknowledged=True), {'started': True})
