"""People at a terminal: fingers, keyboard and scanner on a real browser, of which all events come from outside of the page."""

import base64
import json
import time
from contextlib import contextmanager
from pathlib import Path

from odoo.tests.common import ChromeBrowser

from .base import HttpCase

#: Seconds that something on the screen is waited for: the browser shares the machine with other tests.
PATIENCE = 60
#: Keys whose code is not that of their character.
KEYS = {'Enter': 13, 'Tab': 9, 'Backspace': 8, 'Escape': 27, ' ': 32, '.': 190, '-': 189, '/': 191}
#: Finds the element of a selector that has a text, and says where a finger would touch it.
FIND = """(selector, text) => {
    for (const element of document.querySelectorAll(selector)) {
        const box = element.getBoundingClientRect();
        if (!box.width || (text && !element.textContent.includes(text)) || element.disabled) {
            continue;
        }
        const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
        const top = document.elementFromPoint(x, y);
        return {x, y, isOnTop: Boolean(top) && (element.contains(top) || Boolean(top.closest("label")?.contains(element))),
                top: top ? `${top.tagName}.${top.className}` : "outside of the window"};
    }
    return null;
}"""


class Hands:
    """What a person can do with a browser: touch, type, scan, and look."""

    def __init__(self, case, browser):
        self.case, self.browser = case, browser

    def send(self, method, **params):
        if self.browser.had_failure or self.browser._result.done():
            raise AssertionError(f"The page failed: {self.browser._result.exception(timeout=1)}")
        return self.browser._websocket_request(method, params=params, timeout=PATIENCE)

    def resize(self, width, height, is_touch=True):
        """Make the window one of a device, with fingers or without."""
        self.send('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.send('Emulation.setTouchEmulationEnabled', enabled=is_touch, maxTouchPoints=5 if is_touch else 1)

    def open(self, path):
        self.browser.navigate_to(self.case.base_url() + path, wait_stop=True)
        self.wait("odoo.isReady === true && document.querySelector('.o_mrp_mmr_floor')", "the shop floor")

    def js(self, expression):
        """Return the value of an expression in the page."""
        answer = self.send('Runtime.evaluate', expression=expression, awaitPromise=True, returnByValue=True)
        if 'exceptionDetails' in answer:
            raise AssertionError(json.dumps(answer['exceptionDetails'])[:800])
        return answer['result'].get('value')

    def wait(self, expression, what=None):
        """Wait until an expression in the page is true."""
        end = time.monotonic() + PATIENCE
        while not self.js(f"Boolean((() => {{ try {{ return {expression}; }} catch {{ return false; }} }})())"):
            if time.monotonic() > end:
                self.fail(f"{what or expression} did not appear")
            time.sleep(0.05)

    def see(self, selector, text=''):
        """Wait for an element that shows a text."""
        self.wait(f"[...document.querySelectorAll({json.dumps(selector)})].some("
                  f"(element) => element.textContent.includes({json.dumps(text)}))", f"{selector} with {text!r}")

    def fail(self, message):
        self.shoot(Path('/tmp') / 'mrp_mmr_hands.png')
        raise AssertionError(f"{message}. On the screen: {self.js('document.body.innerText')[:1500]}")

    def shoot(self, path):
        path.write_bytes(base64.b64decode(self.send('Page.captureScreenshot')['data']))

    # === FINGERS === #

    def touch(self, selector, text=''):
        """Touch an element with a finger: it must be in the window, and nothing may lie on it."""
        end, found = time.monotonic() + PATIENCE, None
        while time.monotonic() < end:
            found = self.js(f"({FIND})({json.dumps(selector)}, {json.dumps(text)})")
            if found and found['isOnTop']:
                point = {'x': found['x'], 'y': found['y']}
                self.send('Input.dispatchTouchEvent', type='touchStart', touchPoints=[point])
                self.send('Input.dispatchTouchEvent', type='touchEnd', touchPoints=[])
                return
            time.sleep(0.05)
        self.fail(f"{selector} {text!r} cannot be touched: {found}")

    # === KEYS === #

    def press(self, key):
        """Press a key of a keyboard."""
        self._stroke(key, self.send)

    def type(self, text):
        """Type a text, as slowly as people do."""
        for key in text:
            self.press(key)
            time.sleep(0.05)

    def insert(self, text):
        """Enter a text with the keyboard of the tablet."""
        self.send('Input.insertText', text=text)

    def scan(self, code):
        """Send a code as a scanner does: at once, with Enter at the end, to whatever has the focus."""
        for key in (*code, 'Enter'):
            self._stroke(key, lambda method, **params: self.browser._websocket_send(method, params=params))
        self.js('1')

    def _stroke(self, key, send):
        code = KEYS.get(key, ord(key[0].upper()))
        text = '\r' if key == 'Enter' else key if len(key) == 1 else ''
        written = {'text': text, 'unmodifiedText': text} if text else {}
        send('Input.dispatchKeyEvent', type='keyDown', key=key, windowsVirtualKeyCode=code, **written)
        send('Input.dispatchKeyEvent', type='keyUp', key=key, windowsVirtualKeyCode=code)


class HandsCase(HttpCase):
    """Tests with :class:`Hands`."""

    @contextmanager
    def at_terminal_of(self, login, path, size=(1024, 768), is_touch=True, cookies=()):
        """Yield the hands of a person who is logged in at the shop floor, on a screen of ``size``.

        Until then the test reads nothing from the database: requests of the page use its cursor. At the end the page is
        left, so that no request of it is on its way when the test goes on.
        """
        self.touch_enabled = is_touch
        browser = ChromeBrowser(self, success_signal='never')
        # Whoever leaves a form that was begun is asked by the browser.
        browser._handlers['Page.javascriptDialogOpening'] = lambda **_details: browser._websocket_send(
            'Page.handleJavaScriptDialog', params={'accept': True})
        try:
            with self.allow_requests(browser=browser):
                self.authenticate(login, login, browser=browser)
                self.cr.flush()
                self.cr.clear()
                for name, value in dict(cookies).items():
                    browser.set_cookie(name, value, '/', '127.0.0.1')
                hands = Hands(self, browser)
                hands.resize(*size, is_touch)
                hands.open(path)
                try:
                    yield hands
                finally:
                    browser.navigate_to('about:blank', wait_stop=True)
                    self._wait_remaining_requests()
        finally:
            browser.stop()
        self.env.invalidate_all()
