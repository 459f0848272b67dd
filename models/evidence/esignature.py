"""Electronic signatures, append-only (21 CFR 11.50, 11.70, EU GMP Annex 11 §14)."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...domain.canonical import canonical_json, iso_utc, sha256
from ...domain.passkeys import SIGNING_KEYS, AssertedKey
from ...domain.public_keys import short_fingerprint
from ...domain.refusals import refusal
from ...domain.transitions import is_signing
from ..base.json_field import JsonDocument

MEANINGS = [
    ('prepared', "Prepared"),
    ('performed', "Performed"),
    ('verified', "Verified"),
    ('checked', "Checked"),
    ('issued', "Issued"),
    ('reviewed', "Reviewed"),
    ('approved', "Approved"),
    ('released', "Released"),
    ('rejected', "Rejected"),
    ('certified', "Certified"),
    ('retired', "Retired"),
    ('quarantined', "Put in quarantine"),
    ('contributed', "Supplied information"),
]


class FormerSecretNeeded(UserError):
    """The present password does not open the key of the signer: the former one does, or the key is lost (SIG-120)."""
    #: What the signature dialog is told beside the message.
    answer = {'former': True}


class PasskeyNeeded(FormerSecretNeeded):
    """The password is right, and the key of the signer is a passkey (SIG-110)."""
    answer = {'passkey': True}


class MrpEsignature(models.Model):
    """One electronic signature (21 CFR 11.50, 11.70; EU GMP Annex 11 §14). Append-only.

    It is bound to the signed record by a digest over record identity, content, signer, meaning and
    time, and to its signer by a signature with the signer's own key over the same, which also says what the
    signer signed before (SIG-110); signatures from before there were keys have none. Voiding a signature adds
    an entry that points to it and does not change it.

    Also held in guards/mrp_esignature.sql.
    """
    _name = 'mrp.esignature'
    _description = "Electronic Signature"
    _inherit = ['mrp.append.only.mixin']
    _order = 'signed_at desc, id desc'
    _rec_name = 'signer_name'

    res_model = fields.Char("Signed Model", required=True, readonly=True)
    res_id = fields.Many2oneReference("Signed Record", model_field='res_model', required=True, readonly=True)
    record_name = fields.Char("Record", required=True, readonly=True, index='trigram')
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    user_id = fields.Many2one('res.users', required=True, readonly=True, ondelete='restrict')
    partner_id = fields.Many2one('res.partner', "Person", required=True, readonly=True, ondelete='restrict')
    signer_name = fields.Char("Printed Name", required=True, readonly=True)
    signer_login = fields.Char("User Name", required=True, readonly=True)
    signer_role = fields.Char("Role", required=True, readonly=True)
    meaning = fields.Selection(MEANINGS, required=True, readonly=True)
    statement = fields.Char(required=True, readonly=True)
    comment = fields.Text(readonly=True)
    signed_at = fields.Datetime(required=True, readonly=True, help="Server time, stored in UTC.")
    signed_at_text = fields.Char("Date and Time", compute='_compute_signed_at_text')
    signer_tz = fields.Char("Time Zone", required=True, readonly=True)
    content = JsonDocument(readonly=True, prefetch=False, help="The signed content, where it may change later.")
    content_sha256 = fields.Char("Digest of the Content", required=True, readonly=True)
    signature_sha256 = fields.Char("Digest of the Signature", required=True, readonly=True)
    annex = JsonDocument(
        readonly=True, help="The digest of anything else that the signer was shown and signed, such as the redline.")
    signer_key_id = fields.Many2one('mrp.signer.key', "Key of the Signer", compute='_compute_signer_key_id')
    key_fingerprint = fields.Char("Key", readonly=True, help="SHA-256 of the signer's public key.")
    key_number = fields.Integer("Signature of the Signer", readonly=True, aggregator=None, help="Numbered without gaps.")
    key_previous = fields.Char("Previous Signature", readonly=True, help="Digest of this signer's previous signature.")
    key_nonce = fields.Char("Nonce", readonly=True, help="For a signature with a passkey: a random value that makes its "
                                                         "challenge unpredictable.")
    key_signature = fields.Char("Signature of the Key", readonly=True, help="Base64; for a passkey, its assertion as JSON.")
    components = fields.Char(
        "Signed With", compute='_compute_components', help="What the signer typed, as the ledger says it (SIG-050, SIG-130).")
    key_short = fields.Char("Key (Short)", compute='_compute_key_short', help="First digits of the fingerprint.")
    basis_signature_id = fields.Many2one(
        'mrp.esignature', "Given On", readonly=True, index='btree_not_null', ondelete='restrict',
        help="The preparer's signature on the same content; if that one is void, so is this one.")
    voids_signature_id = fields.Many2one(
        'mrp.esignature', "Voids", readonly=True, index='btree_not_null', ondelete='restrict')
    voided_by_ids = fields.One2many('mrp.esignature', 'voids_signature_id', readonly=True)
    is_void = fields.Boolean("Void", compute='_compute_is_void')

    _record_idx = models.Index('(res_model, res_id)')
    _signer_idx = models.Index('(user_id, id DESC)')
    _time_idx = models.Index('(signed_at DESC, id DESC)')
    _key_number_uniq = models.UniqueIndex(
        '(user_id, key_number) WHERE key_number IS NOT NULL', "The signatures of a signer are numbered without gaps.")

    @api.depends('voided_by_ids', 'basis_signature_id.voided_by_ids')
    def _compute_is_void(self):
        for signature in self:
            signature.is_void = bool(signature.voided_by_ids or signature.basis_signature_id.voided_by_ids)

    @api.depends('key_fingerprint')
    def _compute_key_short(self):
        for signature in self:
            signature.key_short = short_fingerprint(signature.key_fingerprint)

    @api.depends('res_model', 'res_id')
    def _compute_components(self):
        # Whoever may read a signature may read how it was made (SIG-020).
        lines = self.env['mrp.audit.entry'].sudo().search([
            ('kind', '=', 'sign'), ('res_model', 'in', self.mapped('res_model')), ('res_id', 'in', self.mapped('res_id'))])
        said = {values['signature_id']['new']: values['authenticated']['new']['name']
                for values in lines.mapped('values') if 'authenticated' in values}
        for signature in self:
            signature.components = said.get(signature.id, False)

    @api.depends('signed_at', 'signer_tz')
    def _compute_signed_at_text(self):
        for signature in self:
            utc = signature.signed_at
            local = fields.Datetime.context_timestamp(signature.with_context(tz=signature.signer_tz), utc) if utc else None
            signature.signed_at_text = utc and f"{utc:%Y-%m-%d %H:%M:%S} UTC ({local:%Y-%m-%d %H:%M:%S} {signature.signer_tz})"

    @api.depends('key_fingerprint', 'user_id')
    def _compute_signer_key_id(self):
        found = self.env['mrp.signer.key']._find(self.mapped('key_fingerprint'))
        for signature in self:
            signature.signer_key_id = found.get((signature.key_fingerprint, signature.user_id.id))

    @api.depends('signer_name', 'meaning', 'record_name')
    def _compute_display_name(self):
        for signature in self:
            signature.display_name = self.env._(
                "%(meaning)s by %(name)s", meaning=signature._get_meaning_label(), name=signature.signer_name)

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        if len(vals_list) != 1 or not is_signing(sha256(self._get_signed_content(vals_list[0]))):
            raise UserError(self.env._(
                "Only the signer can make a signature: in the signature dialog, with user name and password. Rule: SIG-080, "
                "21 CFR 11.200(a)(2)."))
        return self._store(vals_list)

    @api.model
    def _store(self, vals_list):
        """Store signatures made with their signers' keys, regardless of the caller (SIG-110)."""
        for vals in vals_list:
            if not self._is_key_right(vals, self._get_signed_content(vals)):
                raise self._refuse_keyless(vals.get('signer_name'))
        return super()._store(vals_list)

    @api.model
    def _refuse_keyless(self, name):
        return refusal(
            self.env,
            self.env._("Nobody can sign for %s without this person's key, which only their own password opens.", name),
            "SIG-110, 21 CFR 11.70, 11.200(a)(2)", self.env._("let this person sign in the signature dialog."))

    @api.model
    def _is_key_right(self, vals, content, key=None):
        """Whether the key of the signer made the signature of these values.

        :param key: the key that the values name, where it was found before
        """
        if key is None:
            named = vals.get('key_fingerprint'), vals.get('user_id')
            key = self.env['mrp.signer.key']._find(named[:1]).get(named) or self.env['mrp.signer.key']
        return key.sudo()._is_key_signature(vals.get('key_signature'), canonical_json(content))

    def _refuse_write(self):
        return UserError(self.env._(
            "Signatures cannot be changed, copied or deleted. Rule: SIG-030, 21 CFR 11.70.\nWhat you can do: sign again; a "
            "rejection makes a signature void but keeps it."))

    def _get_meaning_label(self):
        self.ensure_one()
        return dict(self._fields['meaning']._description_selection(self.env)).get(self.meaning, self.meaning)

    @api.model
    def _prepare_signature_vals(self, record, user, meaning, statement, role, digest, comment=None,
                                content=None, voids=None, annex=None, basis=None, key=None):
        """Return the values of a signature of ``user`` over ``record``; the caller checked the credential.

        :param key: of ``user``, an ``OpenedKey`` or an ``AssertedKey``; without it nobody stores the signature
        """
        vals = {
            'res_model': record._name,
            'res_id': record.id,
            'record_name': record.display_name,
            'company_id': (record.company_id or self.env.company).id,
            'user_id': user.id,
            'partner_id': user.partner_id.id,
            'signer_name': user.name,
            'signer_login': user.login,
            'signer_role': role,
            'meaning': meaning,
            'statement': statement,
            'comment': comment or False,
            'signed_at': fields.Datetime.now(),
            'signer_tz': user.tz or 'UTC',
            'content': content,
            'content_sha256': digest,
            'voids_signature_id': voids.id if voids else False,
            'annex': annex,
            'basis_signature_id': basis.id if basis else False,
        }
        if isinstance(key, SIGNING_KEYS):
            self._sign_with_key(vals, user, key)
        vals['signature_sha256'] = sha256(self._get_signed_content(vals))
        return vals

    @api.model
    def _sign_with_key(self, vals, user, key):
        """Add to the values of a signature which key made it, what it follows, and the signature of the key (SIG-110).

        :raise UserError: where it is not the key of the signer
        """
        keys = self.env['mrp.signer.key'].sudo()
        stored = keys.search([('fingerprint', '=', key.fingerprint), ('user_id', '=', user.id)])
        if not stored or key.owner != stored._get_owner():
            raise self._refuse_keyless(user.name)
        if not stored._may_sign(vals['res_model'], vals['res_id']):
            raise stored._refuse_waiting(stored)
        if isinstance(key, AssertedKey):
            self._sign_with_passkey(vals, stored, key)
            return
        self._fix_place(vals, stored)
        content = self._get_signed_content(vals)
        vals['key_signature'] = key.sign(canonical_json(content))
        stored._note_signed(vals['key_number'], sha256(content))

    @api.model
    def _fix_place(self, vals, stored):
        """Add to the values of a signature the key that makes it, and what it follows."""
        number, previous = stored._take_number()
        vals.update(key_fingerprint=stored.fingerprint, key_number=number, key_previous=previous)

    @api.model
    def _get_signed_content(self, vals):
        """Return what the digest of a signature covers (SIG-030), and the signature of the key (SIG-110)."""
        annex, basis, fingerprint = vals.get('annex'), vals.get('basis_signature_id'), vals.get('key_fingerprint')
        if fingerprint:
            nonce = vals.get('key_nonce')
            form = {
                'schema': 'mrp_mmr/signature/4' if nonce else 'mrp_mmr/signature/3', 'annex': annex or None,
                'basis': basis or None, 'key': {
                    'fingerprint': fingerprint, 'number': vals.get('key_number'), 'previous': vals.get('key_previous'),
                    **({'nonce': nonce} if nonce else {})}}
        elif annex or basis:
            form = {'schema': 'mrp_mmr/signature/2', 'annex': annex or None, 'basis': basis or None}
        else:
            form = {'schema': 'mrp_mmr/signature/1'}
        return {
            **form,
            'record': {'model': vals.get('res_model'), 'id': vals.get('res_id'), 'name': vals.get('record_name')},
            'signer': {
                'user': vals.get('user_id'), 'partner': vals.get('partner_id'), 'name': vals.get('signer_name'),
                'login': vals.get('signer_login'), 'role': vals.get('signer_role'),
            },
            'meaning': vals.get('meaning'),
            'statement': vals.get('statement'),
            'comment': vals.get('comment') or None,
            'signed_at': iso_utc(vals.get('signed_at')),
            'time_zone': vals.get('signer_tz'),
            'content_sha256': vals.get('content_sha256'),
            'voids': vals.get('voids_signature_id') or None,
        }

    def _is_intact(self):
        """Whether digests and the signature of the key still fit the stored signature and its content."""
        vals = self._get_stored_vals()
        content = self._get_signed_content(vals)
        return (
            sha256(content) == self.signature_sha256
            and (not self.content or sha256(self.content) == self.content_sha256)
            and (not (self.key_fingerprint or self.key_number or self.key_previous or self.key_signature)
                 or self._is_key_right(vals, content, self.signer_key_id))
        )

    def _get_stored_vals(self):
        """Return the stored values that the digest covers, as :meth:`_get_signed_content` takes them."""
        self.ensure_one()
        return {
            **{name: self[name] for name in (
                'res_model', 'res_id', 'record_name', 'signer_name', 'signer_login', 'signer_role', 'meaning',
                'statement', 'comment', 'signed_at', 'signer_tz', 'content_sha256', 'annex', 'key_fingerprint', 'key_number',
                'key_previous', 'key_nonce', 'key_signature')},
            'user_id': self.user_id.id, 'partner_id': self.partner_id.id,
            'voids_signature_id': self.voids_signature_id.id, 'basis_signature_id': self.basis_signature_id.id,
        }

    def _get_printed_vals(self):
        """Return the signature as it appears in documents and prints (SIG-020)."""
        self.ensure_one()
        return {
            'id': self.id,
            'meaning': self.meaning,
            'name': self.signer_name,
            'login': self.signer_login,
            'role': self.signer_role,
            'statement': self.statement,
            'comment': self.comment or None,
            'signed_at': iso_utc(self.signed_at),
            'time_zone': self.signer_tz,
            'content_sha256': self.content_sha256,
            'signature_sha256': self.signature_sha256,
            **({'annex': self.annex} if self.annex else {}),
        }
