"""Records that are older than the ledger: taken over once in the life of a database, and never again (AUD-040)."""

import hashlib

from odoo import api, models
from odoo.tools import SQL

from ...domain.columns import RECORD_ROWS

#: Owners of chains: their line is the first of their chain.
OWNERS = ('mrp.mmr', 'mrp.production')


class MrpAuditEntry(models.Model):
    _inherit = 'mrp.audit.entry'

    #: Records that are read at a time while they are taken over.
    _baseline_batch = 1000

    @api.model
    def _take_baseline(self):
        """Give each record and signature without any line its first one, with all values as they are now.

        Every installation and update of the addon calls it before anything else is loaded; it works once. A line
        of the company closes the baseline: it counts the lines and holds their digest. What gets into a table
        outside the ledger after that has no line, which verification reports.
        """
        if self.sudo().search_count([('kind', '=', 'baseline'), ('res_model', '=', 'res.company')], limit=1):
            return
        # Where there is a ledger already, what is younger should have been in it.
        [[began]] = self.env.execute_query(SQL("SELECT min(at) FROM mrp_audit_entry"))
        audited = self.env.registry['mrp.audit.mixin']
        names = {name for name, model in self.env.items() if isinstance(model, audited) and not model._abstract}
        counts = {name: self._take_over(self.env[name], began) for name in sorted(names, key=lambda name: (
            name not in OWNERS, name))}
        counts['mrp.esignature'] = self._take_over_signatures(began)
        self._take_over_people()
        company = self.env.company
        digest = hashlib.sha256()
        for line, in self.env.execute_query(SQL(
                "SELECT sha256 FROM mrp_audit_entry WHERE kind = 'baseline' ORDER BY chain_id, index")):
            digest.update(line.encode())
        self._append([{
            'chain': company, 'kind': 'baseline', 'model': company._name, 'res_id': company.id,
            'record_name': company.name, 'values': {
                'lines': {'new': sum(counts.values())}, 'lines_sha256': {'new': digest.hexdigest()},
                **{name: {'new': count} for name, count in counts.items() if count}},
            'reason': self.env._("The ledger begins here. What is older was taken over as it was."),
        }])
        # What follows is compared in all of its columns.
        self._note_guards()

    @api.model
    def _take_over_people(self):
        """Append what roles users have, and what is known about signers. Extended in models/people/baseline.py."""

    @api.model
    def _take_over(self, model, began):
        """Append a line for each record of ``model`` without one; return how many there are."""
        return self._take_over_rows(
            model, began, SQL("""(%s) AND NOT EXISTS (
                SELECT FROM mrp_audit_entry e WHERE e.res_model = %s AND e.res_id = t.id)""",
                SQL(RECORD_ROWS.get(model._table, 'TRUE')), model._name),
            lambda records: records._audit_append('baseline', records._audit_created(), self._get_baseline_reason()))

    @api.model
    def _take_over_signatures(self, began):
        """Append a line for each signature without one, to the chain of the signed record; return the number of lines."""
        return self._take_over_rows(
            self.env['mrp.esignature'], began, SQL("""NOT EXISTS (
                SELECT FROM mrp_audit_entry e
                 WHERE e.res_model = t.res_model AND e.res_id = t.res_id AND e.kind = 'sign'
                   AND e."values" -> 'signature_id' ->> 'new' = t.id::text)"""),
            lambda signatures: self._append([{
                'chain': self._get_chain_record(self.env[signature.res_model].sudo().browse(signature.res_id)),
                'kind': 'baseline', 'model': signature._name, 'res_id': signature.id, 'record_name': signature.record_name,
                'values': {
                    'signature_id': {'new': signature.id}, 'meaning': {'new': signature.meaning},
                    'content_sha256': {'new': signature.content_sha256},
                    'signature_sha256': {'new': signature.signature_sha256}, 'user_id': {'new': signature.user_id.id},
                    'company_id': {'new': signature.company_id.id}},
                'reason': self._get_baseline_reason(),
            } for signature in signatures]))

    @api.model
    def _take_over_rows(self, model, began, condition, append):
        """Hand the rows ``t`` of ``model`` that are older than ``began`` to ``append``, in batches; return their number."""
        count = after = 0
        while True:
            ids = [row_id for row_id, in self.env.execute_query(SQL(
                "SELECT t.id FROM %s t WHERE t.id > %s AND %s AND (%s::timestamp IS NULL OR t.create_date < %s) "
                "ORDER BY t.id LIMIT %s", SQL.identifier(model._table), after, condition, began, began, self._baseline_batch))]
            if not ids:
                return count
            append(model.sudo().browse(ids))
            count, after = count + len(ids), ids[-1]
            # Documents and files of one batch are all that is in memory.
            self.env.invalidate_all()

    @api.model
    def _get_baseline_reason(self):
        return self.env._("Older than the ledger; taken over as it is now.")
