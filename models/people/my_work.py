"""My Work of those who answer for people: keys, identities, locks, qualifications; and what everybody should know (USR-010)."""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import LazyTranslate

from ...domain.my_work import WorkLine, WorkSource
from .qualification import QUALITY_MANAGER, REMINDER_DAYS, SECURITY, TRAINERS

_lt = LazyTranslate(__name__)


class MrpMyWork(models.AbstractModel):
    _inherit = 'mrp.my.work'

    _work_sources = {
        'key_enrol': WorkSource(
            section='sign', order=10, model='mrp.signer.key', roles=(SECURITY,), find='_find_keys_to_enrol',
            title=_lt("Keys to enrol"), why=_lt("You enrol the keys of others, in person.")),
        'signer_locked': WorkSource(
            section='sign', order=11, model='res.users', roles=(SECURITY,), find='_find_locked_signers',
            title=_lt("Signers to unlock"), why=_lt("You unlock who typed wrong passwords.")),
        'signer_unverified': WorkSource(
            section='sign', order=12, model='res.users', roles=(SECURITY,), find='_find_unverified_signers',
            title=_lt("Identities to verify"), why=_lt("You verify who a person is, on a document.")),
        'qualification_renew': WorkSource(
            section='sign', order=80, model='mrp.qualification', roles=(QUALITY_MANAGER, SECURITY, *TRAINERS),
            find='_find_qualifications_to_renew', title=_lt("Qualifications and training to renew"),
            why=_lt("You grant it.")),
        'qualification_own': WorkSource(
            section='mine', order=50, model='mrp.qualification', find='_find_own_qualifications',
            title=_lt("My qualifications that end"), why=_lt("It is yours: somebody else renews it.")),
    }

    @api.model
    def _find_keys_to_enrol(self, shared):
        keys = self._find_work('mrp.signer.key', [('state', '=', 'waiting')])._filter_offered('enrol')
        return [WorkLine(record=key, name=key.user_name, what=self.env._("fingerprint %s", key.short), since=key.made_at)
                for key in keys]

    @api.model
    def _find_locked_signers(self, shared):
        signers = self._find_work('mrp.signer', [('locked_at', '!=', False), ('user_id', '!=', self.env.uid)])
        return [WorkLine(record=signer.user_id, since=signer.locked_at, is_late=True,
                         what=self.env._("cannot sign since repeated wrong attempts")) for signer in signers]

    @api.model
    def _find_unverified_signers(self, shared):
        verified = self.env['mrp.signer'].sudo()._search([('identity_verified_at', '!=', False)]).subselect('user_id')
        # Who only reads signs nothing.
        roles = self.env.user._get_gmp_groups() - self.env.ref('mrp_mmr.group_mmr_auditor')
        users = self._find_work('res.users', Domain('all_group_ids', 'in', roles.ids)
                                & Domain('share', '=', False) & Domain('id', 'not in', verified)
                                & Domain('id', '!=', self.env.uid) & Domain('company_ids', 'in', self.env.companies.ids))
        return [WorkLine(record=user, what=user.mmr_role_names, since=user.create_date) for user in users]

    @api.model
    def _find_qualifications_to_renew(self, shared):
        """Return what ends soon or ended, of people who still have the role, and that the person may grant."""
        rows = self._find_ending(Domain('user_id', '!=', self.env.uid) & Domain('user_id.active', '=', True))
        mine, persons = self.env.user.sudo().all_group_ids, self.env.user._get_gmp_persons()
        granting = {}

        def is_mine(row):
            kind = row.group_id or 'training'
            if kind not in granting:
                granting[kind] = bool(mine & row._get_granting_groups(row._get_subject()))
            return granting[kind] and (not row.group_id or row.group_id in row.user_id.all_group_ids) \
                and not row.user_id._get_gmp_persons() & persons

        return self._prepare_ending(rows.filtered(is_mine))

    @api.model
    def _find_own_qualifications(self, shared):
        return self._prepare_ending(self._find_ending(Domain('user_id', '=', self.env.uid)))

    @api.model
    def _find_ending(self, domain):
        """Return qualifications that end within some days, or ended, and were not renewed; whoever reads them."""
        rows = self._find_work('mrp.qualification', domain & Domain('revoked_at', '=', False) & self.env[
            'res.company']._get_mmr_past_domain('valid_to', until=REMINDER_DAYS + 1), order='valid_to, id')
        return rows.sudo()._filter_not_renewed()

    @api.model
    def _prepare_ending(self, rows):
        return [WorkLine(
            record=row.with_env(self.env), name=row.display_name, due=row.valid_to, is_late=row.state == 'expired',
            what=self.env._("ended") if row.state == 'expired' else self.env._("ends soon")) for row in rows]

    @api.model
    def _get_work_notices(self):
        """Say what keeps the person from signing, before a signature is refused."""
        user, notices = self.env.user, super()._get_work_notices()
        if not user.sudo().all_group_ids & user._get_gmp_groups() - self.env.ref('mrp_mmr.group_mmr_auditor'):
            return notices
        signer = self.env['mrp.signer']._get_for(user)
        texts = {
            'locked': self.env._("You cannot sign: it is locked after repeated wrong passwords. Ask a security administrator."),
            'suspended': self.env._("You cannot sign: somebody else set your password. Set a new one in your preferences and "
                                    "have your key enrolled by a security administrator."),
            'shared': self.env._("This account is shared by several people and cannot sign. Log in with your own."),
            'unverified': self.env._(
                "You cannot sign yet: a security administrator verifies your identity and enrols your key."),
        }
        text = texts.get(signer.state or 'unverified')
        if not text and not self.env['mrp.signer.key']._get_in_force(user):
            text = self.env._("You have no key in force. Make one in your preferences, and have it enrolled by a security "
                              "administrator.")
        return [*notices, text] if text else notices
