"""An MMR as spreadsheets: one revision in full, all revisions with their history, and the register of all MMRs."""

from odoo import fields

from ..domain import wording
from ..domain.canonical import sha256
from ..domain.criterion import criterion_text, stated_text
from ..domain.numbers import decimal_string
from .document_sections import document_label, product_label
from .xlsx_workbook import Column, Workbook, parse_date, parse_time


def made_label(env):
    """Return who made a file, and when."""
    return env['mrp.mmr.stamped.report']._get_printed_label()


def _file_cells(content):
    content = content or {}
    return [content.get('name'), content.get('sha256')]


class Sheets:
    """Shared by the writers: words for codes."""

    def __init__(self, env):
        self.env = env
        self.codes = wording.code_labels(env)

    def code(self, kind, value):
        return value and self.codes[kind].get(value, value)

    def flag(self, value):
        return None if value is None else self.codes['flag']['yes' if value else 'no']

    def fact_labels(self):
        return [self.env._("Item"), self.env._("Value")]

    def add_signatures(self, book, signatures):
        """Add signatures: a list of ``(revision, signature)`` with the signature as it is printed."""
        env = self.env
        book.add_table(env._("Signatures"), [
            Column(env._("Revision"), 'integer'), Column(env._("Meaning")), Column(env._("Printed name")),
            Column(env._("User name")), Column(env._("Role")), Column(env._("Signed at (UTC)"), 'datetime'),
            Column(env._("Time zone of the signer")), Column(env._("Statement"), width=48), Column(env._("Comment"), width=48),
            Column(env._("Signed content, SHA-256"), width=66), Column(env._("Signature, SHA-256"), width=66),
            Column(env._("Intact")), Column(env._("Void by")), Column(env._("Reason for voiding"), width=48),
        ], [[
            revision, signature['meaning_label'], signature['name'], signature['login'], signature['role'],
            parse_time(signature['signed_at']), signature['time_zone'], signature['statement'], signature['comment'],
            signature['content_sha256'], signature['signature_sha256'], self.flag(signature['is_intact']),
            *(("{meaning_label}, {name}, {local_time}".format(**signature['voided_by']), signature['voided_by']['comment'])
              if signature['voided_by'] else (None, None)),
        ] for revision, signature in signatures])


# === ONE REVISION === #

def write_revision(revision):
    """Return the spreadsheet of one revision in full, from its frozen document (RPT-010)."""
    return _RevisionSheets(revision).build()


