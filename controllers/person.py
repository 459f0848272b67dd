"""Another person takes over at a terminal of the shop floor."""

from odoo import http
from odoo.http import get_default_session, request


class MrpFloorPerson(http.Controller):

    @http.route('/mrp_mmr/floor/person', type='jsonrpc', auth='public', readonly=False)
    def take_over(self, login, password):
        """Make this browser's session one of the person of this user name and password (SEC-060, FLR-010).

        It is a login like any other: a wrong password is counted by Odoo and leaves the session as it was. What the session
        knew of the person before does not pass on, such as when that person last proved to be there. As the request has to
        be JSON, no other site can make a browser send it.

        :return: dict of ``uid``, or of the ``url`` where a second factor is asked for
        :raise AccessDenied: where user name or password is wrong
        """
        session = request.session
        known = set(session) - set(get_default_session())
        found = session.authenticate(request.env, {'type': 'password', 'login': login, 'password': password})
        for name in known:
            session.pop(name, None)
        if session.uid:
            return {'uid': session.uid}
        return {'uid': False, 'url': request.env['res.users'].sudo().browse(found['uid'])._mfa_url()}
