"""Whether evidence is looked after in time, for the program that watches the server."""

from odoo import http
from odoo.http import request


class MrpHealth(http.Controller):

    @http.route('/mrp_mmr/health', type='http', auth='bearer', methods=['GET'], readonly=True, save_session=False)
    def health(self):
        """Answer what ``mrp.audit.verify.get_health`` says, as JSON: status 200 where all is in time, 503 where it is not.

        The API key in the header ``Authorization: Bearer …`` is that of a person who verifies evidence or administers Odoo.
        """
        health = request.env['mrp.audit.verify'].get_health()
        return request.make_json_response(health, status=200 if health['status'] == 'ok' else 503)
