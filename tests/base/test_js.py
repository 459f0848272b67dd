"""The unit tests of the screens: static/tests/**/*.test.js, in a browser, with Odoo's own framework (Hoot)."""

from odoo.tests import tagged

from ..common.base import HttpCase


def _hash_of(name):
    """Return the identifier that Hoot gives to a suite or test of this name."""
    total = 0
    for char in name:
        total = ((total << 5) - total + ord(char)) & 0xFFFFFFFF
    return f'{total:08x}'


@tagged('post_install', '-at_install')
class TestJsUnit(HttpCase):

    def test_unit(self):
        """BPR-110, PRD-080: outbox, clock and number pad of the floor, each by itself."""
        self.browser_js(
            f'/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={_hash_of("@mrp_mmr")}', "", "", login='admin',
            timeout=300, success_signal="[HOOT] Test suite succeeded", error_checker=lambda message: '[HOOT]' not in message)
