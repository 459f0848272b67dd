"""Signing with a PIN at the shop floor: what people type for a whole batch, and how it looks (SIG-130, FLR-010)."""

from unittest.mock import patch

from odoo.tests import tagged, test_cursor

from odoo.addons.mrp_mmr.models.people.terminal import COOKIE

from ..common.base import PASSWORD
from .test_floor_hands import MAIN, Fingers, FloorHandsCommon, Keyboard

#: Login to PIN.
PINS = {'t_operator': '4029', 't_verifier': '7718'}
#: Seconds that a person needs for a key, who is no typist (Card, Moran and Newell, keystroke-level model), and what a batch of
#: 78 steps asks for: signatures.
KEYSTROKE, SIGNATURES = 0.28, 134
DIALOG = '.o_mrp_mmr_sign'
#: What of the dialog a finger does not reach, as a list of sentences.
OUTSIDE = """() => [...document.querySelectorAll(
    ".o_mrp_mmr_pin [data-key], .o_mrp_mmr_sign_persons button, .o_mrp_mmr_sign_actions .btn")].map((element) => {
    const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const isOut = left < 0 || top < 0 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5;
    return isOut || Math.min(width, height) < 52.9 || !element.disabled && !element.contains(hit)
        ? `${element.className} ${element.textContent.trim()}: ${[left, top, right, bottom].map(Math.round)}` : "";
}).filter(Boolean)"""


class PinFingers(Fingers):
    """Signs by touch: the first time with user name and password, and a PIN for the rest."""

    def __init__(self, hands):
        super().__init__(hands)
        self.typed = {'all': 0, 'pin': 0}
        self.touches = self.characters = 0

    def touch(self, selector, text=''):
        self.hands.touch(selector, text)
        self.touches += 1

    def digits(self, pin):
        for digit in pin:
            self.touch(f'{DIALOG} [data-key="{digit}"]')

    def secret(self, text):
        self.hands.insert(text)
        self.characters += len(text)

    def sign(self, label, login):
        self.main(label)
        self.hands.see(f'{DIALOG} .o_mrp_mmr_sign_button')
        if self.typed['all'] < len(PINS):
            self._sign_with_all(login)
        else:
            self._sign_with_pin(login)
        self.hands.wait(f"!document.querySelector('{DIALOG}')", "the end of the signature")

    def _sign_with_all(self, login):
        if self.hands.js(f"Boolean(document.querySelector('{DIALOG} .o_mrp_mmr_sign_all'))"):
            self.touch(f'{DIALOG} .o_mrp_mmr_sign_all')
        self.touch(f'{DIALOG} input[name=login]')
        self.secret(login)
        self.touch(f'{DIALOG} input[name=password]')
        self.secret(PASSWORD)
        self.touch(f'{DIALOG} .o_mrp_mmr_sign_set_pin:enabled')
        for label in ("New PIN", "again"):
            self.hands.see(f'{DIALOG} .o_mrp_mmr_pin label', label)
            self.digits(PINS[login])
            if label == "New PIN":
                self.touch(f'{DIALOG} .o_mrp_mmr_sign_button:enabled', "Go On")
        self.typed['all'] += 1

    def _sign_with_pin(self, login):
        name = f"Test {login}"
        # Whoever is likely to sign is chosen already.
        self.hands.see(f'{DIALOG} .o_mrp_mmr_floor_chosen', name)
        # The last digit signs.
        self.digits(PINS[login])
        self.typed['pin'] += 1


class PinKeyboard(Keyboard):
    """Signs by keys: user name and password, then the PIN."""

    def __init__(self, hands):
        super().__init__(hands)
        self.known = set()

    def sign(self, label, login):
        self.hands.see(f'{MAIN}:focus', label)
        self.hands.press('Enter')
        if login in self.known:
            self.hands.see(f'{DIALOG} .o_mrp_mmr_floor_chosen', f"Test {login}")
            self.hands.see(f'{DIALOG} input[name=pin]:focus')
            self.hands.type(PINS[login])
            return
        self.hands.see(f'{DIALOG} input[name=login]:focus')
        self.hands.type(login)
        self.hands.press('Enter')
        self.hands.see(f'{DIALOG} input[name=password]:focus')
        self.hands.type(PASSWORD)
        self.tab_to(f'{DIALOG} .o_mrp_mmr_sign_set_pin')
        self.hands.press('Enter')
        self.hands.see(f'{DIALOG} input[name=new_pin]:focus')
        self.hands.type(PINS[login])
        self.hands.press('Enter')
        self.hands.see(f'{DIALOG} .o_mrp_mmr_pin label', "again")
        self.hands.type(PINS[login])
        self.known.add(login)


