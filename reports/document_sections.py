"""The content of a frozen document as sections, facts and tables of a print.

A section is a dict of ``title``, ``facts`` (rows of label and cell), ``tables`` and ``notes``; a cell is a list of
paragraphs (see :func:`text`). Documents of schema 1 lack most keys: what a document does not say has no section.
"""

from ..domain import wording
from ..domain.criterion import criterion_text, overage_text, stated_text, time_text

#: Widths of facts: label and value.
FACTS = (22, 78)
#: Characters of a label, and of a value, that take half a line of a compact print.
SHORT_LABEL, SHORT_VALUE = 34, 42


def text(value, label=None, style=None, bold=False):
    """Return the paragraphs of one value: its lines as they were typed, the first with its label."""
    if value is None or value is False or value == '':
        return []
    lines = str(value).splitlines() or ['']
    return [{'text': line or '\u00a0', 'label': label if not number else None, 'style': style, 'bold': bold}
            for number, line in enumerate(lines)]


def moment(value):
    """Return a time of a document, as ISO 8601 in UTC, as people read it."""
    return value and value.replace('T', ' ').replace('Z', ' UTC')


def image(source, name):
    return [{'image': source, 'text': name}]


def measure(content, key='value'):
    """Return quantity and unit of a part of the document, or None."""
    if not content or content.get(key) is None:
        return None
    return f"{content[key]} {content.get('unit') or ''}".strip()


def product_label(content):
    """Return code and name of a product."""
    if not content:
        return None
    return f"[{content['code']}] {content['name']}" if content.get('code') else content['name']


def document_label(content):
    """Return code, version and name of a controlled document or a label."""
    if not content:
        return None
    version = content.get('version')
    return ' '.join(str(part) for part in (
        content.get('code'), f"v{version}" if version not in (None, '') else None, content.get('name')) if part)


def pair_facts(facts):
    """Return facts as the rows of a compact print: two short ones, or a longer one by itself."""
    rows = []
    for fact in facts:
        if rows and len(rows[-1]) == 1 and _is_short(fact) and _is_short(rows[-1][0]):
            rows[-1].append(fact)
        else:
            rows.append([fact])
    return rows


def _is_short(fact):
    label, cell = fact
    return len(label) <= SHORT_LABEL and len(cell) == 1 and 'image' not in cell[0] and len(
        ' '.join(filter(None, (cell[0].get('label'), cell[0].get('text'))))) <= SHORT_VALUE


