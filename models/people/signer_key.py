"""The keys of signers: made under the owner's secret, enrolled in person, replaced, revoked (SIG-110, SIG-120)."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, LazyTranslate

from ...domain.canonical import GENESIS, iso_utc
from ...domain.passkeys import AssertedKey, is_key_signature
from ...domain.private_keys import OpenedKey, WrongSecret, make_key, rewrap
from ...domain.public_keys import short_fingerprint
from ...domain.refusals import refusal
from ...domain.signing import SigningRule
from ..evidence.esignature import FormerSecretNeeded

_lt = LazyTranslate(__name__)

RULE = "SIG-110, 21 CFR 11.70, 11.200(a)(2)"
RULE_ENROLMENT = "SIG-120, 21 CFR 11.100(b), 11.300(b)"
#: What follows from the signatures over a key.
STATES = ['state', 'enrolment_id', 'revocation_id']
#: Keys that wait for their enrolment, as far as a secret is tried on them: each takes the time of a slow digest.
OPENABLE = 3


class MrpSignerKey(models.Model):
    """A public key of one person. Append-only; what becomes of it are signatures over it.

    It comes into force when a security administrator, who saw the person, signs for it; by the next one it is replaced, and a
    security administrator revokes it. The last signature over any key of a person says which one is in force. The private
    key is in ``mrp.signer.secret``, where only the secret of its owner opens it.

    Also held in guards/mrp_signer_key.sql and guards/mrp_esignature.sql.
    """
    _name = 'mrp.signer.key'
    _description = "Key of a Signer"
    _inherit = ['mrp.append.only.mixin', 'mail.thread', 'mrp.esignature.mixin', 'mrp.audit.mixin']
    _order = 'id desc'
    _rec_name = 'fingerprint'

    user_id = fields.Many2one('res.users', "Person", required=True, readonly=True, index=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    user_name = fields.Char("Name", required=True, readonly=True)
    user_login = fields.Char("User Name", required=True, readonly=True)
    algorithm = fields.Char(required=True, readonly=True)
    public_key = fields.Char(required=True, readonly=True)
    fingerprint = fields.Char(required=True, readonly=True, help="SHA-256 of the public key.")
    reason = fields.Selection([
        ('first', "First key"),
        ('update', "First key after the update"),
        ('reset', "Password was reset"),
        ('loss', "Former password not known"),
        ('rotation', "Former key was revoked"),
        ('passkey', "Passkey in place of the password"),
        ('recovery', "Opened on the server: nobody could enrol a key"),
    ], required=True, readonly=True)
    replaces_id = fields.Many2one('mrp.signer.key', readonly=True, ondelete='restrict')
    made_at = fields.Datetime("Made", required=True, readonly=True)
    short = fields.Char("Fingerprint (Short)", compute='_compute_short')
    state = fields.Selection([
        ('waiting', "Waiting for enrolment"),
        ('force', "In force"),
        ('replaced', "Replaced"),
        ('revoked', "Revoked"),
    ], compute='_compute_state', search='_search_state')
    enrolment_id = fields.Many2one('mrp.esignature', "Enrolled", compute='_compute_state')
    revocation_id = fields.Many2one('mrp.esignature', "Revoked", compute='_compute_state')

    _fingerprint_uniq = models.UniqueIndex('(fingerprint)', "A key can belong to only one person.")

    @api.depends('fingerprint')
    def _compute_short(self):
        for key in self:
            key.short = short_fingerprint(key.fingerprint)

    @api.depends('user_name', 'fingerprint')
    def _compute_display_name(self):
        for key in self:
            key.display_name = self.env._("Key %(short)s of %(name)s", short=key.short, name=key.user_name)

    def _compute_state(self):
        histories = self._read_histories(self.user_id)
        for key in self:
            rows = histories.get(key.user_id.id, [])
            own, last = [row for row in rows if row['key'] == key.id], rows[-1] if rows else None
            key.enrolment_id = next((row['id'] for row in reversed(own) if row['meaning'] == 'approved'), False)
            key.revocation_id = next((row['id'] for row in own if row['meaning'] == 'retired'), False)
            if not own:
                key.state = 'waiting' if not last or key.id > last['key'] else 'replaced'
            elif key.revocation_id:
                key.state = 'revoked'
            else:
                key.state = 'force' if last['key'] == key.id else 'replaced'

    def _search_state(self, operator, value):
        if operator != 'in':
            return NotImplemented
        # Keys are few: one or two of each person.
        return [('id', 'in', self.sudo().search([('user_id', '!=', False)]).filtered(lambda key: key.state in value).ids)]

    # === GUARDS === #

    def _refuse_write(self):
        return UserError(self.env._(
            "A key can only be made by the person who signs with it, and cannot be changed. Rule: SIG-110, SIG-120, 21 CFR "
            "11.70.\nWhat you can do: let a security administrator enrol or revoke it."))

    # === WHICH KEY === #

    @api.model
    def _read_histories(self, users):
        """Return what was signed about the keys of these users, in order: a dict from user to rows as dicts."""
        histories = {}
        for signature, user, key, fingerprint, meaning in self.env.execute_query(SQL(
                """SELECT s.id, k.user_id, k.id, k.fingerprint, s.meaning
                     FROM mrp_signer_key k JOIN mrp_esignature s ON s.res_model = 'mrp.signer.key' AND s.res_id = k.id
                    WHERE k.user_id = ANY(%s) ORDER BY s.id""", users.ids)):
            histories.setdefault(user, []).append(
                {'id': signature, 'key': key, 'fingerprint': fingerprint, 'meaning': meaning})
        return histories

    @api.model
    def _get_in_force(self, user):
        """Return the key that signs for this user, or none."""
        rows = self._read_histories(user).get(user.id)
        return self.sudo().browse(rows[-1]['key'] if rows and rows[-1]['meaning'] == 'approved' else ())

    @api.model
    def _get_last(self, user):
        """Return the key that this user made last, whatever became of it."""
        return self.sudo().search([('user_id', '=', user.id)], limit=1)

    @api.model
    def _is_set_up_open(self):
        """Whether no key of this database is enrolled yet, so that the first security administrator may enrol their own."""
        return not self.env['mrp.esignature'].sudo().search_count(
            [('res_model', '=', self._name), ('meaning', '=', 'approved')], limit=1)

    # === SECRETS === #

    def _get_owner(self):
        """Return whose key this is, as it is sealed with the private key."""
        return f'res.users,{self.user_id.id}'

    @api.model
    def _open(self, user, secret):
        """Return the private key of ``user`` that this secret opens: the one in force, else the one that waits; or None."""
        for key in self._get_openable(user):
            opened = key._open_with(secret)
            if opened:
                return opened
        return None

    @api.model
    def _get_openable(self, user):
        """Return the key in force of this user and those that wait, the latest first, as far as a secret may open them."""
        in_force = self._get_in_force(user)
        stored = self.env['mrp.signer.secret'].sudo().search(
            [('key_id.user_id', '=', user.id), ('kind', '!=', 'passkey')]).key_id
        waiting = stored.filtered(lambda key: key.id > (in_force.id or 0)).sorted('id', reverse=True)
        return (in_force & stored) | waiting[:OPENABLE]

    def _open_with(self, secret):
        self.ensure_one()
        stored = self.env['mrp.signer.secret']._get(self)
        try:
            opened = stored.wrapped and OpenedKey(stored.wrapped, secret, self._get_owner())
        except WrongSecret:
            return None
        # A private key that was put there by somebody else opens as well, and is another one.
        return opened if opened and opened.fingerprint == self.fingerprint else None

    @api.model
    def _has_key(self, user, kind):
        """Whether this user has a key that a secret of this kind opens."""
        return bool(self.env['mrp.signer.secret'].sudo().search_count(
            [('key_id.user_id', '=', user.id), ('kind', '=', kind)], limit=1))

    @api.model
    def _make(self, user, secret, reason, kind='login', cost=None):
        """Make a key of ``user`` under what this person just typed; it waits for its enrolment."""
        public, wrapped = make_key(secret, f'res.users,{user.id}', cost)
        key = self._store_key(user, public, reason)
        self.env['mrp.signer.secret']._keep(key, wrapped, kind)
        return key

    @api.model
    def _store_key(self, user, public, reason, passkey=None):
        user = user.sudo()
        return self._store([{
            'user_id': user.id, 'company_id': user.company_id.id, 'user_name': user.name, 'user_login': user.login,
            'algorithm': public.kind, 'public_key': public.text, 'fingerprint': public.fingerprint, 'reason': reason,
            'replaces_id': self._get_last(user).id, 'made_at': fields.Datetime.now(), **(passkey or {}),
        }])

    @api.model
    def _rewrap(self, user, old, new, kind='login', cost=None):
        """Wrap what ``old`` opens of this user under ``new``; return whether there was such a key (SIG-120)."""
        changed = False
        for key in self._get_openable(user):
            stored = self.env['mrp.signer.secret']._get(key)
            if stored and isinstance(old, str):
                try:
                    wrapped = rewrap(stored.wrapped, old, new, key._get_owner(), cost)
                except WrongSecret:
                    continue
                self.env['mrp.signer.secret']._keep(key, wrapped, kind)
                changed = True
        return changed

    @api.model
    def _rewrap_typed(self, user, former, secret, kind):
        """Rewrap with a former secret that was typed; a wrong one counts like a wrong attempt to sign (SIG-090)."""
        signers = self.env['mrp.signer']
        attempt, is_right = signers._begin_attempt(user), False
        try:
            is_right = self._rewrap(user, former, secret, kind)
        finally:
            signers._end_attempt(user, attempt, is_right)
        return is_right

    def _take_number(self):
        """Return number and digest that the next signature with this key follows; others of its owner wait (SIG-110)."""
        self.ensure_one()
        # Who waited here reads what the other one signed: Odoo repeats the request.
        self.env.execute_query(SQL("SELECT id FROM mrp_signer_secret WHERE key_id = %s FOR UPDATE", self.id))
        rows = self.env.execute_query(SQL(
            """SELECT COALESCE(key_number, 0), signature_sha256 FROM mrp_esignature
                WHERE user_id = %s ORDER BY id DESC LIMIT 1""", self.user_id.id))
        number, previous = rows[0] if rows else (0, GENESIS)
        return number + 1, previous

    def _note_signed(self, number, digest, counter=None):
        """Remember the last signature with this key, so that its end is not cut off unseen, and the counter of a passkey."""
        self.env.execute_query(SQL(
            """UPDATE mrp_signer_secret SET number = %s, signature_sha256 = %s, sign_count = COALESCE(%s, sign_count)
                WHERE key_id = %s RETURNING id""", number, digest, counter, self.id))

    # === WHO SIGNS === #

    @api.model
    def _require(self, user, opened, credential, record):
        """Return the key with which ``user`` signs ``record``, after the credential was found right (SIG-110, SIG-120).

        :param opened: what the secret opened, what a passkey signed, or None
        :param dict credential: ``password`` as typed; ``former``, where it was changed; ``renew``, where that is not known
        :raise FormerSecretNeeded: the password was changed without typing the former one
        :raise UserError: there is no key, or it is waiting for enrolment
        """
        if isinstance(opened, AssertedKey):
            return self._require_passkey(user, opened, record)
        if 'pin' in credential:
            # It may have ended since the PIN was judged.
            key = self.env['mrp.signer.session']._find(record, credential['token']).key_id
            if opened.fingerprint == key.fingerprint and key._may_sign_now(record):
                return opened
            raise key._refuse_waiting(record)
        secret = credential['password']
        in_force, signer = self._get_in_force(user), self.env['mrp.signer']._get_for(user)
        kind = 'signing' if signer.signing_password else 'login'
        if in_force.credential_id and not opened and not credential.get('renew'):
            raise self._refuse_password(user, record)
        if not opened:
            former = credential.get('former')
            if former or credential.get('renew') or not self._get_openable(user):
                self.env['mrp.signer']._check_length(user, secret)
            if former and self._rewrap_typed(user, former, secret, kind):
                opened = self._open(user, secret)
            elif self._get_openable(user) and not credential.get('renew'):
                raise FormerSecretNeeded(str(refusal(
                    self.env, self.env._("The key of %s can only be opened with the previous password.", user.name),
                    RULE_ENROLMENT, self.env._(
                        "enter the previous password as well; if it is not known, have a new key made, which a security "
                        "administrator enrols in person."), record=record)))
        if opened and opened.fingerprint == in_force.fingerprint and not signer.suspended_at:
            return opened
        key = self.sudo().search([('fingerprint', '=', opened.fingerprint)]) if opened else self._make(
            user, secret, self._get_reason(user), kind)
        opened = opened or key._open_with(secret)
        if key._may_sign_now(record):
            return opened
        raise key._refuse_waiting(record)

    def _may_sign_now(self, record):
        """Whether this key signs ``record``: it may, and its owner is not suspended; or it is the way back of a database."""
        signer = self.env['mrp.signer']._get_for(self.user_id)
        if record._name == self._name and record.ids == self.ids and self._is_recovery():
            return True
        return not signer.suspended_at and self._may_sign(record._name, record.id if len(record) == 1 else None)

    def _may_sign(self, model, res_id):
        """Whether this key signs such a record: it is in force, or in time, or the first one of the database, for itself."""
        self.ensure_one()
        return self == self._get_in_force(self.user_id) or self._signs_in_transition() or (
            (model, res_id) == (self._name, self.id) and self._is_set_up_open())

    def _refuse_waiting(self, record):
        user, key = self.user_id.sudo(), self
        return refusal(
            self.env, self.env._("The key of %(user)s is waiting for enrolment. Its fingerprint is %(short)s.",
                                 user=user.name, short=key.short), RULE_ENROLMENT,
            self.env._("go to a security administrator, who sees you, compares the fingerprint and enrols the key."),
            record=record)

    @api.model
    def _get_reason(self, user):
        """Return why ``user`` makes a key now."""
        last, signer = self._get_last(user), self.env['mrp.signer']._get_for(user)
        if last:
            return 'rotation' if last.state == 'revoked' else (
                'reset' if signer.suspended_at and signer.suspended_at >= last.made_at else 'loss')
        end = self._get_transition_end()
        return 'update' if end and fields.Datetime.now() <= end and signer.identity_verified_at else 'first'

    # === ENROLMENT === #

    _signing_citation = RULE_ENROLMENT
    _signing_next_step = _lt("let its owner make a new key by signing.")
    _signing_actions = {
        'enrol': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_security', prepare='_prepare_enrol', apply='_apply_enrol',
            check_signer='_check_enroller', filter_signer='_filter_enroller', states=('waiting', 'force'),
            statement=_lt("I saw this person, know who it is, and compared the fingerprint of the key.")),
        'revoke': SigningRule(
            meaning='retired', group='mrp_mmr.group_mmr_security', prepare='_prepare_revoke', apply='_apply_revoke',
            states=('force',), comment_required=True,
            statement=_lt("This key signs no more.")),
    }

    def action_enrol(self):
        """Open the signature of a security administrator for these keys; several are enrolled by one typing."""
        if len(self) < 2:
            return self.action_open_signature('enrol')
        return dict(self[0].action_open_signature('enrol'), params={
            'res_model': self._name, 'res_id': self[0].id, 'res_ids': self.ids, 'signing_action': 'enrol'})

    def action_revoke(self):
        """Open the signature that ends this key."""
        return self.action_open_signature('revoke')

    def _prepare_content(self, action):
        signer = self.env['mrp.signer']._get_for(self.user_id)
        return {
            'schema': 'mrp_mmr/key/2', 'action': action,
            'signer': {
                'user': self.user_id.id, 'partner': self.user_id.sudo().partner_id.id, 'name': self.user_name,
                'login': self.user_login},
            'key': {
                'id': self.id, 'algorithm': self.algorithm, 'public_key': self.public_key, 'fingerprint': self.fingerprint,
                'reason': self.reason, 'made_at': iso_utc(self.made_at),
                'replaces': self.replaces_id.fingerprint or None, 'passkey': self._prepare_passkey_content()},
            'identity': {
                'document': signer.identity_document or None, 'verified_at': iso_utc(signer.identity_verified_at),
                'verified_by': signer.identity_verified_by_id.login or None},
            'set_up': self._is_set_up_open(),
        }

    def _prepare_enrol(self, action):
        key = self.sudo()
        signer, name = self.env['mrp.signer']._get_for(key.user_id), key.user_id.name
        if not signer.identity_verified_at:
            raise refusal(
                self.env, self.env._("The identity of %s has not been verified yet.", name), "SIG-070, 21 CFR 11.100(b)",
                self.env._("verify it: user form, GMP Signature page."), record=self)
        if not signer.is_password_own:
            raise refusal(
                self.env, self.env._("Somebody else set the password of %s.", name), RULE_ENROLMENT,
                self.env._("let this person set a new password, and make the key by signing with it."), record=self)
        if key.state == 'force' and not signer.suspended_at:
            raise refusal(
                self.env, self.env._("%s is already in force.", key.display_name), RULE_ENROLMENT,
                self.env._("no action is needed: its owner can sign with it."), record=self)
        return self._make_signing_action(action, key._prepare_content(action))

    def _filter_foreign(self, user):
        """Return those of these keys that are not the own ones of ``user``, and those that their owner enrols all the same: the
        first one of a database, and where the server opened it because nobody else can (SIG-120)."""
        persons = user._get_gmp_persons()
        own = self.filtered(lambda key: key.sudo().user_id._get_gmp_persons() & persons)
        mine = own.filtered(lambda key: key.sudo().user_id == user)
        return self - own | (mine if mine and self._is_set_up_open() else mine.filtered(lambda key: key.sudo()._is_recovery()))

    def _filter_enroller(self, action, user):
        """Return those of these keys that ``user`` may enrol: no own ones, and none whose suspension that person caused."""
        keys, persons = self._filter_foreign(user), user._get_gmp_persons()
        owners = keys.sudo().user_id
        causes = {owner for owner, in self.env.execute_query(SQL(
            "SELECT u FROM unnest(%s) u WHERE mrp_mmr_caused_suspension(u, %s)", owners.ids, user.id))} if owners else set()
        causes |= {signer.user_id.id for signer in self.env['mrp.signer']._get_for(owners)
                   if signer.suspended_by_id._get_gmp_persons() & persons}
        return keys.filtered(lambda key: key.sudo().user_id.id not in causes)

    def _check_enroller(self, action, user):
        """Nobody can enrol their own key or end a suspension that they caused (SIG-120): see :meth:`_filter_enroller`."""
        if not self._filter_foreign(user):
            raise refusal(
                self.env, self.env._("You cannot enrol your own key."), RULE_ENROLMENT,
                self.env._("ask another security administrator."), record=self)
        if not self._filter_enroller(action, user):
            raise refusal(
                self.env, self.env._("%(user)s caused the suspension of %(name)s.", user=user.name, name=self.user_name),
                RULE_ENROLMENT, self.env._("ask another security administrator."), record=self)

    def _filter_signing_qualification(self, group):
        """Only the role counts: before the first keys are in force, nobody can sign a qualification."""
        return self

    def _apply_enrol(self, action, signature):
        signer = self.env['mrp.signer']._get(self.user_id)
        vals, changes = {}, {'key_fingerprint': self.fingerprint}
        if signer.suspended_at:
            vals = {'suspended_at': False, 'suspended_by_id': False}
            changes['signing'] = {'old': 'suspended', 'new': 'active'}
        signer.with_user(signature.user_id)._change(vals, changes, self.env._("Key enrolled by %s.", signature.signer_name))
        keys = self.search([('user_id', '=', self.user_id.id)])
        self.env['mrp.signer.secret']._forget(keys - self)
        keys.invalidate_recordset(STATES)

    def _prepare_revoke(self, action):
        return self._make_signing_action(action, self.sudo()._prepare_content(action))

    def _apply_revoke(self, action, signature):
        self.env['mrp.signer.secret']._forget(self)
        self.invalidate_recordset(STATES)
        self.env['mrp.signer']._get(self.user_id).with_user(signature.user_id)._log(
            {'key_fingerprint': {'old': self.fingerprint, 'new': None}}, signature.comment)

    # === SEVERAL AT ONCE === #

    def esign_prepare(self, action):
        """Return what the dialog shows; of several keys all names, and a digest over the digests."""
        if len(self) < 2:
            return super().esign_prepare(action)
        prepared = [super(MrpSignerKey, key).esign_prepare(action) for key in self]
        return {**prepared[0], 'record_name': ', '.join(row['record_name'] for row in prepared),
                'digest': ' '.join(row['digest'] for row in prepared)}

    def _check_signed_together(self):
        """Keys are enrolled together; each gets its own signature."""

    def _get_signing_company(self):
        return super(MrpSignerKey, self[:1])._get_signing_company()

    def _esign_all(self, action, digest, comment, annex_sha256, key):
        if len(self) < 2:
            return super()._esign_all(action, digest, comment, annex_sha256, key)
        digests = digest.split() if isinstance(digest, str) else []
        digests += [None] * (len(self) - len(digests))
        return self.env['mrp.esignature'].union(*(
            record._esign(action, shown, comment, None, key) for record, shown in zip(self, digests, strict=False)))

    # === CHECKS === #

    @api.model
    def _find(self, fingerprints):
        """Return the keys of these fingerprints, by fingerprint and id of their person."""
        keys = self.sudo().search([('fingerprint', 'in', list(filter(None, fingerprints)))])
        return {(key.fingerprint, key.user_id.id): key for key in keys}

    def _is_key_signature(self, signature, message):
        """Whether ``signature``, as stored, was made on ``message`` with this key; False if there is none."""
        return bool(self) and is_key_signature(
            self.public_key, signature, message, self.rp_id or None, self.origin or None)