class _RevisionSheets(Sheets):

    def __init__(self, revision):
        super().__init__(revision.env)
        self.report = self.env['report.mrp_mmr.report_mmr_revision']
        self.revision = revision
        self.document, self.digest = self.report._get_document(revision)
        self.operations = {row['position']: row for row in self.document['operations']}
        self.components = {row['position']: row for row in self.document['components']}

    def build(self):
        env, document = self.env, self.document
        status = self.report._get_watermark(self.revision) or self.report._get_status(self.revision)
        self.book = Workbook(
            env._("Master Manufacturing Record %(number)s revision %(revision)s",
                  number=document['number'], revision=document['revision']),
            status, env.user.name)
        self._add_identity()
        self._add_components()
        self._add_stages()
        self._add_steps()
        self._add_tests()
        self._add_packs()
        self._add_texts()
        signatures = self.report._prepare_signatures(self.revision)[self.revision.id]
        self.add_signatures(self.book, [(document['revision'], signature) for signature in signatures])
        return self.book.close()

    def _stage(self, position):
        row = self.operations.get(position)
        return row and f"{position} {row['name']}"

    def _add_identity(self):
        env, document = self.env, self.document
        identity, final = document.get('identity') or {}, document.get('yield') or {}
        weight = identity.get('dosage_unit_weight') or {}
        change = document['change']
        self.book.add_facts(env._("Identity"), self.fact_labels(), [
            (env._("Number"), document['number']),
            (env._("Revision"), document['revision'], 'integer'),
            (env._("Status when this file was made"), self.report._get_status(self.revision)),
            (env._("Watermark"), self.report._get_watermark(self.revision)),
            (env._("Company"), document['company']['name']),
            (env._("Profile"), f"{document['profile']['code']}: {document['profile']['name']}"),
            (env._("Product"), document['product']['name']),
            (env._("Product code"), document['product']['code']),
            (env._("Formulation"), document['formulation']),
            (env._("Batch size"), document['batch_size']['quantity'], 'number'),
            (env._("Unit"), document['batch_size']['unit']),
            (env._("Description"), identity.get('description')),
            (env._("Dosage form"), identity.get('dosage_form')),
            (env._("Weight of a dosage unit"), weight.get('value'), 'number'),
            (env._("Unit of the weight"), weight.get('unit')),
            (env._("Category of the change"), self.code('category', change['category'])),
            (env._("Reason"), change['reason']),
            (env._("Description of the change"), change['description']),
            (env._("Effective date"), parse_date(document['effective_date']), 'date'),
            (env._("Effective since (UTC)"), self.revision.effective_at or None, 'datetime'),
            (env._("Effective until (UTC)"), self.revision.ended_at or None, 'datetime'),
            (env._("Training required"), self.flag(document.get('training_required', False))),
            (env._("Special notations and precautions"), document['precautions']),
            (env._("Theoretical yield"), final.get('theoretical'), 'number'),
            (env._("Unit of the yield"), final.get('unit')),
            (env._("Minimum yield, percent of theoretical"), final.get('minimum'), 'number'),
            (env._("Maximum yield, percent of theoretical"), final.get('maximum'), 'number'),
            (env._("Rationale for the yield limits"), final.get('rationale')),
            (env._("Rationale for the in-process specifications"), document.get('process_rationale')),
            (env._("Reviewed before approval by"), ", ".join(
                f"{row['name']} ({row['role']})" for row in document.get('reviewers') or []) or None),
            (env._("Content, SHA-256"), self.digest),
            (env._("Content is what was signed"), self.flag(sha256(document) == self.digest) if
             self.revision.sudo().document else env._("draft, not signed")),
            (env._("Format"), document['schema']),
            (env._("Made"), made_label(env)),
        ])

    def _add_components(self):
        env = self.env
        material = [
            Column(env._("Position"), 'integer'), Column(env._("Code"), width=14), Column(env._("Product"), width=36),
            Column(env._("Quantity"), 'number'), Column(env._("Unit"), width=10),
            Column(env._("Quantity in the unit of the product"), 'number'), Column(env._("Stage"), width=28)]

        def cells(row):
            return [row['position'], row['product']['code'], row['product']['name'], row['quantity'], row['unit'],
                    row['product_unit_quantity'], self._stage(row['operation'])]

        def component(row):
            overage, strength = row.get('overage') or {}, row.get('strength') or {}
            stated = overage and overage['kind'] != 'none'
            kinds = {'none': env._("None"), 'percent': env._("Percent"), 'amount': env._("Amount")}
            return [
                *cells(row), self.flag(row.get('is_active')), self.flag(row.get('is_declared')),
                self.flag(row.get('in_product')), strength.get('value'), strength.get('unit'),
                kinds.get(overage.get('kind'), overage.get('kind')),
                overage['percent'] if stated else None, overage['amount'] if stated else None,
                overage['unit'] if stated else None, overage.get('rationale'), (row.get('supplier') or {}).get('name'),
                row.get('tolerance'), row.get('tolerance_justification'), self.flag(row.get('weighing_verified')),
                self.flag(row.get('addition_verified')), (row.get('assay') or {}).get('reference'),
                (row.get('assay') or {}).get('unit'), self.codes['basis'].get((row.get('assay') or {}).get('basis')),
                self.flag(row.get('is_filler', False)), stated_text(row)]

        self.book.add_table(env._("Components"), [
            *material, Column(env._("Active"), width=8), Column(env._("Declared on the label"), width=12),
            Column(env._("In the finished product"), width=12), Column(env._("Strength"), 'number'),
            Column(env._("Unit of the strength"), width=10), Column(env._("Overage"), width=12),
            Column(env._("Overage, percent"), 'number'), Column(env._("Overage, amount"), 'number'),
            Column(env._("Overage, unit"), width=10), Column(env._("Rationale for the overage"), width=40),
            Column(env._("Supplier")), Column(env._("Weighing tolerance (±)"), 'number'),
            Column(env._("Justification for the tolerance"), width=40), Column(env._("Weighing is verified"), width=12),
            Column(env._("Addition is verified"), width=12), Column(env._("Reference potency"), 'number'),
            Column(env._("Potency unit"), width=10), Column(env._("Potency basis"), width=12),
            Column(env._("Balancing filler"), width=10), Column(env._("Stated as"), width=30),
        ], [component(row) for row in self.document['components']])
        self.book.add_table(env._("By-products"), material, [cells(row) for row in self.document['by_products']])
        self.book.add_table(env._("Declared ingredients"), [
            Column(env._("Position"), 'integer'), Column(env._("Name on the label"), width=36),
            Column(env._("Dietary ingredient"), width=12), Column(env._("Code"), width=14),
            Column(env._("Component"), width=36), Column(env._("Declared amount"), 'number'), Column(env._("Unit"), width=10),
        ], [[
            row['position'], row['name'], self.flag(row['is_dietary']), (row['product'] or {}).get('code'),
            (row['product'] or {}).get('name'), (row['amount'] or {}).get('value'), (row['amount'] or {}).get('unit'),
        ] for row in self.document.get('ingredients') or []])

    def _add_stages(self):
        env = self.env

        def stage(row):
            limits = row.get('yield') or {}
            return [
                row['position'], row['name'], self.code('stage', row.get('stage')), row['work_center']['name'],
                ", ".join(self._stage(position) or str(position) for position in row['predecessors']) or None,
                row['instruction'], limits.get('theoretical'), limits.get('unit'), limits.get('minimum'),
                limits.get('maximum'), limits.get('rationale'), row.get('time_limit'), row.get('hold_time'),
                row.get('storage_conditions')]

        self.book.add_table(env._("Stages"), [
            Column(env._("Position"), 'integer'), Column(env._("Stage"), width=28), Column(env._("Kind")),
            Column(env._("Work center")), Column(env._("After stage")), Column(env._("Instruction"), width=60),
            Column(env._("Theoretical yield"), 'number'), Column(env._("Unit"), width=10),
            Column(env._("Minimum, percent"), 'number'), Column(env._("Maximum, percent"), 'number'),
            Column(env._("Rationale for the limits"), width=40), Column(env._("Time limit, h"), 'number'),
            Column(env._("Hold time, h"), 'number'), Column(env._("Environment and storage"), width=36),
        ], [stage(row) for row in self.document['operations']])
        self.book.add_table(env._("Equipment"), [
            Column(env._("Stage"), width=28), Column(env._("Position"), 'integer'), Column(env._("Equipment"), width=30),
            Column(env._("Class")), Column(env._("Preparation"), width=40),
        ], [[
            self._stage(stage['position']), row['position'], (row['equipment'] or {}).get('name'),
            (row['class'] or {}).get('name'), row['preparation'],
        ] for stage in self.document['operations'] for row in stage.get('equipment') or []])

    def _criterion_columns(self):
        env = self.env
        return [
            Column(env._("Acceptance criterion"), width=30), Column(env._("Minimum"), 'number'),
            Column(env._("Target"), 'number'), Column(env._("Maximum"), 'number'), Column(env._("Unit"), width=12)]

    def _criterion_cells(self, criterion):
        criterion = criterion or {}
        return [criterion_text(criterion), criterion.get('minimum'), criterion.get('target'), criterion.get('maximum'),
                criterion.get('unit')]

    def _add_steps(self):
        env = self.env
        steps = [(stage, step) for stage in self.document['operations'] for step in stage.get('steps') or []]
        packs = {pack['position']: pack['name'] for pack in self.document.get('packs') or []}

        def cells(stage, step):
            machine = next((row for row in stage.get('equipment') or [] if row['position'] == step['equipment']), None)
            component = self.components.get(step['component'])
            limits, sample = step['plausibility'] or {}, step['sample'] or {}
            return [
                f"{stage['position']}.{step['position']}", self._stage(stage['position']), step['name'],
                self.code('kind', step['kind']), step['instruction'], step['precaution'],
                component and component['product']['name'],
                machine and (machine['equipment'] or machine['class'] or {}).get('name'),
                self.code('execution', step['execution']), self.flag(step['is_critical']), self.flag(step['is_hold_point']),
                *self._criterion_cells(step['criterion']), limits.get('minimum'), limits.get('maximum'),
                step['corrective_action'], step.get('minimum_time'), step['time_limit'], sample.get('count'),
                sample.get('size'), sample.get('unit'), sample.get('timing'), self.code('role', sample.get('role')),
                document_label(step['method']),
                "; ".join(map(document_label, step['documents'])) or None,
                self.code('role', step['performer_role']), self.code('meaning', step['performer_meaning']),
                self.code('role', step['verifier_role']), self.code('meaning', step['verifier_meaning']),
                *_file_cells(step['picture']), packs.get(step.get('pack'))]

        self.book.add_table(env._("Steps"), [
            Column(env._("Step"), width=8), Column(env._("Stage"), width=28), Column(env._("Name"), width=36),
            Column(env._("Kind"), width=18), Column(env._("Instruction"), width=60), Column(env._("Precaution"), width=40),
            Column(env._("Component")), Column(env._("Equipment")), Column(env._("Execution"), width=12),
            Column(env._("Critical"), width=9), Column(env._("Hold point"), width=9), *self._criterion_columns(),
            Column(env._("Plausible from"), 'number'), Column(env._("Plausible to"), 'number'),
            Column(env._("Corrective action"), width=40), Column(env._("Minimum time, min"), 'number'),
            Column(env._("Time limit, min"), 'number'), Column(env._("Samples"), 'integer'),
            Column(env._("Sample size"), 'number'),
            Column(env._("Unit of the sample"), width=10), Column(env._("When sampled")), Column(env._("Sampled by")),
            Column(env._("Method"), width=30),
            Column(env._("Documents"), width=36), Column(env._("Performed by")), Column(env._("Signature of the performer")),
            Column(env._("Verified by")), Column(env._("Signature of the verifier")), Column(env._("Picture")),
            Column(env._("Picture, SHA-256"), width=66), Column(env._("Labels of the pack")),
        ], [cells(stage, step) for stage, step in steps])
        self.book.add_table(env._("Checklists"), [
            Column(env._("Step"), width=8), Column(env._("Name"), width=36), Column(env._("Position"), 'integer'),
            Column(env._("Check"), width=60), Column(env._("Mandatory"), width=12),
        ], [[
            f"{stage['position']}.{step['position']}", step['name'], row['position'], row['text'],
            self.flag(row['mandatory']),
        ] for stage, step in steps for row in step['checklist']])

    def _add_tests(self):
        env = self.env
        self.book.add_table(env._("Specifications"), [
            Column(env._("Position"), 'integer'), Column(env._("Scope"), width=18), Column(env._("Product"), width=36),
            Column(env._("Parameter"), width=30), Column(env._("Identity test"), width=10), *self._criterion_columns(),
            Column(env._("Method")), Column(env._("Method, document"), width=30),
            Column(env._("Specification, document"), width=30), Column(env._("Corrective action"), width=40),
        ], [[
            row['position'], self.code('scope', row['scope']), product_label(row['product']), row['parameter'],
            self.flag(row['is_identity']), *self._criterion_cells(row['criterion']), row['method'],
            document_label(row['method_document']), document_label(row['document']), row['corrective_action'],
        ] for row in self.document.get('specifications') or []])

    def _add_packs(self):
        env = self.env
        packs = self.document.get('packs') or []

        def cells(row):
            size, label = row['size'] or {}, row['label'] or {}
            approval = label.get('approval') or {}
            return [
                row['position'], row['name'], size.get('quantity'), size.get('unit'), row['description'],
                row['coding_position'], row['clearance'], row['checks'], document_label(label), label.get('panel'),
                label.get('claims'), label.get('location'), *_file_cells(label.get('file')), approval.get('name'),
                parse_time(approval.get('signed_at')), approval.get('signature_sha256'), row.get('packed_under')]

        self.book.add_table(env._("Packs"), [
            Column(env._("Position"), 'integer'), Column(env._("Pack"), width=28), Column(env._("Size"), 'number'),
            Column(env._("Unit"), width=10), Column(env._("Description"), width=36), Column(env._("Position of the coding")),
            Column(env._("Line clearance"), width=36), Column(env._("Checks during packaging"), width=36),
            Column(env._("Label"), width=30), Column(env._("Panel"), width=40), Column(env._("Claims"), width=40),
            Column(env._("Location of the label")), Column(env._("Label, file")), Column(env._("Label, SHA-256"), width=66),
            Column(env._("Label approved by")), Column(env._("Label approved at (UTC)"), 'datetime'),
            Column(env._("Approval of the label, SHA-256"), width=66), Column(env._("Packed under")),
        ], [cells(row) for row in packs])
        self.book.add_table(env._("Packaging materials"), [
            Column(env._("Pack"), width=28), Column(env._("Position"), 'integer'), Column(env._("Code"), width=14),
            Column(env._("Packaging material"), width=36), Column(env._("Quantity"), 'number'), Column(env._("Unit"), width=10),
        ], [[pack['name'], row['position'], row['product']['code'], row['product']['name'], row['quantity'], row['unit']]
            for pack in packs for row in pack['materials']])

    def _add_texts(self):
        env, document = self.env, self.document
        self.book.add_table(env._("References"), [
            Column(env._("Position"), 'integer'), Column(env._("Code"), width=16), Column(env._("Version"), width=10),
            Column(env._("Document"), width=44), Column(env._("Kind"), width=18), Column(env._("Purpose"), width=36),
        ], [[row['position'], row['document']['code'], row['document']['version'], row['document']['name'],
             self.code('document', row['document']['kind']), row['purpose']]
            for row in document.get('references') or []])
        self.book.add_table(env._("Further sections"), [
            Column(env._("Code"), width=16), Column(env._("Section"), width=36), Column(env._("Text"), width=60),
            Column(env._("Location")), Column(env._("File")), Column(env._("File, SHA-256"), width=66),
            Column(env._("Reason for not applicable"), width=40),
        ], [[row['code'], row['name'], row['text'], row['location'], *_file_cells(row['file']), row['not_applicable_reason']]
            for row in document.get('sections') or []])
        self.book.add_table(env._("Company requirements"), [
            Column(env._("Requirement"), width=16), Column(env._("Text"), width=60), Column(env._("Answer"), width=60),
        ], [[row['requirement'], row['text'], row['answer']] for row in document.get('answers') or []])


