"""The daily seal over all chains of a company (AUD-040, 21 CFR 11.10(a))."""

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import SQL

from ...domain.canonical import GENESIS, canonical_json, iso_utc, sha256
from ...verification.check_keys import read_sealed_keys
from ...verification.guard_inventory import inventory_digest, read_inventory
from ...verification.session import trusted_names


class MrpAuditSeal(models.Model):
    """A daily seal over all chains of a company, chained to the seal before (AUD-040, 21 CFR 11.10(a)).

    It names every chain that grew since, with number and digest of its last line, so that a chain that
    vanished shows; the guards of PostgreSQL by their digest; and each key of a signer with what became of it
    (SIG-110, SIG-120, AUD-080). It is shown, posted to a channel and mailed: a copy exists outside of the database.

    Also held in guards/mrp_audit_seal.sql.
    """
    _name = 'mrp.audit.seal'
    _description = "Seal of the Audit Trail"
    _inherit = ['mrp.append.only.mixin']
    _order = 'company_id, index desc'
    _rec_name = 'sha256'

    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    index = fields.Integer("Number", required=True, readonly=True, aggregator=None)
    at = fields.Datetime("Sealed On", required=True, readonly=True)
    heads = fields.Json("Chains That Grew", readonly=True, prefetch=False)
    guards_sha256 = fields.Char("Guards of PostgreSQL", readonly=True, help="Digest of functions, triggers and constraints.")
    keys = fields.Json("Keys of Signers", readonly=True, prefetch=False)
    chain_count = fields.Integer("Chains", required=True, readonly=True, help="That grew since the previous seal.")
    line_count = fields.Integer("Lines", required=True, readonly=True, help="Total of these chains.")
    previous_sha256 = fields.Char("Previous Seal", required=True, readonly=True)
    sha256 = fields.Char("Seal", required=True, readonly=True)
    details = fields.Html("Sealed Chains", compute='_compute_details', sanitize=False)
    key_details = fields.Html("Sealed Keys", compute='_compute_key_details', sanitize=False)

    _index_uniq = models.UniqueIndex('(company_id, index)', "Seals are numbered without gaps.")

    @api.depends('index')
    def _compute_display_name(self):
        for seal in self:
            seal.display_name = self.env._("Seal %s", seal.index)

    @api.depends('heads')
    def _compute_details(self):
        head = Markup('<tr><th>%s</th><th class="text-end">%s</th><th>%s</th></tr>') % (
            self.env._("Chain"), self.env._("Lines"), self.env._("Digest of the Last Line"))
        for seal in self:
            chains = self.env['mrp.audit.chain'].sudo().search([
                ('company_id', '=', seal.company_id.id), ('res_id', 'in', [head[1] for head in seal.heads or ()])])
            names = {(chain.res_model, chain.res_id): chain.name for chain in chains}
            seal.details = Markup('<table class="table table-sm"><thead>%s</thead><tbody>%s</tbody></table>') % (
                head, Markup().join(
                    Markup('<tr><td>%s</td><td class="text-end">%s</td><td class="font-monospace text-break">%s</td></tr>') % (
                        names.get((model, res_id), f'{model},{res_id}'), lines, digest)
                    for model, res_id, lines, digest in seal.heads or ()))

    @api.depends('keys')
    def _compute_key_details(self):
        outcomes = {'approved': self.env._("Enrolled"), 'retired': self.env._("Revoked"),
                    None: self.env._("Waits for enrolment, or was replaced before")}
        head = Markup('<tr><th>%s</th><th>%s</th><th>%s</th></tr>') % (
            self.env._("Person"), self.env._("Fingerprint"), self.env._("What Became of It"))
        names = {user.id: user.name for user in self.env['res.users'].sudo().with_context(active_test=False).search(
            [('id', 'in', [row[2] for seal in self for row in seal.keys or ()])])}
        for seal in self:
            seal.key_details = seal.keys and Markup(
                '<table class="table table-sm"><thead>%s</thead><tbody>%s</tbody></table>') % (head, Markup().join(
                    Markup('<tr><td>%s</td><td class="font-monospace text-break">%s</td><td>%s</td></tr>') % (
                        names.get(user, user), fingerprint, outcomes.get(meaning, meaning))
                    for fingerprint, _key, user, _signature, meaning in seal.keys))

    @api.model
    def _refuse_write(self):
        return self.env['mrp.audit.chain']._refuse_write()

    @api.model
    def _get_hashed_content(self, vals):
        """Return what a seal is the digest of; those of earlier versions say nothing of guards and keys."""
        content = {
            'schema': 'mrp_mmr/seal/1', 'company': vals['company_id'], 'index': vals['index'], 'at': iso_utc(vals['at']),
            'heads': vals['heads'], 'previous_sha256': vals['previous_sha256'],
        }
        if vals.get('guards_sha256'):
            content.update(schema='mrp_mmr/seal/2', guards_sha256=vals['guards_sha256'], keys=vals['keys'])
        return content

    @api.model
    def _seal(self, company):
        """Seal the chains of ``company`` that grew since its last seal, its keys and the guards.

        :return: the new seal; an empty one where nothing grew and no guard changed
        """
        cr = self.env.cr
        # One seal at a time: what is sealed twice at once would have the same number.
        cr.execute(SQL("SELECT pg_advisory_xact_lock(hashtext('mrp_audit_seal'), %s)", company.id))
        last = self.sudo().search([('company_id', '=', company.id)], limit=1)
        rows = self.env.execute_query(SQL(
            """UPDATE mrp_audit_chain SET sealed_index = head_index
                WHERE company_id = %s AND head_index > COALESCE(sealed_index, 0)
            RETURNING res_model, res_id, head_index, head_sha256""", company.id))
        with trusted_names(cr):
            guards = inventory_digest(read_inventory(cr))
        if not rows and guards == last.guards_sha256:
            return self.browse()
        now = fields.Datetime.now()
        vals = {
            'company_id': company.id, 'index': last.index + 1, 'at': now, 'heads': sorted(list(row) for row in rows),
            'guards_sha256': guards, 'keys': read_sealed_keys(cr, company.id), 'previous_sha256': last.sha256 or GENESIS,
        }
        digest = sha256(self._get_hashed_content(vals))
        cr.execute(SQL(
            """INSERT INTO mrp_audit_seal (company_id, index, at, heads, guards_sha256, keys, chain_count, line_count,
                                           previous_sha256, sha256, create_date, create_uid)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
            company.id, vals['index'], now, canonical_json(vals['heads']).decode(), guards,
            canonical_json(vals['keys']).decode(), len(rows),
            sum(row[2] for row in rows), vals['previous_sha256'], digest, now, self.env.uid))
        [[seal_id]] = cr.fetchall()
        return self.browse(seal_id)

    @api.model
    def _cron_seal(self):
        """Seal every company once a day, post the seal to the quality channel and mail it."""
        channel = self.env.ref('mrp_mmr.channel_quality', raise_if_not_found=False)
        for company, in self.env['mrp.audit.chain'].sudo()._read_group([], ['company_id']):
            seal = self._seal(company)
            if not seal:
                continue
            text = self.env._(
                "Seal %(number)s of %(company)s, %(time)s UTC: %(digest)s (%(chains)s chains, %(lines)s lines). The seal "
                "before: %(previous)s.", number=seal.index, company=company.name, time=seal.at, digest=seal.sha256,
                chains=seal.chain_count, lines=seal.line_count, previous=seal.previous_sha256)
            if channel:
                channel.message_post(body=text, message_type='comment', subtype_xmlid='mail.mt_comment')
            if company.mmr_seal_email:
                self.env['mail.mail'].sudo().create({
                    'subject': self.env._("Seal of the audit trail of %s", company.name),
                    'email_to': company.mmr_seal_email, 'body_html': Markup("<p>%s</p>") % text, 'auto_delete': False,
                })
