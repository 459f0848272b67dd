"""The ledger: append-only, hash chained, one chain per master record, batch and company settings."""

import logging
import re
import sys

from markupsafe import Markup
from psycopg2 import InterfaceError, OperationalError
from psycopg2.errors import SerializationFailure

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ...domain.canonical import GENESIS, canonical_json, iso_utc, sha256
from ...domain.signing import storable
from ..base.json_field import JsonDocument
from ..base.schema import drop_indexes

_logger = logging.getLogger(__name__)

KINDS = [
    ('create', "Created"),
    ('write', "Changed"),
    ('unlink', "Deleted"),
    ('state', "Status changed"),
    ('sign', "Signed"),
    ('refused_sign', "Signature refused"),
    ('refused', "Refused by a rule"),
    ('print', "Printed"),
    ('export', "Exported"),
    ('setting', "Setting changed"),
    ('verify', "Verified"),
    ('seal', "Sealed"),
    ('baseline', "Taken over"),
]
#: Errors on which Odoo rolls a request back and repeats it, or lets it fail as what it was: a collision.
REPEATED = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)
#: Where the cursor keeps the refusals of its transaction.
REMEMBERED = 'mrp_mmr_refusals'
#: Lines that are appended with one statement.
BATCH = 1000
#: How often a refusal is appended again where others were appended at the same moment.
TRIES = 20
#: How long a refusal waits for its chain, which the transaction of the refusal itself may hold.
LOCK_TIMEOUT = '5s'
#: Values that a list shows of a line; its form shows all.
SHOWN = 5
DIGEST = re.compile('[0-9a-f]{64}')


def _shorten(text):
    """Return a text for a list: of a digest, the beginning tells it from others."""
    text = DIGEST.sub(lambda match: match[0][:12] + '…', text)
    return text if len(text) <= 200 else text[:200] + '…'


class CanonicalJson(JsonDocument):
    """JSON whose column keeps the text that was hashed, byte by byte; ``jsonb`` would write it in an order of its own."""
    _column_type = ('json', 'json')


class MrpAuditChain(models.Model):
    """One chain of the ledger, with number and digest of its last line: a tail that was cut off shows.

    The row is locked while a line is appended, so that two transactions never continue from the same line.

    Also held in guards/mrp_audit_chain.sql.
    """
    _name = 'mrp.audit.chain'
    _description = "Chain of the Audit Trail"
    _inherit = ['mrp.append.only.mixin']
    _order = 'id'

    res_model = fields.Char("Model", required=True, readonly=True)
    res_id = fields.Many2oneReference("Record", model_field='res_model', required=True, readonly=True)
    name = fields.Char(required=True, readonly=True)
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    head_index = fields.Integer("Lines", required=True, readonly=True, default=0, aggregator=None)
    head_sha256 = fields.Char("Digest of the Last Line", required=True, readonly=True, default=GENESIS)
    sealed_index = fields.Integer("Sealed Lines", readonly=True, aggregator=None)
    entry_ids = fields.One2many('mrp.audit.entry', 'chain_id', "Lines of the Ledger", readonly=True)

    _record_uniq = models.UniqueIndex('(res_model, res_id, company_id)', "A record has only one chain.")

    @api.model
    def _refuse_write(self):
        return UserError(self.env._(
            "Only the system writes the audit trail, and it cannot be changed. Rule: AUD-030, 21 CFR 11.10(e). What you can "
            "do: read it, verify it or export it."))

    @api.model
    def _lock(self, keys):
        """Lock the chains of ``(model, id, company, name)`` keys, making those that are new.

        :return: dict from ``(model, id, company)`` to ``[chain id, last index, last digest]``
        """
        cr = self.env.cr
        wanted = {key[:3]: key[3] for key in keys}
        query = SQL(
            """SELECT res_model, res_id, company_id, id, head_index, head_sha256 FROM mrp_audit_chain
                WHERE (res_model, res_id, company_id) IN %s ORDER BY id FOR UPDATE""", tuple(wanted))
        found = {row[:3]: list(row[3:]) for row in self.env.execute_query(query)}
        missing = [(*key, name) for key, name in wanted.items() if key not in found]
        if missing:
            # Where another transaction made one in between, that is a failure of serialization, and Odoo begins again.
            created = cr.execute_values(
                """INSERT INTO mrp_audit_chain
                       (res_model, res_id, company_id, name, head_index, head_sha256, create_date, create_uid)
                   VALUES %s ON CONFLICT DO NOTHING
                   RETURNING res_model, res_id, company_id, id, head_index, head_sha256""",
                [(*row, 0, GENESIS, fields.Datetime.now(), self.env.uid) for row in missing],
                page_size=len(missing), fetch=True)
            found.update({row[:3]: list(row[3:]) for row in created})
        return found