# === HISTORY === #

def write_history(mmr):
    """Return the spreadsheet of one MMR with all its revisions (PRD-040)."""
    env = mmr.env
    sheets = Sheets(env)
    history = env['report.mrp_mmr.report_mmr_history']._prepare_history(mmr)
    revisions = history['revisions']
    book = Workbook(
        env._("Revision history of %(number)s", number=history['number']), history['watermark'], env.user.name)
    book.add_facts(env._("MMR"), sheets.fact_labels(), [
        (env._("Number"), history['number']),
        (env._("Company"), history['company']),
        (env._("Product"), history['product']),
        (env._("Product code"), history['product_code']),
        (env._("Formulation"), history['formulation']),
        (env._("Batch size"), history['batch_size'], 'number'),
        (env._("Unit"), history['unit']),
        (env._("Profile"), history['profile']),
        (env._("Revisions"), len(revisions), 'integer'),
        (env._("Watermark"), history['watermark']),
        (env._("Made"), made_label(env)),
    ])
    book.add_table(env._("Revisions"), [
        Column(env._("Revision"), 'integer'), Column(env._("Status"), width=14), Column(env._("Category")),
        Column(env._("Reason"), width=50), Column(env._("Description"), width=50), Column(env._("Effective date"), 'date'),
        Column(env._("Effective since (UTC)"), 'datetime'), Column(env._("Effective until (UTC)"), 'datetime'),
        Column(env._("Compared with revision"), 'integer'), Column(env._("Differences"), 'integer'),
        Column(env._("Batches"), 'integer'), Column(env._("Edited by"), width=36),
        Column(env._("Content, SHA-256"), width=66), Column(env._("Differences, SHA-256"), width=66),
    ], [[
        row['revision'], row['status'], row['category'], row['reason'], row['description'], row['date_effective'],
        row['effective_at'], row['ended_at'], (row['redline']['before'] or {}).get('revision'),
        row['redline']['count'] if row['redline']['before'] else None, len(row['orders']), ", ".join(row['editors']),
        row['digest'], row['redline']['redline_sha256'],
    ] for row in revisions])
    sheets.add_signatures(book, [
        (row['revision'], signature) for row in revisions for signature in row['signatures']])
    add_differences(book, env, revisions)
    add_batches(book, env, revisions)
    add_notes(book, env, history)
    return book.close()


