"""What ends continuous sessions: locks, keys, terminals, roles, settings, and who leaves the browser (SIG-130)."""

from odoo import api, models
from odoo.http import request

from ..base.company import PIN_SETTINGS


class MrpSigner(models.Model):
    _inherit = 'mrp.signer'

    def write(self, vals):
        result = super().write(vals)
        if any(vals.get(name) for name in ('locked_at', 'suspended_at', 'is_shared', 'password_changed_at')) \
                or 'signing_password' in vals:
            self.env['mrp.signer.session']._end_of('user_id', self.sudo().user_id.ids, 'signer')
        return result


class MrpSignerSecret(models.Model):
    _inherit = 'mrp.signer.secret'

    @api.model
    def _keep(self, key, wrapped, kind):
        self.env['mrp.signer.session']._end_of('key_id', key.ids, 'key')
        return super()._keep(key, wrapped, kind)

    @api.model
    def _forget(self, keys):
        self.env['mrp.signer.session']._end_of('key_id', keys.ids, 'key')
        return super()._forget(keys)


class MrpTerminal(models.Model):
    _inherit = 'mrp.terminal'

    def write(self, vals):
        result = super().write(vals)
        if 'active' in vals or 'company_id' in vals:
            self.env['mrp.signer.session']._end_of('terminal_id', self.ids, 'terminal')
        return result

    def _set_key(self, key):
        result = super()._set_key(key)
        self.env['mrp.signer.session']._end_of('terminal_id', self.ids, 'terminal')
        return result


class ResCompany(models.Model):
    _inherit = 'res.company'

    def write(self, vals):
        result = super().write(vals)
        if PIN_SETTINGS & vals.keys():
            self.env['mrp.signer.session']._end_of('company_id', self.ids, 'setting')
        return result


class ResUsers(models.Model):
    _inherit = 'res.users'

    def _audit_gmp_access(self, before):
        result = super()._audit_gmp_access(before)
        rows = self.env['mrp.signer.session'].sudo().search([('user_id', 'in', self.ids)])
        rows.filtered(lambda row: row.access_sha256 != row._get_access_digest(row.user_id))._end('access')
        return result

    def _login(self, credential, user_agent_env):
        """Whoever logs in where somebody is logged in takes over."""
        answer = super()._login(credential, user_agent_env)
        if request and request.session.uid:
            self.env['mrp.signer.session']._end_of_browser('person')
        return answer


class IrHttp(models.AbstractModel):
    _inherit = 'ir.http'

    @classmethod
    def _post_logout(cls):
        super()._post_logout()
        request.env['mrp.signer.session']._end_of_browser('logout')
