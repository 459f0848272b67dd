"""The shop floor as people work on it: with fingers, with a keyboard, with a scanner; nothing typed is lost."""

import odoo
from odoo.tests import tagged
from odoo.tests.common import JsonRpcException
from odoo.tools import mute_logger

from ..common.base import PASSWORD
from ..common.hands import HandsCase
from .test_floor import FloorTourCommon

MAIN = '.o_mrp_mmr_floor_main:enabled'


class Fingers:
    """Works by touch: every button lies in the window, and numbers come from the pad."""
    size, is_touch = (1024, 768), True

    def __init__(self, hands):
        self.hands = hands

    def main(self, label):
        self.hands.touch(MAIN, label)

    def start(self, code):
        self.main("Start")

    def weigh(self, lot, value):
        self.hands.touch('.o_mrp_mmr_floor_lots button', lot)
        self.number(value)

    def number(self, value):
        for digit in value:
            self.hands.touch(f'.o_mrp_mmr_floor_pad [data-key="{"point" if digit == "." else digit}"]')
        self.main("Record")

    def identify(self, name, code):
        self.hands.touch('.o_mrp_mmr_floor_lots button', name)
        self.main("Record")

    def conform(self):
        self.hands.touch('.o_mrp_mmr_floor_pass')
        self.main("Record conforms")

    def answer(self, position):
        self.hands.touch(f'.o_mrp_mmr_floor_check[data-position="{position}"] .o_mrp_mmr_floor_yes')

    def sign(self, label, login):
        self.main(label)
        self.hands.touch('.o_mrp_mmr_sign input[name=login]')
        self.hands.insert(login)
        self.hands.touch('.o_mrp_mmr_sign input[name=password]')
        self.hands.insert(PASSWORD)
        self.hands.touch('.o_mrp_mmr_sign_button:enabled')


class Keyboard:
    """Works by keys alone: Enter is the main button, and the focus goes where the work goes on."""
    size, is_touch = (1366, 768), False

    def __init__(self, hands):
        self.hands = hands

    def tab_to(self, selector):
        for _stop in range(60):
            if self.hands.js(f"document.activeElement.matches({selector!r})"):
                return
            self.hands.press('Tab')
        self.hands.fail(f"No key leads to {selector}")

    def main(self, label):
        self.hands.see(MAIN, label)
        self.tab_to(MAIN)
        self.hands.press('Enter')

    def start(self, code):
        self.hands.see(f'{MAIN}:focus', "Start")
        self.hands.press('Enter')

    def weigh(self, lot, value):
        self.hands.see('#floor_lot:focus')
        self.hands.type(lot)
        self.hands.press('Enter')
        self.hands.see('.o_mrp_mmr_floor_chosen', lot)
        self.number(value)

    def number(self, value):
        self.hands.see('#floor_value:focus')
        self.hands.type(value)
        self.hands.press('Enter')

    def identify(self, name, code):
        self.hands.see('[data-floor-focus]:focus', name)
        self.hands.press('Enter')
        self.main("Record")

    def conform(self):
        self.hands.see('.o_mrp_mmr_floor_pass:focus')
        self.hands.press('Enter')
        self.main("Record conforms")

    def answer(self, position):
        self.tab_to(f'.o_mrp_mmr_floor_check[data-position="{position}"] .o_mrp_mmr_floor_yes')
        self.hands.press('Enter')

    def sign(self, label, login):
        self.hands.see(f'{MAIN}:focus', label)
        self.hands.press('Enter')
        self.hands.see('.o_mrp_mmr_sign input[name=login]:focus')
        self.hands.type(login)
        self.hands.press('Enter')
        self.hands.see('.o_mrp_mmr_sign input[name=password]:focus')
        self.hands.type(PASSWORD)
        self.hands.press('Enter')


class Scanner(Keyboard):
    """Works by codes alone: of worksheets, lots, units, scales, badges and commands; a password is typed."""
    size, is_touch = (1024, 768), True

    def main(self, label):
        self.hands.see(MAIN, label)
        self.hands.scan('OBTgo')

    def start(self, code):
        self.hands.see(MAIN, "Start")
        self.hands.scan(code)

    def weigh(self, lot, value):
        self.hands.see('#floor_lot')
        self.hands.scan(lot)
        self.hands.see('.o_mrp_mmr_floor_chosen', lot)
        self.number(value)

    def number(self, value):
        self.hands.see('#floor_value:focus')
        self.hands.scan(value)

    def identify(self, name, code):
        self.hands.see('#floor_equipment')
        self.hands.scan(code)

    def conform(self):
        self.hands.see('.o_mrp_mmr_floor_pass')
        self.hands.scan('OBTconforms')
        self.main("Record conforms")

    def answer(self, position):
        self.hands.see(f'.o_mrp_mmr_floor_check[data-position="{position}"] .o_mrp_mmr_floor_yes[barcode_trigger]')
        self.hands.scan('OBTyes')

    def sign(self, label, login):
        self.main(label)
        self.hands.see('.o_mrp_mmr_sign input[name=login]')
        self.hands.scan(login)
        self.hands.see('.o_mrp_mmr_sign input[name=password]:focus')
        self.hands.type(PASSWORD)
        self.hands.press('Enter')