def add_differences(book, env, revisions):
    """Add what each revision changes of the one before."""
    kinds = {
        'added': env._("added"), 'removed': env._("removed"), 'changed': env._("changed"), 'moved': env._("moved")}
    book.add_table(env._("Differences"), [
        Column(env._("Revision"), 'integer'), Column(env._("Compared with"), 'integer'), Column(env._("Group")),
        Column(env._("Item"), width=40), Column(env._("Field"), width=30), Column(env._("Kind"), width=10),
        Column(env._("Before"), width=50), Column(env._("After"), width=50),
    ], [[
        row['revision'], row['redline']['before']['revision'], group['label'], item['label'], change['label'],
        kinds[change['kind']], change['before'], change['after'],
    ] for row in revisions for group in row['redline']['groups'] for item in group['items'] for change in item['rows']])


def add_batches(book, env, revisions):
    """Add the orders that were made by each revision."""
    book.add_table(env._("Batches"), [
        Column(env._("Revision"), 'integer'), Column(env._("Order")), Column(env._("Lot")),
        Column(env._("Quantity"), 'number'), Column(env._("Unit"), width=10), Column(env._("Status"), width=14),
        Column(env._("Start (UTC)"), 'datetime'), Column(env._("End (UTC)"), 'datetime'),
        Column(env._("Snapshot, SHA-256"), width=66),
    ], [[
        row['revision'], order['name'], order['lots'], order['quantity'], order['unit'], order['status'], order['start'],
        order['finished'], order['digest'],
    ] for row in revisions for order in row['orders']])