class MrpAuditEntry(models.Model):
    """One line of the ledger: who did what to which record, when, why, from which value to which.

    Each line holds its number, the digest of the line before and the digest of its own canonical content
    (21 CFR 11.10(e), EU GMP Annex 11 §9). PostgreSQL refuses UPDATE, DELETE and TRUNCATE.

    Also held in guards/mrp_audit_entry.sql.
    """
    _name = 'mrp.audit.entry'
    _description = "Line of the Audit Trail"
    _inherit = ['mrp.append.only.mixin']
    _order = 'id desc'
    _rec_name = 'record_name'

    # No index of its own: the unique one begins with it, and with both PostgreSQL at times takes the wrong one.
    chain_id = fields.Many2one('mrp.audit.chain', required=True, readonly=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    index = fields.Integer("Number", required=True, readonly=True, aggregator=None)
    kind = fields.Selection(KINDS, "Action", required=True, readonly=True)
    res_model = fields.Char("Model", required=True, readonly=True)
    res_id = fields.Many2oneReference("Record ID", model_field='res_model', readonly=True)
    record_name = fields.Char("Record", required=True, readonly=True, index='trigram')
    user_id = fields.Many2one('res.users', required=True, readonly=True, ondelete='restrict')
    user_name = fields.Char("Person", required=True, readonly=True)
    user_login = fields.Char("User Name", required=True, readonly=True)
    at = fields.Datetime("When", required=True, readonly=True, help="Server time, in UTC.")
    values = CanonicalJson(readonly=True, prefetch=False, help="Old and new value of each field.")
    reason = fields.Text(readonly=True)
    summary = fields.Text("Old and New Values", compute='_compute_summary')
    details = fields.Html("Changed Values", compute='_compute_details', sanitize=False)
    model_name = fields.Char("Kind of Record", compute='_compute_model_name')
    previous_sha256 = fields.Char("Digest of the Previous Line", required=True, readonly=True)
    sha256 = fields.Char("Digest", required=True, readonly=True)

    _index_uniq = models.UniqueIndex('(chain_id, index)', "The lines of a chain are numbered without gaps.")
    _record_idx = models.Index('(res_model, res_id)')
    _baseline_idx = models.Index("(chain_id, index) WHERE kind = 'baseline'")
    # Lists of what is rare, the last lines first; of the other kinds the last lines are among the last of all.
    _refused_idx = models.Index("(id DESC) WHERE kind IN ('refused', 'refused_sign')")
    _rare_idx = models.Index("(kind, id DESC) WHERE kind NOT IN ('create', 'write', 'state', 'sign')")
    # Lines lie in the order of their time: an index of some pages says where a day begins.
    _at_idx = models.Index('USING brin (at)')

    def _auto_init(self):
        drop_indexes(self.env.cr, self._table, 'user_id', 'at')
        return super()._auto_init()

    # === SHOWN TO PEOPLE === #

    @api.depends('values')
    def _compute_summary(self):
        for entry in self:
            rows = [(label, *map(_shorten, sides)) for label, *sides in entry._get_rendered_values()]
            lines = [f"{label}: {old} → {new}" if old else f"{label}: {new}" for label, old, new in rows[:SHOWN]]
            if len(rows) > SHOWN:
                lines.append(self.env._("… and %s more", len(rows) - SHOWN))
            entry.summary = '\n'.join(lines)

    @api.depends('values')
    def _compute_details(self):
        head = Markup('<tr><th>%s</th><th>%s</th><th>%s</th></tr>') % (
            self.env._("Field"), self.env._("Old Value"), self.env._("New Value"))
        for entry in self:
            rows = entry._get_rendered_values()
            entry.details = rows and Markup(
                '<table class="table table-sm o_mrp_mmr_values"><thead>%s</thead><tbody>%s</tbody></table>') % (
                head, Markup().join(
                    Markup('<tr><td>%s</td><td class="text-break">%s</td><td class="text-break">%s</td></tr>') % (
                        label, old or '', new) for label, old, new in rows))

    @api.depends('res_model')
    def _compute_model_name(self):
        models_by_name = self.env['ir.model'].sudo()
        for entry in self:
            entry.model_name = models_by_name._get(entry.res_model).name or entry.res_model

    def _get_rendered_values(self):
        """Return label, old value (empty where there was none to be changed) and new value of each field."""
        self.ensure_one()
        model = self.env.get(self.res_model)
        rows = []
        for name, change in (self.values or {}).items():
            field = model._fields.get(name) if model is not None else None
            label = field._description_string(self.env) if field else self._get_value_labels().get(name, name)
            old = self._render_value(name, field, change['old']) if 'old' in change else ''
            rows.append((label, old, self._render_value(name, field, change.get('new'))))
        return rows

    @api.model
    def _get_value_labels(self):
        """Return the labels of logged values that are not fields of the record concerned."""
        return {
            'signature_id': self.env._("Signature Number"), 'meaning': self.env._("Meaning"),
            'content_sha256': self.env._("Digest of the Content"),
            'signature_sha256': self.env._("Digest of the Signature"), 'terminal_of': self.env._("Signed at the Terminal of"),
            'role': self.env._("Role"), 'session_sha256': self.env._("Digest of the Session"),
            'terminal_sha256': self.env._("Digest of the Terminal"),
            'authenticated': self.env._("Signed With"), 'idle_minutes': self.env._("Minutes Until Idle"),
            'mmr_snapshot_sha256': self.env._("Digest of the MMR Snapshot"),
            'acceptance_sha256': self.env._("Digest of the Accepted Text"), 'lines_sha256': self.env._("Digest of the Lines"),
            'rule': self.env._("Rule"), 'report': self.env._("Report"), 'fields': self.env._("Fields"),
            'bundle': self.env._("Bundle"), 'manifest_sha256': self.env._("Digest of the Manifest"),
            'roles': self.env._("GMP Roles"), 'signing': self.env._("Signing"), 'locked': self.env._("Locked"),
            'result': self.env._("Result"), 'findings': self.env._("Findings"), 'remarks': self.env._("Remarks"),
            'findings_sha256': self.env._("Digest of the Findings"), 'lines': self.env._("Lines of the Audit Trail"),
            'signatures': self.env._("Signatures"), 'revisions': self.env._("Revisions"), 'orders': self.env._("Orders"),
            'key_recovery': self.env._("Own Enrolment Opened Until"), 'opened_by': self.env._("Opened on the Server By"),
            'suspended_by': self.env._("Password Set By"),
            'without_key': self.env._("Signatures without Key"), 'key_fingerprint': self.env._("Key"),
            'key_transition': self.env._("Keys That Are Not Enrolled Sign until"),
            'labels': self.env._("Labels"), 'files': self.env._("Files"), 'records': self.env._("Records"),
        }

    @api.model
    def _render_value(self, name, field, value):
        if value is None or value == [] or value == '':
            return "–"
        if isinstance(value, bool):
            return self.env._("Yes") if value else self.env._("No")
        if isinstance(value, dict):
            return str(value.get('name') or value.get('sha256') or value)
        if isinstance(value, list):
            return ', '.join(self._render_value(name, field, item) for item in value)
        if name == 'report':
            return self.env['ir.actions.report'].sudo()._get_report_from_name(str(value)).name or str(value)
        if name == 'meaning':
            field = self.env['mrp.esignature']._fields['meaning']
        if field and field.type == 'selection':
            return dict(field._description_selection(self.env)).get(value, str(value))
        if field and field.type == 'datetime':
            return f"{value.replace('T', ' ').removesuffix('Z')} UTC"
        return str(value)

    def action_open_record(self):
        """Open the record that the line is about."""
        self.ensure_one()
        model = self.env.get(self.res_model)
        record = model.browse(self.res_id).exists() if model is not None and self.res_id else None
        if not record:
            raise UserError(self.env._("%s no longer exists: this line is what remains of it.", self.record_name))
        record.check_access('read')
        return {'type': 'ir.actions.act_window', 'res_model': record._name, 'res_id': record.id, 'views': [(False, 'form')]}

    def action_open_chain(self):
        """Show all lines of the chain that this line belongs to."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('mrp_mmr.mrp_audit_entry_action')
        return dict(action, name=self.chain_id.name, domain=[('chain_id', '=', self.chain_id.id)], context={})

    @api.model
    def _refuse_write(self):
        return self.env['mrp.audit.chain']._refuse_write()

    # === APPENDING === #

    @api.model
    def _append(self, lines, chain_name=None):
        """Append lines to their chains, in the same transaction as the change that they report.

        The number of queries does not depend on the number of lines or chains.

        :param list lines: dicts of ``chain`` (record that owns the chain), ``kind``, ``model``, ``res_id``,
            ``record_name``, ``values`` and ``reason``
        :param str chain_name: another chain of the same records than their usual one
        """
        if not lines:
            return
        env = self.sudo().env
        user = env.user
        now = fields.Datetime.now()
        keys = {}
        for line in lines:
            record = line['chain']
            if record not in keys:
                keys[record] = line.get('chain_key') or self._get_chain_key(record, chain_name)
        heads = env['mrp.audit.chain']._lock(keys.values())
        rows = []
        for line in lines:
            key = keys[line['chain']][:3]
            head = heads[key]
            head[1] += 1
            # What is hashed is what the column holds: a text, and never the False of an empty field.
            record_name = str(line['record_name'] or f"{line['model']},{line['res_id'] or ''}")
            content = self._get_hashed_content({
                'chain': [key[0], key[1]], 'company_id': key[2], 'index': head[1], 'kind': line['kind'],
                'res_model': line['model'], 'res_id': line['res_id'], 'record_name': record_name,
                'user_id': user.id, 'user_name': user.name, 'user_login': user.login, 'at': now,
                'values': line.get('values'), 'reason': line.get('reason'), 'previous_sha256': head[2],
            })
            digest = sha256(content)
            rows.append((
                head[0], key[2], head[1], line['kind'], line['model'], line['res_id'] or None, record_name,
                user.id, user.name, user.login, now, canonical_json(line['values']).decode() if line.get('values') else None,
                line.get('reason') or None, head[2], digest, now, user.id))
            head[2] = digest
        cr = env.cr
        cr.execute_values(
            """INSERT INTO mrp_audit_entry
                   (chain_id, company_id, index, kind, res_model, res_id, record_name, user_id, user_name, user_login,
                    at, values, reason, previous_sha256, sha256, create_date, create_uid)
               VALUES %s""", rows, page_size=BATCH)
        cr.execute_values(
            """UPDATE mrp_audit_chain AS c SET head_index = v.head_index, head_sha256 = v.head_sha256
                 FROM (VALUES %s) AS v (id, head_index, head_sha256) WHERE c.id = v.id""",
            [tuple(head) for head in heads.values()], page_size=BATCH)
        env['mrp.audit.chain'].invalidate_model(['head_index', 'head_sha256', 'entry_ids'], flush=False)

    @api.model
    def _get_chain_key(self, record, chain_name=None):
        """Return model, id, company and name by which the chain of ``record`` is found."""
        company = record if record._name == 'res.company' else record.company_id
        return (f'{record._name}:{chain_name}' if chain_name else record._name, record.id,
                (company or self.env.company).id, record.display_name)

    @api.model
    def _append_about(self, kind, records, values=None, reason=None):
        """Append one line about each of ``records``: printed, exported, signed, refused."""
        self._append([{
            'chain': self._get_chain_record(record), 'kind': kind, 'model': record._name, 'res_id': record.id,
            'record_name': record.display_name, 'values': values, 'reason': reason,
        } for record in records.sudo()])

    @api.model
    def _remember_refusal(self, message, rule, record=None):
        """Append a refused attempt when its transaction is rolled back, in a transaction of its own (SEC-010, AUD-010).

        Refusals have a chain of their own for each company, which no other transaction holds. What was refused in an
        attempt that Odoo repeats, because another transaction came first, is judged again by that repetition and recorded
        by it: one line for each request.
        """
        cr = self.env.cr
        registry, uid, company = self.env.registry, self._get_acting_uid(), self.env.company
        line = {
            'kind': 'refused', 'model': record._name if record is not None else 'res.company',
            'res_id': record.id if record is not None and len(record) == 1 and isinstance(record.id, int) else None,
            'record_name': rule, 'values': {'rule': {'new': rule}}, 'reason': storable(message),
        }

        def append():
            with registry.cursor() as own:
                # Where an import goes on, its own transaction may hold the chain: it waits for nobody then.
                own.execute(SQL("SELECT set_config('lock_timeout', %s, TRUE)", LOCK_TIMEOUT))
                env = api.Environment(own, SUPERUSER_ID, {})
                # What the transaction had made is gone with it: a user, or a company.
                if env['res.users'].browse(uid).exists():
                    env = env(user=uid)
                chain = env['res.company'].browse(company.id).exists() or env.user.company_id
                env['mrp.audit.entry']._append([dict(line, chain=chain)], 'refusals')

        def append_refusal():
            error = None
            for _try in range(TRIES):
                try:
                    append()
                except SerializationFailure as collision:
                    error = collision  # nobody repeats a request that was refused
                except (OperationalError, InterfaceError) as failure:
                    error = failure
                    break
                else:
                    return
            # The refusal itself stands; only its record could not be written, which the log keeps.
            _logger.error("A refusal could not be recorded: %s", message, exc_info=error)

        # Whoever catches the refusal, such as an import, asks for its line; see _record_caught_refusals.
        remembered = cr.postrollback.data.setdefault(REMEMBERED, {})
        remembered[rule, line['reason']] = append_refusal

        @cr.postrollback.add
        def append_after_rollback():
            if not isinstance(sys.exc_info()[1], REPEATED):
                append_refusal()

    @api.model
    def _record_caught_refusals(self):
        """Append the refusals that were caught in this transaction, which goes on (SEC-010, AUD-010).

        Imports report what was refused and end their transaction as if nothing had been.

        :return: how many there were
        """
        callbacks = self.env.cr.postrollback
        caught = callbacks.data.pop(REMEMBERED, {})
        for append in caught.values():
            append()
        callbacks.clear()
        return len(caught)

    @api.model
    def _get_chain_record(self, record):
        """Return the record that owns the chain of lines about ``record``; the company, where it has none itself."""
        if hasattr(record, '_audit_chain'):
            return record._audit_chain() or self.env.company
        return ('company_id' in record._fields and record.company_id) or self.env.company

    def _get_stored_vals(self):
        """Return the stored values of a line as :meth:`_get_hashed_content` takes them."""
        self.ensure_one()
        return {
            **{name: self[name] for name in (
                'index', 'kind', 'res_model', 'res_id', 'record_name', 'user_name', 'user_login', 'at', 'values', 'reason',
                'previous_sha256')},
            'chain': [self.chain_id.res_model, self.chain_id.res_id],
            'company_id': self.company_id.id, 'user_id': self.user_id.id,
        }

    @api.model
    def _get_hashed_content(self, vals):
        """Return what the digest of a line covers: everything in it."""
        return {
            'schema': 'mrp_mmr/ledger/1',
            'chain': vals['chain'],
            'company': vals['company_id'],
            'index': vals['index'],
            'kind': vals['kind'],
            'record': {'model': vals['res_model'], 'id': vals['res_id'] or None, 'name': vals['record_name']},
            'user': {'id': vals['user_id'], 'name': vals['user_name'], 'login': vals['user_login']},
            'at': iso_utc(vals['at']),
            'values': vals['values'] or None,
            'reason': vals['reason'] or None,
            'previous_sha256': vals['previous_sha256'],
        }
