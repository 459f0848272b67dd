"""Records whose creation, change and deletion go to the audit trail (AUD-010, 21 CFR 11.10(e))."""

import hashlib

from odoo import api, fields, models
from odoo.models import MAGIC_COLUMNS

from ... import guards
from ...domain.canonical import canonical_json, iso_utc
from ...domain.numbers import decimal_string


class MrpAuditMixin(models.AbstractModel):
    """Records whose creation, change and deletion go to the ledger (AUD-010, 21 CFR 11.10(e)).

    It works below every other override, so it sees what is stored regardless of the source: form, import, remote
    call, cron or ``sudo()``. No key of the context switches it off. Values are compared before they are
    logged: what did not change makes no line.
    """
    _name = 'mrp.audit.mixin'
    _description = "Record with an Audit Trail"

    def init(self):
        super().init()
        if self._name == 'mrp.audit.mixin':
            # For all tables of the addon at once, when the last of them is there.
            self.pool.post_init(guards.load, self.env.cr)

    def _audit_records(self, vals=None):
        """Return those of these records that are audited; core models leave out what the addon does not control.

        :param dict vals: what is about to be written
        """
        return self

    def _audit_chain(self):
        """Return the record that owns the chain this record's lines belong to."""
        self.ensure_one()
        return self.company_id or self.env.company

    @api.model
    def _audit_fields(self):
        """Return the names of the fields whose values go to the ledger."""
        return {
            name for name, field in self._fields.items()
            if field.store and name not in MAGIC_COLUMNS and field.type != 'one2many'
            and (not field.compute or not field.readonly) and not field.related and not name.startswith('message_')
            and not name.startswith('activity_')
        }

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        audited = records.sudo()._audit_records()
        if audited:
            audited._audit_append('create', audited._audit_created())
        return records

    def write(self, vals):
        names = self._audit_fields() & self._audit_written(vals)
        audited = self.sudo()._audit_records(vals) if names else self.browse()
        if not audited:
            return super().write(vals)
        before = {record: record._audit_values(names) for record in audited}
        result = super().write(vals)
        changes = {}
        for record, old in before.items():
            new = record._audit_values(names)
            changed = {name: {'old': old[name], 'new': new[name]} for name in names if old[name] != new[name]}
            if changed:
                changes[record] = changed
        state = {record: values for record, values in changes.items() if 'state' in values}
        self._audit_append('write', {record: values for record, values in changes.items() if record not in state})
        self._audit_append('state', state)
        return result

    def unlink(self):
        audited = self.sudo()._audit_records()
        names = self._audit_fields() if audited else ()
        lines = audited._audit_prepare('unlink', {
            record: {name: {'old': value} for name, value in record._audit_values(names).items() if value is not None}
            for record in audited})
        entries = self.env['mrp.audit.entry']
        # The owner of the chain may be what is deleted.
        lines = [dict(line, chain_key=entries._get_chain_key(line['chain'])) for line in lines]
        result = super().unlink()
        entries._append(lines)
        return result

    @api.model
    def _audit_written(self, vals):
        """Return the fields that writing ``vals`` may change: those and what follows from them in the same row."""
        return set(vals)

    def export_data(self, fields_to_export):
        result = super().export_data(fields_to_export)
        self.env['mrp.audit.entry']._append_about('export', self, {'fields': {'new': ', '.join(fields_to_export)}})
        return result

    # === LINES === #

    @api.model
    def _audit_append(self, kind, values, reason=None):
        """Append one line for each record of the dict ``values``."""
        self.env['mrp.audit.entry']._append(self._audit_prepare(kind, values, reason))

    @api.model
    def _audit_prepare(self, kind, values, reason=None):
        return [{
            'chain': record._audit_chain(), 'kind': kind, 'model': record._name, 'res_id': record.id,
            'record_name': record.display_name or f"{record._name},{record.id}", 'values': changes, 'reason': reason,
        } for record, changes in values.items()]

    def _audit_created(self):
        """Return what the first line about each of these records says: every value that there is."""
        names = self._audit_fields()
        return {
            record: {name: {'new': value} for name, value in record._audit_values(names).items() if record[name]}
            for record in self}

    def _audit_values(self, names):
        """Return the values of fields as the ledger holds them: no floats, links by id and name."""
        self.ensure_one()
        return {name: self._audit_value(name) for name in names}

    def _audit_value(self, name):
        field = self._fields[name]
        if field.type == 'binary':
            content = self.with_context(bin_size=False)[name]
            return {'sha256': hashlib.sha256(content).hexdigest(), 'size': len(content)} if content else None
        value = self[name]
        if field.type == 'boolean':
            return value
        if field.relational:
            rows = [{'id': row.id, 'name': row.display_name} for row in value.sudo().sorted('id')]
            return (rows[0] if rows else None) if field.type == 'many2one' else rows
        if value is False or value is None or value == '':
            return None
        if field.type in ('float', 'monetary'):
            return decimal_string(value)
        if field.type in ('json', 'properties'):
            return {'sha256': hashlib.sha256(canonical_json(value)).hexdigest()}
        if field.type == 'datetime':
            return iso_utc(value)
        if field.type == 'date':
            return fields.Date.to_string(value)
        return str(value) if field.type != 'integer' else value
