"""Reports whose every page bears number, digest, revision and watermark (RPT-010, RPT-020)."""

from odoo import api, fields, models

from ..domain import days
from .document_sections import moment

#: Countries whose paper is Letter; A4 everywhere else. Source: Unicode CLDR, measurementData, paperSize.
LETTER_COUNTRIES = {'BZ', 'CA', 'CL', 'CO', 'CR', 'GT', 'MX', 'NI', 'PA', 'PH', 'PR', 'SV', 'US', 'VE'}


class MrpMmrStampedReport(models.AbstractModel):
    """Prints of GMP records: each page says what it is, in which status and of how many pages.

    A report model (``report.<report name>``) that inherits this one is rendered record by record,
    from a self-contained HTML document (see the template ``mrp_mmr.report_stamped_layout``), and
    each page is stamped with what :meth:`_get_stamp` returns. The same comes out of every build of
    wkhtmltopdf, for one record or fifty.
    """
    _name = 'mrp.mmr.stamped.report'
    _description = "Stamped Print of a GMP Record"

    def _get_stamp(self, record):
        """Return the header, footer and watermark of the pages of ``record``; None for what bears none, such as labels.

        :rtype: odoo.addons.mrp_mmr.reports.stamping.Stamp
        """
        raise NotImplementedError

    @api.model
    def _get_stamps(self, records):
        """Return the stamp of each of ``records``; reports whose stamps need queries read for all of them at once."""
        return {record: self._get_stamp(record) for record in records}

    @api.model
    def _get_paperformats(self, records, report):
        """Return the paper format of each of ``records``: Letter where the company of the record has that paper (RPT-010).

        A report that was given another format than that of the addon keeps it.
        """
        paperformat, letter = report.get_paperformat(), self.env.ref('mrp_mmr.paperformat_mmr_letter')
        if paperformat != self.env.ref('mrp_mmr.paperformat_mmr'):
            return dict.fromkeys(records, paperformat)
        # Whoever may print the record may know where its company is.
        companies = {record: record.sudo().company_id if 'company_id' in record else self.env.company for record in records}
        return {
            record: letter if (company or self.env.company).sudo().country_id.code in LETTER_COUNTRIES else paperformat
            for record, company in companies.items()}

    def _log_print(self, records, report):
        """Note in the ledger that ``records`` were printed."""
        self.env['mrp.audit.entry']._append_about('print', records, {'report': {'new': report.report_name}})

    @api.model
    def _get_printed_label(self):
        """Return who prints, and when on the clock of that person."""
        now = fields.Datetime.context_timestamp(self, fields.Datetime.now())
        return self.env._(
            "Printed by %(user)s, %(time)s", user=self.env.user.name, time=now.strftime('%Y-%m-%d %H:%M %Z'))

    @api.model
    def _get_page_label(self):
        return self.env._("Page %(page)s of %(pages)s", page='%(page)s', pages='%(pages)s')

    @api.model
    def _format_utc(self, timestamp):
        return f"{timestamp:%Y-%m-%d %H:%M:%S} UTC" if timestamp else None

    @api.model
    def _format_local(self, timestamp, time_zone):
        """Return a time on the clock of ``time_zone``, with the zone and its distance from UTC."""
        local = fields.Datetime.context_timestamp(self.with_context(tz=time_zone or 'UTC'), timestamp)
        offset = local.strftime('%z')
        return f"{local:%Y-%m-%d %H:%M:%S %Z} (UTC{offset[:3]}:{offset[3:5]}, {time_zone or 'UTC'})"

    @api.model
    def _get_times_label(self, company, begin):
        """Return where the clock is that times are printed by, and how far it is from UTC in the year after ``begin``."""
        zone = company._get_mmr_zone()
        # Of a whole year, so that a reprint says the same.
        offsets = days.offsets(begin, days.in_days(begin, 366), zone)
        return zone if zone == 'UTC' else f"{zone} ({', '.join(f'{name} = {offset}' for name, offset in offsets.items())})"

    @api.model
    def _prepare_signatures(self, records):
        """Return the signatures of ``records`` as they are printed, oldest first (SIG-020, 21 CFR 11.50(b)).

        Void signatures are part of the record: they come with the signature that voided them.

        :return: dict from record id to a list of dicts
        """
        # Whoever may read a record may read who signed it.
        signatures = self.env['mrp.esignature'].sudo().search(
            [('res_model', '=', records._name), ('res_id', 'in', records.ids)], order='signed_at, id')
        result = {record_id: [] for record_id in records.ids}
        for signature in signatures:
            result[signature.res_id].append(self._prepare_signature(signature))
        return result

    @api.model
    def _prepare_signature(self, signature):
        # What voids a preparer's signature voids the reviews and approvals that were given on it.
        voided_by = (signature.voided_by_ids | signature.basis_signature_id.voided_by_ids)[:1]
        return dict(
            signature._get_printed_vals(),
            meaning_label=signature._get_meaning_label(),
            local_time=self._format_local(signature.signed_at, signature.signer_tz),
            utc_time=self._format_utc(signature.signed_at),
            is_intact=signature._is_intact(),
            key_short=signature.key_short,
            comment_lines=(signature.comment or '').splitlines(),
            annex_lines=self._prepare_annex_lines(signature),
            voided_by=voided_by and {
                'name': voided_by.signer_name,
                'meaning_label': voided_by._get_meaning_label(),
                'local_time': self._format_local(voided_by.signed_at, voided_by.signer_tz),
                'comment': voided_by.comment,
            },
        )

    @api.model
    def _prepare_annex_lines(self, signature):
        """Return what else was signed, in words: the differences from the revision before, confirmed overages."""
        annex, lines = signature.annex or {}, []
        redline = annex.get('redline')
        if redline and redline.get('before'):
            lines.append(self.env._(
                "Differences from revision %(revision)s, SHA-256 %(digest)s", revision=redline['before']['revision'],
                digest=redline['redline_sha256']))
        elif redline:
            lines.append(self.env._(
                "First revision: everything is new, SHA-256 %s", redline['redline_sha256']))
        if annex.get('review'):
            lines.append(self.env._("Review: %s", annex['review']))
        if annex.get('overages'):
            # By the names that were signed: those of today may be others.
            signed = signature.basis_signature_id.content or {}
            names = {row['product']['id']: row['product']['name'] for row in signed.get('components', ())}
            lines += [
                self.env._("Overage of %(component)s confirmed by %(name)s, %(time)s",
                           component=names.get(row['component'], row['component']), name=row['confirmed_by'],
                           time=moment(row['confirmed_at']))
                for row in annex['overages']]
        return lines
