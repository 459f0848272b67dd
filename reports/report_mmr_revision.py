"""Print of a revision from its signed document (RPT-010)."""

import base64
import hashlib
import io
import logging

from PIL import Image, ImageOps

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools.image import ImageProcess

from ..domain import days
from ..domain.canonical import sha256
from ..domain.criterion import stated_text
from ..domain.files import IMAGES
from ..models.master.print_mark import NOT_FOR_PRODUCTION, WATERMARKS
from .document_sections import DocumentSections
from .stamping import Stamp

_logger = logging.getLogger(__name__)

IMAGE_TYPES = set(IMAGES.values())
#: Pixels on the longer side: 300 per inch on paper.
MAX_IMAGE_SIZE = 1000


class ReportMmrRevision(models.AbstractModel):
    """Print of a revision (RPT-010): its frozen document, its signatures, its present status.

    Only a draft, which has no frozen document, is printed from the live records.
    """
    _name = 'report.mrp_mmr.report_mmr_revision'
    _inherit = ['mrp.mmr.stamped.report']
    _description = "Print of a Master Manufacturing Record"

    @api.model
    def _get_report_values(self, docids, data=None):
        revisions = self.env['mrp.mmr.revision'].browse(docids)
        revisions.check_access('read')
        signatures = self._prepare_signatures(revisions)
        return {
            'doc_ids': docids,
            'doc_model': revisions._name,
            'docs': [dict(
                self._prepare_print_vals(revision), signatures=signatures[revision.id],
                signed_by=self._list_signers(signatures[revision.id], revision.company_id._get_mmr_zone()),
            ) for revision in revisions],
        }

    def _get_stamp(self, record):
        record.check_access('read')
        document, digest = self._get_document(record)
        return Stamp(
            header_left=document['company']['name'],
            header_right=self.env._(
                "Master Manufacturing Record · %(number)s · revision %(revision)s · %(status)s",
                number=document['number'], revision=document['revision'], status=self._get_status(record)),
            footer_left=self.env._("SHA-256 %(digest)s…", digest=digest[:16]),
            footer_center=self._get_printed_label(),
            watermark=self._get_watermark(record),
            page_label=self._get_page_label(),
        )

    @api.model
    def _get_watermark(self, revision):
        """Return what is written across each page; None for the one revision that may be used (PRD-030)."""
        return WATERMARKS.get(revision.state, NOT_FOR_PRODUCTION)

    @api.model
    def _get_status(self, revision):
        return dict(revision._fields['state']._description_selection(self.env))[revision.state]

    @api.model
    def _get_document(self, revision):
        """Return what is printed, and its digest: the frozen document, or the content of a draft."""
        # Whoever may read the revision may print all of it, also without a right to read bills of materials.
        revision = revision.sudo()
        if revision.document:
            return revision.document, revision.document_sha256
        document = revision._prepare_document()
        return document, sha256(document)

    @api.model
    def _prepare_print_vals(self, revision):
        """Return what the template shows of one revision; only status and times come from the live record."""
        document, digest = self._get_document(revision)
        operations = {
            row['position']: f"{row['position']} {row['name']}" for row in document['operations']}

        def lines(text):
            return (text or '').splitlines()

        def with_operation(rows):
            return [dict(row, operation_label=operations.get(row['operation']), stated_label=stated_text(row)) for row in rows]

        components = with_operation(document['components'])
        sections = DocumentSections(self.env, document, self._get_images(document))
        return {
            'id': revision.id,
            'document': document,
            'digest': digest,
            'is_frozen': bool(revision.document),
            'is_intact': sha256(document) == digest,
            'status': self._get_status(revision),
            'watermark': self._get_watermark(revision),
            'effective_at': days.clock(revision.effective_at, revision.company_id._get_mmr_zone()),
            'ended_at': days.clock(revision.ended_at, revision.company_id._get_mmr_zone()),
            'change_category': dict(revision._fields['change_category']._description_selection(self.env)).get(
                document['change']['category'], document['change']['category']),
            'description_lines': lines(document['change']['description']),
            'reason_lines': lines(document['change']['reason']),
            'precaution_lines': lines(document['precautions']),
            'identity': sections.identity(),
            'components': components,
            'after_components': self._without_empty(sections.components(), sections.ingredients()),
            'operations': [dict(
                row,
                facts=sections.stage_facts(row),
                equipment_table=sections.stage_equipment(row),
                step_table=sections.stage_steps(row),
                predecessor_labels=[operations.get(position, position) for position in row['predecessors']],
                instruction_lines=lines(row['instruction']),
                components=[component for component in components if component['operation'] == row['position']],
            ) for row in document['operations']],
            'by_products': with_operation(document['by_products']),
            'after_operations': self._without_empty(
                sections.final_yield(), sections.rationale(), sections.specifications(), sections.packs(),
                sections.references(), sections.sections(), sections.answers(), sections.reviewers()),
        }

    @api.model
    def _list_signers(self, signatures, zone):
        """Return who signed, in a line each, for the first page; void signatures are with the others at the end only."""
        return [
            f"{row['meaning_label']}: {row['name']}, {row['role']}, {days.clock(row['signed_at'], zone)}"
            for row in signatures if not row['voided_by']]

    @api.model
    def _without_empty(self, *sections):
        return [section for section in sections if section]

    @api.model
    def _get_images(self, document):
        """Return the images of a document as sources by digest; only bytes that have the digest are printed."""
        digests = set()

        def visit(part):
            if isinstance(part, dict):
                if part.get('sha256') and part.get('mimetype') in IMAGE_TYPES:
                    digests.add(part['sha256'])
                part = part.values()
            if not isinstance(part, (str, int)) and part is not None:
                for content in part:
                    visit(content)

        visit(document)
        # Whoever may read the record may see its pictures.
        files = self.env['mrp.mmr.file'].sudo().with_context(bin_size=False).search([('sha256', 'in', list(digests))])
        sources = {}
        for file in files:
            source = file.sha256 not in sources and self._get_image_source(file)
            if source:
                sources[file.sha256] = source
        return sources

    @api.model
    def _get_image_source(self, file):
        """Return a picture as the address that holds it, small enough for paper; None where it is damaged."""
        content = base64.b64decode(file.data or b'')
        if hashlib.sha256(content).hexdigest() != file.sha256:
            return None
        try:
            image = ImageProcess(content, verify_resolution=True).image
            image = ImageOps.exif_transpose(image).convert('RGBA')
        except (UserError, OSError, ValueError, SyntaxError) as error:
            _logger.info("%s cannot be printed: %s", file, error)
            return None
        image.thumbnail((MAX_IMAGE_SIZE, MAX_IMAGE_SIZE))
        # On white, as paper is: neither transparency nor a format that wkhtmltopdf does not know.
        paper = Image.new('RGB', image.size, 'white')
        paper.paste(image, mask=image.getchannel('A'))
        buffer = io.BytesIO()
        paper.save(buffer, 'PNG', optimize=True)
        return 'data:image/png;base64,' + base64.b64encode(buffer.getvalue()).decode()
