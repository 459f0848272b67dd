"""What is stored of private keys, wrapped under the secrets of their owners (SIG-110)."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...domain.transitions import in_transition, transition


class MrpSignerSecret(models.Model):
    """The private key of a signer, wrapped under what its owner types when signing (SIG-110). Nobody reads it.

    That of a passkey is in its authenticator, and nothing is wrapped.
    """
    _name = 'mrp.signer.secret'
    _description = "Wrapped Key of a Signer"
    _order = 'id desc'

    key_id = fields.Many2one('mrp.signer.key', required=True, readonly=True, ondelete='restrict')
    wrapped = fields.Char(readonly=True, prefetch=False, groups=fields.NO_ACCESS)
    kind = fields.Selection([('login', "Password"), ('signing', "Signing password"), ('passkey', "Passkey")],
                            required=True, readonly=True)
    number = fields.Integer(readonly=True, help="Number of the last signature made with it.")
    signature_sha256 = fields.Char("Last Signature", readonly=True)
    sign_count = fields.Integer(readonly=True, help="Counter of a passkey at its last signature.")

    _key_uniq = models.UniqueIndex('(key_id)', "A key can be wrapped only once for each secret.")

    @api.model
    def _get(self, key):
        return self.sudo().search([('key_id', '=', key.id)]) if key else self.browse()

    @api.model
    def _keep(self, key, wrapped, kind):
        """Store a wrapped key in place of what there was."""
        stored = self._get(key)
        vals = {'wrapped': wrapped, 'kind': kind}
        with transition(key):
            if stored:
                stored.write(vals)
            else:
                self.sudo().create([{'key_id': key.id, **vals}])

    @api.model
    def _forget(self, keys):
        """Destroy the stored secrets of keys that can no longer sign."""
        with transition(keys):
            self.sudo().search([('key_id', 'in', keys.ids)]).unlink()

    @api.model
    def _forget_signing(self, user):
        """Destroy what a forgotten signing password opened."""
        self._forget(self.sudo().search([('key_id.user_id', '=', user.id), ('kind', '=', 'signing')]).key_id)

    def _refuse(self):
        return UserError(self.env._(
            "A wrapped key can only be changed with the secret of its owner. Rule: SIG-110, 21 CFR 11.200(a)(2).\nWhat you "
            "can do: let its owner change the password, and a security administrator enrol a new key."))

    @api.model_create_multi
    def create(self, vals_list):
        keys = [vals.get('key_id') for vals in vals_list]
        if not all(keys) or not in_transition(self.env['mrp.signer.key'].browse(keys)):
            raise self._refuse()
        return super().create(vals_list)

    def write(self, vals):
        if not in_transition(self.key_id):
            raise self._refuse()
        return super().write(vals)

    def copy(self, default=None):  # pylint: disable=method-required-super
        raise self._refuse()

    @api.ondelete(at_uninstall=True)
    def _unlink_except_replaced(self):
        if not in_transition(self.key_id):
            raise self._refuse()