class FloorHandsCommon(FloorTourCommon, HandsCase):

    def _at_floor(self, worker=Fingers, login='t_operator', path=None):
        return self.at_terminal_of(login, path or f'/odoo/mmr-floor/{self.bpr.id}', worker.size, worker.is_touch)

    def _see_step(self, hands, step_id, state):
        hands.see(f'.o_mrp_mmr_floor_step[data-id="{step_id}"][data-state={state}]')

    def _plan(self):
        """Return what is done at each step, as plain values: while the browser works, the test reads nothing."""
        labels = {'addition_verified': "addition verified"}
        return [{
            'id': step.id, 'kind': step.kind, 'code': f'{self.bpr.name}/{step.sequence}',
            'weight': ("L-ASC", "90.02") if step.planned['component'] == 1 else ("L-MCC", "10"),
            'checks': [(row['position'], row['text']) for row in step.planned['checklist']],
            'signatures': [
                (f"Sign: {labels.get(point, point)}", "t_verifier" if 'verified' in point else "t_operator")
                for point in step.points],
        } for step in self.steps.sorted('sequence')]

    def _work_through(self, do, plan, unit):
        """Do the steps of a plan as a worker does."""
        for step in plan:
            self._see_step(do.hands, step['id'], 'open')
            do.start(step['code'])
            self._see_step(do.hands, step['id'], 'started')
            if step['kind'] == 'weigh':
                do.weigh(*step['weight'])
            elif step['kind'] == 'equipment':
                do.identify(*unit)
            elif step['checks']:
                for position, text in step['checks']:
                    do.answer(position)
                    do.hands.see('.o_mrp_mmr_floor_entry:not(.o_mrp_mmr_floor_waiting)', text)
            elif step['kind'] in ('clearance', 'passfail'):
                do.conform()
            elif step['kind'] in ('numeric', 'yield'):
                do.number("15" if step['kind'] == 'numeric' else "96")
            for label, login in step['signatures']:
                do.sign(label, login)
                do.hands.wait("!document.querySelector('.o_mrp_mmr_sign')", "the end of the signature")

    def _value(self, hands, selector):
        return hands.js(f'document.querySelector({selector!r}).value')


@tagged('post_install', '-at_install')
class TestFloorHands(FloorHandsCommon):

    def _work(self, worker):
        """Work through the whole batch, as the operator and the verifier at the terminal of the operator."""
        plan, order, unit = self._plan(), self.order.name, (self.unit.name, self.unit.serial_no)
        with self._at_floor(worker) as hands:
            do = worker(hands)
            self._work_through(do, plan, unit)
            do.main("order")
            # The way back has a name (U-21).
            hands.see('.o_control_panel', order)
            self.assertNotIn("Unnamed", hands.js("document.querySelector('.o_control_panel').textContent"))
        self.assertEqual(set(self.steps.mapped('state')), {'done'})
        weights = self.steps.entry_ids.filtered(lambda entry: entry.kind == 'weight')
        self.assertEqual(weights.mapped('value'), ['90.02', '10'])
        self.assertEqual(weights.lot_id, self.lots[self.component_a] | self.lots[self.component_b])
        self.assertEqual(set(self.steps.verified_signature_id.user_id.mapped('login')), {'t_verifier'})
        self.assertFalse(self.bpr.deviation_ids)

    def test_fingers(self):
        """FLR-010: a whole batch by touch on 1024 × 768 without any scrolling, its numbers by the pad (U-02, U-03)."""
        self._work(Fingers)

    def test_keyboard(self):
        """FLR-010, PRD-080: a whole batch by keys; Enter is the main button, the focus is where the work goes on."""
        self._work(Keyboard)

    def test_scanner(self):
        """FLR-010, PRD-080: a whole batch by scanned codes; the code of the step in hand, scanned again, starts it."""
        self._work(Scanner)