class DocumentSections:
    """Builds the sections of one document.

    :param env: for the language of the reader
    :param dict document: frozen document, schema 1 or 2
    :param dict images: source of the image by digest of its file, for the files that are images
    """

    #: What stands before each row of a checklist.
    check_box = "[   ]"

    def __init__(self, env, document, images=None):
        self.env = env
        self.document = document
        self.images = images or {}
        self.codes = wording.code_labels(env)
        self.components_by_position = {row['position']: row for row in document['components']}

    # === PIECES === #

    def _code(self, kind, value):
        return value and self.codes[kind].get(value, value)

    def _flag(self, value):
        return None if value is None else self.codes['flag']['yes' if value else 'no']

    def _section(self, title, facts=(), tables=(), notes=()):
        """Return a section, or None where it is empty."""
        facts = [row for row in facts if row[1]]
        tables = [table for table in tables if table]
        if not (facts or tables or notes):
            return None
        return {'title': title, 'facts': facts, 'tables': tables, 'notes': list(notes)}

    def _table(self, columns, rows, title=None, style=None):
        """Return a table of ``(label, width, class)`` columns, or None where it has no row.

        :param str style: class of the whole table
        """
        return {'title': title, 'columns': columns, 'rows': rows, 'style': style} if rows else None

    def _yield_facts(self, content):
        if not content:
            return []
        env = self.env
        band = None
        if content.get('minimum') is not None or content.get('maximum') is not None:
            band = env._("%(minimum)s – %(maximum)s %% of theoretical",
                         minimum=content.get('minimum'), maximum=content.get('maximum'))
        return [
            (env._("Theoretical yield"), text(measure(content, 'theoretical'), bold=True)),
            (env._("Acceptable yield"), text(band, bold=True)),
            (env._("Rationale for the limits"), text(content.get('rationale'))),
        ]

    def _file(self, content, label):
        """Return the paragraphs of a file: its image where it is one, its name, size and digest."""
        if not content:
            return []
        source = self.images.get(content['sha256'])
        parts = image(source, content['name']) if source else []
        return [*parts, *text(content['name'], label), *text(self.env._(
            "%(mimetype)s, %(size)s bytes, SHA-256", mimetype=content.get('mimetype'), size=content.get('size')),
            style='o_label'), *text(content['sha256'], style='o_digest')]

    # === SECTIONS === #

    def identity(self):
        env = self.env
        identity = self.document.get('identity') or {}
        strengths = [row for row in self.document['components'] if row.get('strength')]
        return self._section(env._("Identity and Strength"), [
            (env._("Description"), text(identity.get('description'))),
            (env._("Dosage form"), text(identity.get('dosage_form'))),
            (env._("Weight of a dosage unit"), text(measure(identity.get('dosage_unit_weight')))),
        ], [self._table(
            [(env._("Ingredient"), 60, ''), (env._("Strength in a dosage unit"), 40, '')],
            [[text(product_label(row['product'])), text(measure(row['strength']), bold=True)] for row in strengths])])

    def rationale(self):
        return self._section(
            self.env._("Why the In-process Specifications Assure the Product"),
            notes=text(self.document.get('process_rationale')))

    def components(self):
        """What the table of components has no place for: overage, handling."""
        env = self.env
        stated = [row for row in self.document['components'] if row.get('overage')]
        known = [row for row in self.document['components'] if 'is_active' in row]
        return self._section(None, tables=[
            self._table(
                [(env._("Position"), 9, ''), (env._("Component"), 31, ''), (env._("Overage"), 20, ''),
                 (env._("Rationale for the overage"), 40, '')],
                [[text(row['position']), text(row['product']['name']), text(self._overage(row['overage']), bold=True),
                  text(row['overage'].get('rationale'))] for row in stated],
                env._("Overage")),
            self._table(
                [(env._("Position"), 9, ''), (env._("Component"), 25, ''), (env._("Role in the product"), 27, ''),
                 (env._("Supplier"), 15, ''), (env._("Weighing"), 24, '')],
                [[text(row['position']), text(row['product']['name']), self._get_use(row),
                  text(row['supplier'] and row['supplier']['name']),
                  self._get_weighing(row)] for row in known],
                env._("Use, Supplier and Weighing")),
        ])

    def _overage(self, overage):
        return self._code('overage', overage_text(overage))

    def _get_use(self, row):
        env = self.env
        return text(", ".join((
            env._("active") if row['is_active'] else env._("not active"),
            env._("declared on the label") if row['is_declared'] else env._("not declared on the label"),
            env._("in the finished product") if row['in_product'] else env._("not in the finished product"))))

    def _get_weighing(self, row):
        env = self.env
        return [
            *text(stated_text(row), bold=True),
            *text(env._("tolerance ± %(tolerance)s %(unit)s", tolerance=row['tolerance'], unit=row['unit'])
                  if row['tolerance'] not in (None, '0') else None),
            *text(row['tolerance_justification']),
            *text(", ".join((
                env._("weighing verified") if row['weighing_verified'] else env._("weighing not verified"),
                env._("addition verified") if row['addition_verified'] else env._("addition not verified")))),
            *text(self._get_assay(row)),
        ]

    def _get_assay(self, row):
        """Return how the target of a component depends on the lots, or None."""
        env, assay = self.env, row.get('assay')
        if assay:
            return env._("adjusted to the assay of the lot: target × %(reference)s %(unit)s (%(basis)s) ÷ potency",
                         reference=assay['reference'], unit=assay['unit'], basis=self._code('basis', assay['basis']))
        return env._("balancing filler of the adjusted components") if row.get('is_filler') else None

    def ingredients(self):
        env = self.env
        rows = self.document.get('ingredients') or []

        def part(title, dietary):
            # An amount is declared for dietary ingredients; where another one has it, it is printed too.
            chosen = [row for row in rows if bool(row.get('is_dietary')) == dietary]
            with_amount = any(row.get('amount') for row in chosen)
            columns = [(env._("Name on the label"), 40, ''), (env._("Component"), 35 if with_amount else 60, '')]
            if with_amount:
                columns.append((env._("Declared amount"), 25, ''))
            return self._table(columns, [
                [text(row['name']), text(product_label(row.get('product'))),
                 *([text(measure(row.get('amount')), bold=True)] if with_amount else [])] for row in chosen], title)

        return self._section(env._("Declaration of Ingredients"), tables=[
            part(env._("Dietary Ingredients"), True), part(env._("Other Ingredients"), False)])

    def final_yield(self):
        return self._section(self.env._("Yield at the End of Manufacture"), self._yield_facts(self.document.get('yield')))

    def stage_facts(self, operation):
        env = self.env

        def hours(value):
            return None if value is None else env._("%s h", value)

        return [row for row in (
            (env._("Kind of stage"), text(self._code('stage', operation.get('stage')))),
            (env._("Environment and storage"), text(operation.get('storage_conditions'))),
            (env._("Time limit"), text(hours(operation.get('time_limit')))),
            (env._("Hold time until the next stage"), text(hours(operation.get('hold_time')))),
            *self._yield_facts(operation.get('yield')),
        ) if row[1]]

    def stage_equipment(self, operation):
        env = self.env
        rows = operation.get('equipment') or []
        # Named equipment or its class is enough: the column that nobody filled in is left out.
        names = [(key, label) for key, label in (('equipment', env._("Equipment")), ('class', env._("Class")))
                 if any(row[key] for row in rows)]
        return self._table(
            [(env._("Position"), 9, ''), *((label, 56 // len(names), '') for _key, label in names),
             (env._("Preparation"), 35, '')] if names else [],
            [[text(row['position']), *(text(row[key] and row[key]['name']) for key, _label in names),
              text(row['preparation'])] for row in rows])

    def stage_steps(self, operation):
        env = self.env
        equipment = {row['position']: row for row in operation.get('equipment') or []}
        return self._table(
            [(env._("Step"), 8, ''), (env._("What is done"), 50, ''), (env._("Limits, checks and signatures"), 42, '')],
            [[text(f"{operation['position']}.{step['position']}", style='o_step'), self._get_action(step, equipment),
              self._get_control(step)] for step in operation.get('steps') or []])

    def _get_action(self, step, equipment, named=True):
        """Return what is done at a step; ``named`` where nothing above says its name."""
        env = self.env
        component = self.components_by_position.get(step.get('component'))
        machine = equipment.get(step.get('equipment'))
        pack = next((row for row in self.document.get('packs') or [] if row['position'] == step.get('pack')), None)
        kind = self._code('kind', step.get('kind'))
        if step.get('execution'):
            kind = f"{kind} · {self._code('execution', step['execution'])}"
        marks = [label for label, is_marked in (
            (env._("CRITICAL"), step.get('is_critical')), (env._("HOLD POINT"), step.get('is_hold_point'))) if is_marked]
        picture = step.get('picture')
        return [
            *text(step['name'] if named else None, bold=True),
            *text(kind, style='o_label'),
            *([{'marks': marks}] if marks else []),
            *text(step.get('precaution'), env._("Precaution"), style='o_precaution'),
            *text(step.get('instruction'), style='o_line'),
            *text(component and self._get_component_label(component), env._("Component")),
            *text(pack and pack['name'], env._("Labels of the pack")),
            *text(machine and (machine['equipment'] or machine['class'] or {}).get('name'), env._("Equipment")),
            *(part for row in step.get('checklist') or [] for part in text(
                f"{self.check_box} {row['text']}" if row.get('mandatory') else env._(
                    "%(box)s %(text)s (not mandatory)", box=self.check_box, text=row['text']))),
            *(part for row in step.get('documents') or [] for part in text(document_label(row), env._("Document"))),
            *self._file(picture, env._("Picture")),
        ]

    def _get_component_label(self, row):
        return f"{row['position']} {row['product']['name']}, {row['quantity']} {row['unit']}"

    def _get_control(self, step):
        env = self.env
        limits = step.get('plausibility') or {}
        sample = step.get('sample') or {}

        def signer(role, meaning):
            role, meaning = self._code('role', step.get(role)), self._code('meaning', step.get(meaning))
            return f"{role} ({meaning})" if role and meaning else role

        plausible = None
        if limits.get('minimum') is not None or limits.get('maximum') is not None:
            plausible = f"{limits.get('minimum') or ''} – {limits.get('maximum') or ''}".strip()
        return [
            *text(criterion_text(step.get('criterion')), env._("Acceptance criterion"), bold=True),
            *text(plausible, env._("Plausible values")),
            *text(document_label(step.get('method')), env._("Method")),
            *text(sample and f"{sample.get('count')} × {measure(sample, 'size') or ''}".strip() or None, env._("Sample")),
            *text(sample.get('timing'), env._("When")),
            *text(self._code('role', sample.get('role')), env._("Sampled by")),
            *text(time_text(step, 'minimum_time'), env._("Minimum time")),
            *text(time_text(step, 'time_limit'), env._("Time limit")),
            *text(step.get('corrective_action'), env._("Corrective action")),
            *text(signer('performer_role', 'performer_meaning'), env._("By")),
            *text(signer('verifier_role', 'verifier_meaning'), env._("Verified by")),
        ]

    def specifications(self):
        env = self.env
        rows = self.document.get('specifications') or []
        titles = {
            'component': env._("Components"), 'packaging': env._("Packaging"), 'label': env._("Labels"),
            'product': env._("Finished Product")}
        known = [*titles, *sorted({row['scope'] for row in rows} - titles.keys())]
        return self._section(env._("Specifications"), tables=[
            self._get_specifications(titles.get(scope, scope), [row for row in rows if row['scope'] == scope])
            for scope in known])

    def _get_specifications(self, title, rows):
        env = self.env
        columns = [
            (env._("Parameter"), 17, ''), (env._("Acceptance criterion"), 31, ''), (env._("Method and documents"), 33, '')]
        cells = [[
            [*text(row['parameter'], bold=True), *text(env._("identity test") if row.get('is_identity') else None)],
            [*text(criterion_text(row['criterion']), bold=True),
             *text(row.get('corrective_action'), env._("Corrective action"))],
            [*text(row.get('method')), *text(document_label(row.get('method_document')), env._("Method")),
             *text(document_label(row.get('document')), env._("Specification"))],
        ] for row in rows]
        if any(row.get('product') for row in rows):
            columns.insert(0, (env._("Scope"), 19, ''))
            for row, line in zip(rows, cells, strict=True):
                line.insert(0, text(product_label(row.get('product'))))
        return self._table(columns, cells, title)

    def packs(self):
        """Return one section with a part for each pack."""
        env = self.env
        parts = [self._get_pack(row) for row in self.document.get('packs') or []]
        return {'title': env._("Packaging and Label"), 'facts': [], 'tables': [], 'notes': [], 'parts': parts} \
            if parts else None

    def _get_pack(self, row):
        env = self.env
        label = row.get('label') or {}
        approval = label.get('approval') or {}
        return {
            'title': row['name'], 'notes': [],
            'facts': [fact for fact in (
                (env._("Size"), text(measure(row.get('size'), 'quantity'))),
                (env._("Packed under"), text(row.get('packed_under'))),
                (env._("Description"), text(row.get('description'))),
                (env._("Position of the coding"), text(row.get('coding_position'))),
                (env._("Line clearance"), text(row.get('clearance'))),
                (env._("Checks during packaging"), text(row.get('checks'))),
                (env._("Label"), text(document_label(label), bold=True)),
                (env._("Panel"), text(label.get('panel'))),
                (env._("Claims"), text(label.get('claims'))),
                (env._("Location of the label"), text(label.get('location'))),
                (env._("Label, file"), self._file(label.get('file'), None)),
                (env._("Approval of the label"), [
                    *text(approval and f"{approval['name']}, {moment(approval['signed_at'])}" or None),
                    *text(approval.get('signature_sha256'), style='o_digest')]),
            ) if fact[1]],
            'tables': [table for table in [self._table(
                [(env._("Position"), 9, ''), (env._("Code"), 17, ''), (env._("Packaging material"), 44, ''),
                 (env._("Quantity"), 18, 'o_number'), (env._("Unit"), 12, '')],
                [[text(item['position']), text(item['product'].get('code')), text(item['product']['name']),
                  text(item['quantity']), text(item['unit'])] for item in row.get('materials') or []])] if table],
        }

    def references(self):
        env = self.env
        return self._section(env._("Referenced Documents"), tables=[self._table(
            [(env._("Code"), 16, ''), (env._("Version"), 9, ''), (env._("Document"), 32, ''), (env._("Kind"), 18, ''),
             (env._("Purpose"), 25, '')],
            [[text(row['document']['code']), text(row['document']['version']), text(row['document']['name']),
              text(self._code('document', row['document'].get('kind'))), text(row.get('purpose'))]
             for row in self.document.get('references') or []])])

    def sections(self):
        env = self.env
        return self._section(env._("Further Sections"), tables=[self._table(
            [(env._("Section"), 27, ''), (env._("Content"), 73, '')],
            [[[*text(row['name'], bold=True), *text(row['code'], style='o_label')],
              [*text(row.get('text')), *self._file(row.get('file'), env._("File")),
               *text(row.get('location'), env._("Location")),
               *text(row.get('not_applicable_reason'), env._("Reason for not applicable"))]]
             for row in self.document.get('sections') or []])])

    def reviewers(self):
        env = self.env
        return self._section(env._("Reviewed before Approval by"), tables=[self._table(
            [(env._("Review"), 50, ''), (env._("Role"), 50, '')],
            [[text(row['name']), text(row['role'])] for row in self.document.get('reviewers') or []])])

    def answers(self):
        env = self.env
        return self._section(env._("Requirements of the Company"), tables=[self._table(
            [(env._("Requirement"), 14, ''), (env._("Text"), 43, ''), (env._("Answer"), 43, '')],
            [[text(row['requirement']), text(row['text']), text(row['answer'])]
             for row in self.document.get('answers') or []])])
