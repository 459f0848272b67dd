"""Content and digests of a batch record agree, at completion, review and release (REL-070, AUD-080, 21 CFR 11.10(a), (c))."""

from collections import Counter

from odoo import models

from ...domain.canonical import canonical_json, sha256
from ...domain.refusals import refusal
from ...domain.step_plan import get_points

RULE = "AUD-080, REL-030, USE-030, 21 CFR 11.10(a), (c), 11.70"
#: Columns of a step that say what its plan says, and where the plan says it.
PLANNED_COLUMNS = ('name', 'kind', 'performer_role', 'verifier_role', 'is_critical', 'is_hold_point')


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    def _get_column_differences(self, number):
        """Return the names of the columns of this step that differ from its plan.

        :param int number: its place among the steps of its stage
        """
        self.ensure_one()
        planned = self.planned
        found = [name for name in PLANNED_COLUMNS if (self[name] or None) != (planned[name] or None)]
        if self.stage != planned['stage']['position']:
            found.append('stage')
        if self.number != number:
            found.append('number')
        found += [name for name in ('production_id', 'company_id') if self[name] != self.bpr_id[name]]
        if list(self.points or ()) != get_points(planned):
            found.append('points')
        return found

    def _get_newest_signatures(self):
        """Return the newest signature of each of these steps that has one."""
        return self.env['mrp.esignature'].sudo().union(*((
            step.performed_signature_id | step.verified_signature_id | step.added_signature_id
            | step.addition_verified_signature_id | step.hold_signature_id).sorted('id')[-1:] for step in self.sudo()))

    def _get_changed_entries(self, documents):
        """Return the numbers of entries that are not what the newest signature of this step was given for.

        :param dict documents: what each entry of the batch says now, by its id
        """
        self.ensure_one()
        changed = []
        for signed in (self._get_newest_signatures().content or {}).get('entries') or ():
            now = documents.get(signed['id']) or {}
            # What later versions say in addition was not signed.
            if canonical_json({name: now.get(name) for name in signed}) != canonical_json(signed):
                changed.append(signed['id'])
        return changed


class MrpBpr(models.Model):
    """PostgreSQL keeps each column from being changed; here it shows where somebody had taken its guards away."""
    _inherit = 'mrp.bpr'

    def _get_integrity_problems(self):
        """Return what is not what its digest or its signature says, as sentences by batch."""
        steps = self.sudo().step_ids.with_prefetch()
        # What is not read with its record, for all of them at once.
        steps.fetch(['planned'])
        steps._get_newest_signatures().fetch(['content'])
        return {bpr: list(bpr.sudo()._iterate_integrity_problems()) for bpr in self}

    def _iterate_integrity_problems(self):
        order, steps = self.production_id, self.step_ids.sorted('sequence').with_prefetch()
        snapshot = order.mmr_snapshot or {}
        if self.disposal_id:
            return
        if sha256(snapshot.get('document')) != snapshot.get('document_sha256') \
                or snapshot.get('document_sha256') != self.mmr_revision_id.document_sha256:
            yield self.env._("the document of its master is not what was signed")
        if sha256(snapshot) != order.mmr_snapshot_sha256:
            yield self.env._("the snapshot of its order is not what was released")
        if sha256([step.planned for step in steps]) != self.plan_sha256 or len(steps) != self.step_count:
            yield self.env._("its steps are not what was planned")
        if (self.product_id, self.company_id, self.mmr_revision_id) != (
                order.product_id, order.company_id, order.mmr_revision_id):
            yield self.env._("product, company or revision is not that of its order")
        if [step.sequence for step in steps] != list(range(1, len(steps) + 1)):
            yield self.env._("its steps are not in their order")
        documents = {entry.id: entry._get_document() for entry in steps.entry_ids.with_prefetch()}
        numbers = Counter()
        for step in steps:
            position = step.planned['stage']['position']
            numbers[position] += 1
            columns = step._get_column_differences(numbers[position])
            if columns:
                yield self.env._("step %(step)s: %(columns)s not as planned", step=step.planned['name'],
                                 columns=', '.join(columns))
            changed = step._get_changed_entries(documents)
            if changed:
                yield self.env._("step %(step)s: entries %(entries)s are not as they were signed", step=step.planned['name'],
                                 entries=', '.join(map(str, changed)))
            if step.state in ('done', 'not_done') and not step.closed_at:
                yield self.env._("step %s has no time at which it was closed", step.planned['name'])

    def _check_complete(self):
        super()._check_complete()
        for bpr, rows in self._get_integrity_problems().items():
            if rows:
                raise refusal(
                    self.env, self.env._("%(bpr)s is not what was signed:\n%(rows)s", bpr=bpr.name,
                                         rows='\n'.join(f"• {row}" for row in rows[:30])), RULE,
                    self.env._("verify the database, restore what was changed and open a deviation."), record=bpr)

    def _iterate_release_issues(self, purpose):
        yield from super()._iterate_release_issues(purpose)
        for bpr, rows in self._get_integrity_problems().items():
            for row in rows:
                yield bpr, self._prepare_issue(bpr, 'integrity', RULE, row)