class FloorPinCommon(FloorHandsCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.write({'mmr_pin': True, 'mmr_pin_length': 4})
        terminal = cls.env['mrp.terminal'].with_user(cls._person('security')).create({'name': "Tablet 7"})
        cls.cookies = {COOKIE: terminal._issue_key()}

    def _at_floor(self, worker=PinFingers, login='t_operator', path=None):
        return self.at_terminal_of(
            login, path or f'/odoo/mmr-floor/{self.bpr.id}', worker.size, worker.is_touch, self.cookies)

    def _lines(self, kind, model):
        return self.env['mrp.audit.entry'].search([('kind', '=', kind), ('res_model', '=', model)], order='id')


@tagged('post_install', '-at_install')
class TestFloorPin(FloorPinCommon):

    def _work(self, worker):
        plan, unit = self._plan(), (self.unit.name, self.unit.serial_no)
        with self._at_floor(worker) as hands:
            do = worker(hands)
            self._work_through(do, plan, unit)
            hands.see(MAIN, "order")
        self.assertEqual(set(self.steps.mapped('state')), {'done'})
        return do, sum(len(step['signatures']) for step in plan)

    def test_fingers(self):
        """SIG-130, FLR-010: each person types one password for a whole batch, and a PIN for each further signature."""
        do, count = self._work(PinFingers)
        self.assertEqual(do.typed, {'all': 2, 'pin': count - 2})
        signed = self._lines('sign', 'mrp.bpr.step').mapped(lambda line: line.values['authenticated']['new'])
        self.assertEqual([row['first'] for row in signed], [True, True, *[False] * (count - 2)])
        # Keys and touches of both first signatures, then four for each: under three minutes, where two components took 27.
        first = do.characters + do.touches - 4 * do.typed['pin']
        self.assertLess((first + 4 * (SIGNATURES - 2)) * KEYSTROKE, 180)

    def test_keyboard(self):
        """SIG-130, FLR-010: a whole batch by keys alone, with PINs."""
        self._work(PinKeyboard)

    def test_layout(self):
        """FLR-010, SIG-130: persons, pad and buttons lie in the window on tablets and a phone, 14 mm large."""
        sizes, plan = ((1024, 768), (768, 1024), (1280, 800), (390, 844)), self._plan()[0]
        with self._at_floor() as hands:
            do = PinFingers(hands)
            do.start(plan['code'])
            self._see_step(hands, plan['id'], 'started')
            do.weigh(*plan['weight'])
            for label, login in plan['signatures'][:2]:
                do.sign(label, login)
            do.main(plan['signatures'][2][0])
            hands.see(f'{DIALOG} .o_mrp_mmr_floor_chosen', "Test t_operator")
            for size in sizes:
                hands.resize(*size)
                hands.wait(f"innerWidth === {size[0]}")
                with self.subTest(size=size):
                    self.assertEqual(hands.js(f"({OUTSIDE})()"), [])
            hands.resize(*sizes[0])
            # A colleague's name, then all components, and back.
            hands.touch(f'{DIALOG} .o_mrp_mmr_sign_persons button', "Test t_verifier")
            hands.see(f'{DIALOG} .o_mrp_mmr_pin label', "Test t_verifier")
            hands.touch(f'{DIALOG} .o_mrp_mmr_sign_all')
            hands.see(f'{DIALOG} input[name=login]')
            hands.touch(f'{DIALOG} .o_mrp_mmr_sign_persons button', "Test t_operator")
            # Without a connection nothing is said to be signed.
            hands.send('Network.enable')
            hands.send('Network.emulateNetworkConditions', offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
            do.digits('4029')
            hands.see(f'{DIALOG} .o_mrp_mmr_refused', "No connection")
            hands.send('Network.emulateNetworkConditions', offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1)
            for left in ("2 more", "1 more"):
                do.digits('1111')
                hands.see(f'{DIALOG} .o_mrp_mmr_refused', left)
            do.digits('1112')
            hands.see(f'{DIALOG} .o_mrp_mmr_refused', "has ended")
            hands.see(f'{DIALOG} input[name=login]')
        self.assertFalse(self.steps[0].added_signature_id)

    def test_change_of_person(self):
        """SIG-130: whoever takes over at the terminal ends all sessions there; no half stays in the browser."""
        plan = self._plan()[0]
        with self._at_floor() as hands:
            do = PinFingers(hands)
            do.start(plan['code'])
            self._see_step(hands, plan['id'], 'started')
            do.weigh(*plan['weight'])
            do.sign(*plan['signatures'][0])
            self.assertEqual(hands.js("Object.keys(sessionStorage).filter((key) => key.startsWith('mrp_mmr.half')).length"), 1)
            hands.touch('.o_mrp_mmr_floor_user')
            hands.touch('.o_mrp_mmr_floor_person [name=login]')
            hands.insert('t_verifier')
            hands.touch('.o_mrp_mmr_floor_person [name=password]')
            hands.insert(PASSWORD)
            hands.touch('.modal .btn-primary:enabled')
            hands.see('.o_mrp_mmr_floor_user', "Test t_verifier")
            self.assertEqual(hands.js("Object.keys(sessionStorage).filter((key) => key.startsWith('mrp_mmr.half')).length"), 0)
        [line] = self._lines('unlink', 'mrp.signer.session')
        self.assertIn("logged in", line.reason)
        self.assertFalse(self.env['mrp.signer.session'].sudo().search([]))
        self.assertNotIn('imported', line.values)

    # === REQUESTS === #

    def _request(self, method, *args):
        return self.make_jsonrpc_request(f'/web/dataset/call_kw/mrp.bpr.step/{method}', {
            'model': 'mrp.bpr.step', 'method': method, 'args': [[self.step.id], *args], 'kwargs': {}})

    def _sign_over_http(self, **credential):
        return self._request('esign', 'performed', credential, self._request('esign_prepare', 'performed')['digest'])

    def test_requests(self):
        """SIG-130, SIG-090: over HTTP wrong PINs stay counted, another browser signs nothing, and the log-out ends all."""
        self.step = self._until(self.steps[0].name)
        self._record_step(self.step)
        self.authenticate('t_operator', PASSWORD)
        self.opener.cookies[COOKIE] = self.cookies[COOKIE]
        half = '5c' * 32
        answer = self._sign_over_http(login='t_operator', password=PASSWORD, new_pin='4029', half=half)
        self.assertIn('session', answer)
        self._sign_step(self.step)
        self.step = self._until(self.steps[1].name)
        self._record_step(self.step)
        typed = {'token': answer['session'], 'half': half}
        self.assertIn("2 more", self._sign_over_http(**typed, pin='4028')['refused'])
        session = self.env['mrp.signer.session'].sudo().search([])
        session.invalidate_recordset()
        self.assertEqual(session.failures, 1)
        del self.opener.cookies[COOKIE]
        self.assertIn("SIG-130", self._sign_over_http(**typed, pin='4029')['refused'])
        self.opener.cookies[COOKIE] = self.cookies[COOKIE]
        self.assertIn('signature_id', self._sign_over_http(**typed, pin='4029'))
        self.assertEqual(self._lines('sign', 'mrp.bpr.step')[-1].values['authenticated']['new']['name'], "PIN")
        # The log-out is a readonly request, which opens a cursor of its own to write: test cursors know no such thing.
        with patch.object(test_cursor.TestCursor, '_check_cursor_readonly', lambda self: None):
            self.url_open('/web/session/logout')
        self.env.invalidate_all()
        self.assertFalse(self.env['mrp.signer.session'].sudo().search([]))
        line = self._lines('unlink', 'mrp.signer.session')[-1]
        self.assertEqual((line.reason, line.user_id.id, 'imported' in line.values), ("Logged out.", 1, False))
