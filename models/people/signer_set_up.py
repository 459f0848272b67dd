"""Keys of the people of demonstrations, tests and measurements, made and enrolled as people do it."""

from odoo import api, models
from odoo.exceptions import UserError

from ...domain.sessions import session_of


class MrpSignerKey(models.Model):
    _inherit = 'mrp.signer.key'

    @api.model
    def _set_up(self, users, enroller, secrets, cost=None):
        """Make a key for each of ``users`` that has none, and let ``enroller`` enrol them by own signature.

        It needs what each of them types, so it cannot make a signature without the secret.

        :param dict secrets: login → what this person types; of the enroller too
        :param int cost: of the slow digest; a low one where the secrets are public anyway
        :raise UserError: where the signature is refused
        """
        histories = self._read_histories(users)
        users = users.filtered(lambda user: user.id not in histories)
        keys = self.union(*(
            self._make(user, secrets[user.login], self._get_reason(user), cost=cost) for user in users))
        if not keys:
            return
        keys = keys.with_user(enroller)
        with session_of(enroller):
            answer = keys.esign('enrol', {'login': enroller.login, 'password': secrets[enroller.login]},
                                keys.esign_prepare('enrol')['digest'])
        if 'refused' in answer:
            raise UserError(answer['refused'])
