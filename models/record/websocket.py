"""Who hears what happens on the shop floor (SEC-010)."""

from odoo import models

FLOOR_CHANNEL = 'mrp_mmr_floor_'


class IrWebsocket(models.AbstractModel):
    _inherit = 'ir.websocket'

    def _build_bus_channel_list(self, channels):
        """Let only employees of a company listen to what happens on its shop floor (SEC-010)."""
        user = self.env.user
        own = {f'{FLOOR_CHANNEL}{company.id}' for company in user.company_ids} if user._is_internal() else ()
        return super()._build_bus_channel_list([
            channel for channel in channels
            if not isinstance(channel, str) or not channel.startswith(FLOOR_CHANNEL) or channel in own])