def add_notes(book, env, history):
    """Add what was said about the master and its revisions, in the order of time."""
    revisions = history['revisions']
    notes = [(None, message) for message in history['messages']] + [
        (row['revision'], message) for row in revisions for message in row['messages']]
    book.add_table(env._("Notes"), [
        Column(env._("Revision"), 'integer'), Column(env._("Date and time (UTC)"), 'datetime'), Column(env._("By")),
        Column(env._("Note"), width=90),
    ], [[revision, message['date'], message['author'], "\n".join(message['lines'])]
        for revision, message in sorted(notes, key=lambda note: note[1]['date'])])


# === REGISTER === #

def write_register(mmrs):
    """Return the register of MMRs, one line each."""
    env = mmrs.env
    sheets = Sheets(env)
    states = dict(env['mrp.mmr.revision']._fields['state']._description_selection(env))
    book = Workbook(env._("Register of master manufacturing records"), author=env.user.name)
    book.add_table(env._("Register"), [
        Column(env._("Number"), width=16), Column(env._("Company")), Column(env._("Product code"), width=16),
        Column(env._("Product"), width=40), Column(env._("Formulation"), width=18), Column(env._("Batch size"), 'number'),
        Column(env._("Unit"), width=10), Column(env._("Batch size in the unit of the product"), 'number'),
        Column(env._("Unit of the product"), width=10), Column(env._("Profile"), width=36),
        Column(env._("Effective revision"), 'integer'), Column(env._("Effective since (UTC)"), 'datetime'),
        Column(env._("Content, SHA-256"), width=66), Column(env._("Open revision"), 'integer'),
        Column(env._("Status of the open revision"), width=16), Column(env._("Highest revision"), 'integer'),
        Column(env._("Orders"), 'integer'), Column(env._("Archived"), width=10),
    ], [_get_register_row(mmr, sheets, states) for mmr in mmrs])
    book.add_facts(env._("About"), sheets.fact_labels(), [
        (env._("Records"), len(mmrs), 'integer'),
        (env._("Made at (UTC)"), fields.Datetime.now(), 'datetime'),
        (env._("Made"), made_label(env)),
    ])
    return book.close()


def _get_register_row(mmr, sheets, states):
    effective, opened = mmr.effective_revision_id, mmr.open_revision_id
    product = mmr.product_id.sudo().with_context(display_default_code=False)
    return [
        mmr.name, mmr.company_id.sudo().name, product.default_code or None, product.display_name, mmr.formulation_code,
        decimal_string(mmr.batch_size), mmr.uom_id.name, decimal_string(mmr.batch_size_product_uom), product.uom_id.name,
        f"{mmr.profile_id.code}: {mmr.profile_id.name}", effective.revision or None, effective.effective_at or None,
        effective.document_sha256 or None, opened.revision or None, states.get(opened.state), mmr.last_revision,
        mmr.production_count, sheets.flag(not mmr.active),
    ]
