"""The browser of a terminal gets its key."""

from odoo import http
from odoo.http import request

from ..models.people.terminal import COOKIE

#: Browsers keep a cookie for 400 days at most.
MAX_AGE = 400 * 24 * 3600


class MrpTerminal(http.Controller):

    @http.route('/mrp_mmr/terminal/register', type='jsonrpc', auth='user')
    def register(self, terminal_id):
        """Make the browser of this session a terminal (SEC-040).

        The key goes into a cookie that no script can read and that other sites cannot send along; it is not in the
        answer. As the request has to be JSON, no other site can make a browser send it.
        """
        terminal = request.env['mrp.terminal'].browse(int(terminal_id)).exists()
        key = terminal._issue_key()
        request.future_response.set_cookie(
            COOKIE, key, max_age=MAX_AGE, httponly=True, samesite='Strict', secure=request.httprequest.is_secure)
        return terminal.name