@tagged('post_install', '-at_install')
class TestFloorKept(FloorHandsCommon):
    """FLR-010: what will be sent is what is seen, and nothing typed is lost."""

    def _type_weight(self, hands, value="12.5"):
        do = Fingers(hands)
        hands.touch('.o_mrp_mmr_floor_lots button', "L-ASC")
        for digit in value:
            hands.touch(f'.o_mrp_mmr_floor_pad [data-key="{"point" if digit == "." else digit}"]')
        hands.see(MAIN, f"Record {value} kg, L-ASC")
        return do

    def _see_weight(self, hands, value="12.5"):
        hands.see(MAIN, f"Record {value} kg, L-ASC")
        self.assertEqual(self._value(hands, '#floor_value'), value)

    def test_refused(self):
        """FLR-010 (U-01, U-24), USE-060: a refused weight stays as it was typed; the lot of another component says so."""
        step = self._until(self.steps[0].name)
        with self._at_floor() as hands:
            do = Fingers(hands)
            hands.touch('#floor_lot')
            hands.insert("L-MCC")
            for digit in "10":
                hands.touch(f'.o_mrp_mmr_floor_pad [data-key="{digit}"]')
            do.main("Record 10 kg, L-MCC")
            hands.see('.o_mrp_mmr_floor_message', "L-MCC is")
            message = hands.js("document.querySelector('.o_mrp_mmr_floor_message').textContent")
            self.assertIn("Microcrystalline cellulose", message)
            self.assertIn("Ascorbic acid", message)
            self.assertEqual((self._value(hands, '#floor_value'), self._value(hands, '#floor_lot')), ("10", "L-MCC"))
            hands.see(MAIN, "Record 10 kg, L-MCC")
            # Mended and not typed anew.
            hands.touch('.o_mrp_mmr_floor_lots button', "L-ASC")
            do.main("Record 10 kg, L-ASC")
            hands.see('.o_mrp_mmr_floor_entry:not(.o_mrp_mmr_floor_waiting)', "10 kg")
            self.assertEqual(self._value(hands, '#floor_value'), "")
        self.assertEqual([(entry.value, entry.lot_name) for entry in step.entry_ids], [('10', "L-ASC")])

    def test_kept(self):
        """FLR-010 (U-23): a typed weight survives a reload, the list of batches and the way back of the browser."""
        step, order = self._until(self.steps[0].name), self.order.name
        with self._at_floor() as hands:
            self._type_weight(hands)
            hands.js("location.reload()")
            self._see_weight(hands)
            hands.touch('.o_mrp_mmr_floor_back')
            hands.touch('.o_mrp_mmr_floor_card', order)
            self._see_weight(hands)
            hands.js("history.back()")
            hands.see('.o_mrp_mmr_floor_card', order)
            hands.js(f"location.assign('/odoo/mmr-floor/{self.bpr.id}')")
            self._see_weight(hands)
            # Another step and back.
            for stage, code in (("Blending", '2.1'), ("Weighing", '1.1')):
                hands.touch('.o_mrp_mmr_floor_menu', "Steps")
                if code == '2.1':
                    hands.touch('.o_mrp_mmr_floor_list summary', stage)
                hands.touch(f".o_mrp_mmr_floor_list button[data-code='{code}']")
                hands.see(f'.o_mrp_mmr_floor_step[data-code="{code}"]')
            self._see_weight(hands)
            # Recorded, it is gone.
            Fingers(hands).main("Record 12.5 kg")
            hands.see('.o_mrp_mmr_floor_entry:not(.o_mrp_mmr_floor_waiting)', "12.5 kg")
            self.assertEqual(hands.js("Object.keys(localStorage).filter((key) => key.includes('.draft.')).length"), 0)
        self.assertEqual(step.entry_ids.mapped('value'), ['12.5'])

    def test_expired(self):
        """FLR-010 (U-19): where the session has ended, people log in at the same place; what waited is saved once."""
        step = self._until(self.steps[0].name)
        with self._at_floor() as hands:
            do = self._type_weight(hands)
            odoo.http.root.session_store.delete(self.session)
            do.main("Record 12.5 kg")
            hands.see('.o_mrp_mmr_floor_expired', "Your session has ended")
            hands.touch('.o_mrp_mmr_floor_expired .btn-primary')
            hands.see('.o_mrp_mmr_floor_person')
            self.assertEqual(self._value(hands, '.o_mrp_mmr_floor_person [name=login]'), 't_operator')
            hands.touch('.o_mrp_mmr_floor_person [name=password]')
            hands.insert("wrong")
            hands.touch('.modal .btn-primary:enabled')
            hands.see('.o_mrp_mmr_floor_person .o_mrp_mmr_refused', "Wrong user name or password.")
            hands.touch('.o_mrp_mmr_floor_person [name=password]')
            hands.insert(PASSWORD)
            hands.touch('.modal .btn-primary:enabled')
            hands.see('.o_mrp_mmr_floor_entry:not(.o_mrp_mmr_floor_waiting)', "12.5 kg")
            self._see_step(hands, step.id, 'started')
        self.assertEqual(step.entry_ids.mapped('value'), ['12.5'])
        self.assertEqual(step.entry_ids.user_id, self.user_operator)

    def test_person(self):
        """FLR-010 (U-18): another person takes over at the same step, is told what is open, and sees nothing of it."""
        step = self._until(self.steps[0].name)
        with self._at_floor() as hands:
            self._type_weight(hands)
            for login, name in (('t_verifier', "Test t_verifier"), ('t_operator', "Test t_operator")):
                hands.touch('.o_mrp_mmr_floor_user')
                hands.see('.o_mrp_mmr_floor_person')
                if login == 't_verifier':
                    hands.see('.o_mrp_mmr_floor_open_work', "has not been recorded")
                hands.touch('.o_mrp_mmr_floor_person [name=login]')
                hands.insert(login)
                hands.touch('.o_mrp_mmr_floor_person [name=password]')
                hands.insert(PASSWORD)
                hands.touch('.modal .btn-primary:enabled')
                hands.wait("odoo.isReady === true && "
                           f"document.querySelector('.o_mrp_mmr_floor_user')?.textContent.includes({name!r})", name)
                self._see_step(hands, step.id, 'started')
                if login == 't_verifier':
                    # A step of another role is taken over with the main button.
                    hands.see(MAIN, "Change the person")
                    self.assertEqual(self._value(hands, '#floor_value'), "")
            self._see_weight(hands)
        self.assertFalse(step.entry_ids)

    def test_taken_over(self):
        """FLR-010, SEC-060: whoever takes over gets a session of their own, which knows nothing of the one before."""
        def call(login, password):
            return self.make_jsonrpc_request('/mrp_mmr/floor/person', {'login': login, 'password': password})

        def read():
            self.session = odoo.http.root.session_store.get(self.opener.cookies['session_id'])
            return self.session

        session = self.authenticate(
            't_operator', 't_operator', session_extra={'identity-check-last': 9e12, 'mrp_mmr_signing': {}})
        self.assertEqual(session['identity-check-last'], 9e12)
        with self.assertRaisesRegex(JsonRpcException, "AccessDenied"), \
                mute_logger('odoo.http', 'odoo.addons.base.models.res_users'):
            call('t_verifier', "wrong")
        self.assertEqual(read().uid, self.user_operator.id)
        self.assertEqual(call('t_verifier', PASSWORD), {'uid': self._person('verifier').id})
        self.assertEqual((read().uid, self.session.login), (self._person('verifier').id, 't_verifier'))
        self.assertNotEqual(self.session.sid, session.sid)
        self.assertFalse({'identity-check-last', 'mrp_mmr_signing'} & set(self.session))

    def test_leaving(self):
        """FLR-010 (U-23): leaving the floor asks where something was typed; changing the person says what is not saved."""
        self._until(self.steps[0].name)
        order = self.order.name
        with self._at_floor() as hands:
            do = self._type_weight(hands)
            hands.touch('.o_mrp_mmr_floor_back')
            hands.touch('button[title="Leave the shop floor"]')
            hands.see(
                '.modal', "What you entered at a step has not been recorded. It is kept on this terminal until you return.")
            hands.touch('.modal button', "Stay")
            hands.touch('.o_mrp_mmr_floor_card', order)
            self._see_weight(hands)
            hands.send('Network.enable')
            hands.send('Network.emulateNetworkConditions', offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
            do.main("Record 12.5 kg")
            hands.see('.o_mrp_mmr_floor_unsaved', "Not saved yet")
            hands.touch('.o_mrp_mmr_floor_user')
            hands.see('.o_mrp_mmr_floor_open_work', "12.5 kg, L-ASC is not saved yet")
            hands.touch('.modal .btn-secondary', "Cancel")
            hands.send('Network.emulateNetworkConditions', offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1)
            hands.touch('.o_mrp_mmr_floor_unsaved .btn', "Retry now")
            hands.see('.o_mrp_mmr_floor_entry:not(.o_mrp_mmr_floor_waiting)', "12.5 kg")

    def test_yield(self):
        """FLR-010 (U-16), VER-060: a yield that cannot have come out is asked first, and the answer is to this number alone."""
        step = self._until("Yield")
        with self._at_floor() as hands:
            do = Fingers(hands)
            self.assertFalse(hands.js("document.querySelector('#floor_plausible')"))
            do.number("960")
            hands.see('.o_mrp_mmr_floor_message', "VER-060")
            hands.touch('label:has(#floor_plausible)')
            hands.touch('.o_mrp_mmr_floor_pad [data-key=back]')
            hands.wait("!document.querySelector('#floor_plausible')")
            do.main("Record 96 kg")
            hands.see('.o_mrp_mmr_floor_entry:not(.o_mrp_mmr_floor_waiting)', "96 kg")
        self.assertEqual(step.entry_ids.mapped('value'), ['96'])
        self.assertFalse(self.bpr.deviation_ids)
