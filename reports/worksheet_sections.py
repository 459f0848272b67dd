"""Worksheets of a batch: its steps with boxes to fill in by hand, where the system cannot be used."""

import base64

from ..domain.step_kinds import LABEL_USES, MATERIAL_USES
from ..domain.step_plan import expected_rows
from .batch_sections import BatchSections
from .document_sections import DocumentSections, text

#: Rows for the names and initials of the people who write on a worksheet.
PEOPLE = 6
#: Containers of one component for which there is a row.
CONTAINERS = 3


class WorksheetSections(BatchSections):
    """Builds the worksheets of one batch for the steps of one copy."""

    def people(self):
        """Return the table in which everybody who writes gives name and initials."""
        env = self.env
        return self._table([
            (env._("Printed name"), 40, ''), (env._("Initials"), 15, ''), (env._("Signature"), 45, ''),
        ], [[[], [], []] for _number in range(PEOPLE)])

    def steps(self, sequences):
        """Return the stages with those of their steps that are on the worksheet."""
        stages = []
        for row, steps in self.batch.stages:
            chosen = steps.filtered(lambda step: step.sequence in sequences)
            if chosen:
                stages.append({
                    'title': f"{row['position']} {row['name']}", 'instruction': text(row['instruction']),
                    'steps': [self._get_sheet(row, step) for step in chosen]})
        return stages

    def _get_sheet(self, stage, step):
        planned = self.batch.planned[step]
        equipment = {row['position']: row for row in stage.get('equipment') or []}
        code = step._get_scan_code()
        return {
            'code': step.code, 'name': planned['name'], 'scan_code': code, 'image': self._get_code_image(code),
            'planned': [[self._get_action(planned, equipment), self._get_planned_control(step, planned)]],
            'values': self._get_value_table(planned), 'points': self._get_point_table(step),
        }

    def _get_code_image(self, code):
        image = self.env['ir.actions.report'].barcode('QR', code, width=200, height=200, quiet=0, barLevel='M')
        return 'data:image/png;base64,' + base64.b64encode(image).decode()

    def _get_value_table(self, planned):
        env = self.env
        rows = [[text(label), text(value), text(unit), [], [], [], []] for label, value, unit in self._get_lines(planned)]
        return self._table([
            (env._("What"), 25, ''), (env._("Value"), 17, ''), (env._("Unit"), 8, ''), (env._("Lot, equipment"), 16, ''),
            (env._("Date, time"), 13, ''), (env._("Initials"), 8, ''), (env._("Verified by, date, time"), 13, ''),
        ], rows)

    def _get_lines(self, planned):
        """Return label, printed part of the value and unit of each line to fill in."""
        env = self.env
        box = DocumentSections.check_box
        conforms = env._("%(box)s conforms\n%(box)s does not", box=box)
        lines = [(env._("Precaution read"), env._("%s yes", box), None)] if planned['precaution'] else []
        for row in expected_rows(planned):
            kind, label = self.entry_kinds[row['kind']], row['label']
            if row['kind'] in ('check', 'outcome'):
                lines.append((label, conforms, None))
            elif row['kind'] == 'weight':
                lines += [(env._("%(component)s, container %(number)s", component=label, number=number), None, row['unit'])
                          for number in range(1, CONTAINERS + 1)]
            elif row['kind'] == 'labels':
                figures = self.label_figures()
                lines += [(f"{label}: {figures[name]}", None, None)
                          for name in ('version', 'issued', *LABEL_USES, 'finished')]
            elif row['kind'] == 'material':
                lines += [(f"{label}: {self.label_figures()[use]}", None, row['unit']) for use in MATERIAL_USES]
            else:
                lines.append((f"{kind}: {label}" if label else kind, None, row['unit']))
        return [*lines, (env._("Remarks, deviations"), None, None)]

    def _get_point_table(self, step):
        env = self.env
        return self._table([
            (env._("Signature"), 25, ''), (env._("Printed name"), 30, ''), (env._("Signature or initials"), 22, ''),
            (env._("Date, time"), 23, ''),
        ], [[text(self.points[point]), [], [], []] for point in step.points])
