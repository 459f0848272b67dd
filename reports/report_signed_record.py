"""Prints of records that are signed without a document of their own: from signatures and audit trail."""

from odoo import api, models

from .stamping import Stamp


class ReportSignedRecord(models.AbstractModel):
    """Print of any signed record (SIG-020, 21 CFR 11.50(b)): every signature with what was signed.

    Each model has a report of its own name, which inherits this one.
    """
    _name = 'mrp.mmr.signed.report'
    _inherit = ['mrp.mmr.stamped.report']
    _description = "Print of a Signed Record"

    #: Model of the records that are printed.
    _printed_model = None

    @api.model
    def _get_report_values(self, docids, data=None):
        records = self.env[self._printed_model].browse(docids)
        records.check_access('read')
        signatures = self.env['mrp.esignature'].sudo().search(
            [('res_model', '=', records._name), ('res_id', 'in', records.ids)], order='signed_at, id').grouped('res_id')
        return {
            'doc_ids': docids,
            'doc_model': records._name,
            'docs': [{
                'id': record.id,
                'kind': self.env['ir.model']._get(record._name).name,
                'name': record.display_name,
                'company': self._get_company(record).name,
                'signatures': [
                    dict(self._prepare_signature(signature), content_rows=self._prepare_rows(signature.content or {}))
                    for signature in signatures.get(record.id, ())],
            } for record in records],
        }

    def _get_stamp(self, record):
        record.check_access('read')
        return Stamp(
            header_left=self._get_company(record).name,
            header_right=self.env._("Electronic signatures · %s", record.display_name),
            footer_left='',
            footer_center=self._get_printed_label(),
            watermark=None,
            page_label=self._get_page_label(),
        )

    @api.model
    def _get_company(self, record):
        return record._get_signing_company()

    @api.model
    def _prepare_rows(self, content, prefix=''):
        """Return the signed content as ``(name, value)`` rows, in the words of the signed document itself."""
        rows = []
        for name, value in sorted(content.items()):
            name = f"{prefix}{name}"
            if isinstance(value, dict):
                rows += self._prepare_rows(value, f"{name}.")
            elif isinstance(value, bool):
                rows.append((name, self.env._("yes") if value else self.env._("no")))
            elif value is not None:
                rows.append((name, ', '.join(map(str, value)) if isinstance(value, list) else str(value)))
        return rows


class ReportLabelSignatures(models.AbstractModel):
    _name = 'report.mrp_mmr.report_label_signatures'
    _inherit = ['mrp.mmr.signed.report']
    _description = "Print of a Signed Label"
    _printed_model = 'mrp.mmr.label'


class ReportRequirementSignatures(models.AbstractModel):
    _name = 'report.mrp_mmr.report_requirement_signatures'
    _inherit = ['mrp.mmr.signed.report']
    _description = "Print of a Signed Requirement"
    _printed_model = 'mrp.mmr.requirement'


class ReportDecisionSignatures(models.AbstractModel):
    _name = 'report.mrp_mmr.report_decision_signatures'
    _inherit = ['mrp.mmr.signed.report']
    _description = "Print of the Signed Decisions on an Order"
    _printed_model = 'mrp.production'


class ReportTamperDrill(models.AbstractModel):
    """Print of a tamper drill: every act that was tried and what became of it, and who checked it."""
    _name = 'report.mrp_mmr.report_tamper_drill'
    _inherit = ['mrp.mmr.signed.report']
    _description = "Print of a Tamper Drill"
    _printed_model = 'mrp.tamper.drill'

    @api.model
    def _get_report_values(self, docids, data=None):
        values = super()._get_report_values(docids, data)
        for doc, record in zip(values['docs'], self.env[self._printed_model].browse(docids), strict=True):
            doc.update(groups=record._prepare_groups(), facts=self._prepare_facts(record),
                       not_tried=record.results['not_tried'])
        return values

    def _get_stamp(self, record):
        return super()._get_stamp(record)._replace(
            header_right=record.name, footer_left=self.env._("SHA-256 %(digest)s…", digest=record.results_sha256[:16]))

    @api.model
    def _prepare_facts(self, record):
        """Return the further findings of the drill, as ``(label, value)``."""
        results = record.results
        evidence, run_by = results['evidence'], results['run_by']
        return [
            (self.env._("Result"), dict(record._fields['state']._description_selection(self.env))[record.state]),
            (self.env._("Run by"), f"{run_by['name']} ({run_by['login']})"),
            (self.env._("Run on"), f"{results['at']} UTC"),
            (self.env._("Attempts"), self.env._(
                "%(acts)s: %(refused)s refused or found, %(faults)s faults, %(untried)s not tried", acts=record.act_count,
                refused=record.refused_count, faults=record.fault_count, untried=record.untried_count)),
            (self.env._("Evidence before, SHA-256"), evidence['sha256_before']),
            (self.env._("The same evidence after, SHA-256"), evidence['sha256_after']),
            (self.env._("Evidence"), self.env._(
                "%(rows)s rows and the last lines of %(chains)s chains: %(result)s", rows=evidence['rows'],
                chains=evidence['chains'], result=self.env._("unchanged") if results['is_unchanged']
                else self.env._("NOT WHAT IT WAS BEFORE"))),
            (self.env._("Lines that the attempts left in the audit trail"), self.env._(
                "none: their transaction was rolled back (by people working at the same time: %s)",
                evidence['lines_by_others'])),
            (self.env._("Tables that people wrote at the same time"),
             ', '.join(evidence['written_by_others']) or self.env._("none")),
            (self.env._("Digest of the results, SHA-256"), record.results_sha256),
        ]

    @api.model
    def _prepare_rows(self, content, prefix=''):
        # What was signed is the table of acts itself.
        return []
