"""What is open before a batch can be reviewed, released or rejected, each with its rule (REL-020)."""

from odoo import api, models

from ...domain.batch_states import DECIDED
from ...domain.step_states import CLOSED


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    # === WHAT IS OPEN === #

    def _get_release_issues(self, purpose='release'):
        """Return what is open or unmet in these batches, whatever the subject (REL-030).

        Queries do not grow with the batches. A subject is a method of its own, which yields pairs of batch and issue.

        :param str purpose: ``review``, ``produce``, ``certify``, ``release`` or ``release_packed``; a review is not kept
            from looking at what only a rejection can settle
        :return: dict of batches to lists of dicts of ``code``, ``rule``, ``text``, ``model`` and ``id``
        """
        issues = {bpr: [] for bpr in self}
        for bpr, issue in self._iterate_release_issues(purpose):
            issues[self.browse(bpr.id)].append(issue)
        return issues

    def _iterate_release_issues(self, purpose):
        yield from self._iterate_content_issues(purpose)
        if purpose != 'produce':
            yield from self._get_release_issues_of_samples(purpose)
            yield from self._get_release_issues_of_device(purpose)
            yield from self._get_release_issues_of_signatures(purpose)

    def _iterate_content_issues(self, purpose):
        """Yield what is open of the record itself, without what only the digests of a single batch tell."""
        yield from self._get_release_issues_of_record(purpose)
        yield from self._get_release_issues_of_steps(purpose)
        yield from self._get_release_issues_of_entries(purpose)
        yield from self._get_release_issues_of_yields(purpose)
        if purpose == 'produce':
            # Production answers for what was made; what follows is for Quality Control.
            return
        yield from self._get_release_issues_of_tests(purpose)
        yield from self._get_release_issues_of_deviations(purpose)
        yield from self._get_release_issues_of_lots(purpose)

    @api.model
    def _prepare_issue(self, record, code, rule, text, action=None):
        """Return one open item; a click on it leads to ``record``, or opens the dialog ``action`` that settles it."""
        return {'code': code, 'rule': rule, 'text': text, 'model': record._name, 'id': record.id,
                **({'action': action} if action else {})}

    def _get_release_issues_of_record(self, purpose):
        for bpr in self.sudo():
            if bpr.state != 'done':
                yield bpr, self._prepare_issue(
                    bpr, 'completed', "REL-030, 21 CFR 111.123(b)", self.env._("the batch is not completed"))
            if bpr.production_id.mmr_decision == 'stop':
                yield bpr, self._prepare_issue(
                    bpr.production_id, 'stopped', "REV-060", self.env._("Quality Control stopped the order"))
            elif bpr.production_id.mmr_decision == 'pending':
                yield bpr, self._prepare_issue(
                    bpr.production_id, 'pending', "REV-060, 21 CFR 111.255(c), EU GMP 4.5",
                    self.env._("Quality Control has not decided whether the order continues or stops"))

    def _get_release_issues_of_steps(self, purpose):
        for step in self.env['mrp.bpr.step'].sudo().search([('bpr_id', 'in', self.ids), ('state', 'not in', CLOSED)]):
            yield step.bpr_id, self._prepare_issue(
                step, 'step', "REL-030, 21 CFR 111.123(b)(1), 211.188(b)",
                self.env._("step %(step)s: %(state)s", step=step.display_name, state=step._get_state_label()))

    def _get_release_issues_of_entries(self, purpose):
        domain = [('bpr_id', 'in', self.ids)]
        for entry in self.env['mrp.bpr.entry'].sudo().search([*domain, ('to_sign', '=', True)]).filtered('is_proposed'):
            yield entry.bpr_id, self._prepare_issue(
                entry, 'entry', "REL-030, AUD-020, 21 CFR 11.10(e)",
                self.env._("step %(step)s: an entry waits for its signature", step=entry.step_id.display_name))
        for copy in self.env['mrp.bpr.copy'].sudo().search([*domain, ('void_at', '=', False)]):
            if copy.state == 'open':
                yield copy.bpr_id, self._prepare_issue(
                    copy.bpr_id, 'copy', "REL-030, BPR-200, 21 CFR 111.260, EU GMP 4.8",
                    self.env._("worksheets %s did not come back", copy.display_name))
        for row in self.env['mrp.bpr.transcription'].sudo().search([*domain, ('state', '=', 'open')]):
            yield row.bpr_id, self._prepare_issue(
                row, 'transcription', "REL-030, BPR-110, EU GMP 4.8",
                self.env._("step %(step)s: a transcription is not verified", step=row.step_id.display_name))

    def _get_release_issues_of_yields(self, purpose):
        """Yields and reconciliations, also of a step that was left out: the figure is recorded late (BPR-070, IPC-050)."""
        kinds = {'yield': "BPR-070, 21 CFR 111.260(f), 211.188(b)(7)", 'label': "BPR-120, 21 CFR 111.260(k), 211.125(c)",
                 'material': "PKG-010, BPR-120, 21 CFR 111.260(k)(1), 111.415, 211.130"}
        steps = self.env['mrp.bpr.step'].sudo().search([
            ('bpr_id', 'in', self.ids), ('kind', 'in', list(kinds)), ('state', 'in', CLOSED)])
        recorded = steps.entry_ids.filtered(
            lambda entry: entry.kind in ('yield', 'labels', 'material'))._get_current().step_id
        for step in steps - recorded:
            yield step.bpr_id, self._prepare_issue(
                step, 'reconciliation', kinds[step.kind], self.env._("step %s has no figure", step.display_name))

    def _get_release_issues_of_tests(self, purpose):
        texts = {
            'missing': self.env._("test %s has no result"),
            'waiting': self.env._("the result of %s is not approved"),
            'fail': self.env._("%s is out of specification"),
        }
        for bpr, tests in self._get_tests().items():
            for test in tests:
                if test['state'] in texts and (test['state'] != 'fail' or purpose != 'review'):
                    yield bpr, self._prepare_issue(
                        test['result'] or bpr, f"test_{test['state']}",
                        "BPR-090, BPR-100, REL-030, 21 CFR 111.123(b)(2), 211.165",
                        texts[test['state']] % test['specification']['parameter'])

    def _get_release_issues_of_deviations(self, purpose):
        for deviation in self.env['mrp.deviation'].sudo().search([('bpr_id', 'in', self.ids)], order='id'):
            if deviation.state != 'closed':
                yield deviation.bpr_id, self._prepare_issue(
                    deviation, 'deviation', "REL-030, DEV-020, 21 CFR 111.123(b)(3), 211.192",
                    self.env._("deviation %(name)s: %(title)s", name=deviation.name, title=deviation.title))
            elif purpose != 'review' and deviation.disposition == 'reject':
                yield deviation.bpr_id, self._prepare_issue(
                    deviation, 'disposition', "DEV-040, DEV-050, 21 CFR 111.77, 211.165(f)",
                    self.env._("%s was decided as rejected", deviation.name))

    def _get_release_issues_of_lots(self, purpose):
        """Lots of the batch itself, and of components that were withdrawn since (DEV-050, 21 CFR 111.77(b))."""
        entries = self.env['mrp.bpr.entry'].sudo().search([
            ('bpr_id', 'in', self.ids), ('kind', 'in', ('weight', 'material')), ('lot_id.mmr_status', '=', 'rejected')])
        found = set()
        for entry in entries._get_current():
            if (entry.bpr_id, entry.lot_id) not in found and purpose != 'review':
                found.add((entry.bpr_id, entry.lot_id))
                yield entry.bpr_id, self._prepare_issue(
                    entry.lot_id, 'component', "DEV-050, 21 CFR 111.77(b), 211.84(e)",
                    self.env._("component lot %(lot)s of %(product)s is rejected", lot=entry.lot_id.name,
                               product=entry.lot_id.product_id.display_name))
        for bpr in self.sudo().filtered(lambda bpr: bpr.state == 'done'):
            if not bpr._get_own_lots():
                yield bpr, self._prepare_issue(
                    bpr, 'lot', "BPR-020, 21 CFR 111.260(a)", self.env._("the batch has no lot"))
        if purpose in ('release', 'release_packed'):
            yield from self._get_release_issues_of_related()

    def _get_release_issues_of_related(self):
        """Open grave deviations of other batches, or of a lot, that concern what these batches made (DEV-100)."""
        for lot, deviations in self.sudo().lot_ids._mmr_get_concerning().items():
            for deviation in deviations.filtered(lambda row, bpr=lot.mmr_bpr_id: row.bpr_id != bpr):
                yield lot.mmr_bpr_id, self._prepare_issue(
                    deviation, 'related', "DEV-100, DEV-070, 21 CFR 111.113, 211.192",
                    self.env._("deviation %(name)s may concern this batch: %(title)s", name=deviation.name,
                               title=deviation.title))

    def _get_release_issues_of_samples(self, purpose):
        return iter(())

    def _get_release_issues_of_device(self, purpose):
        return iter(())

    def _get_release_issues_of_signatures(self, purpose):
        """Signatures that come before what is to be signed (BPR-130, AUD-050, REL-040)."""
        for bpr in self:
            if purpose in ('review', 'certify', 'release') and bpr._needs('production_signature'):
                yield from bpr._get_production_issues(purpose)
            if purpose == 'review':
                continue
            if not bpr.review_signature_id:
                yield bpr, self._prepare_issue(
                    bpr, 'review', "AUD-050, BPR-130, 21 CFR 111.260(l)(1)",
                    self.env._("the record and its audit trail are not reviewed"))
            elif bpr.release_state not in DECIDED and (
                    bpr._is_reviewed_before_production() or not bpr._is_review_current()):
                yield bpr, self._prepare_issue(
                    bpr, 'review_void', "AUD-050, SIG-030, 21 CFR 11.70",
                    self.env._("the record changed since it was reviewed"))
            if purpose == 'release' and bpr._needs_certification() and not bpr.certification_signature_id:
                yield bpr, self._prepare_issue(
                    bpr, 'certification', "REL-040, EU GMP Annex 11 §15",
                    self.env._("the Qualified Person has not certified the batch"))
            if purpose == 'release_packed' and bpr.release_state != 'released':
                yield bpr, self._prepare_issue(
                    bpr, 'batch', "BPR-130, 21 CFR 111.123(a)(8), 111.127(h)", self.env._("the batch is not released"))

    def _get_production_issues(self, purpose):
        """Production signs before Quality Control reviews; a record that was reviewed before keeps its review (BPR-130)."""
        self.ensure_one()
        signature = self.sudo().production_signature_id
        if not signature or purpose == 'review' and signature.basis_signature_id:
            yield self, self._prepare_issue(
                self, 'production', "BPR-130, EU GMP 4.20(i)", self.env._("the production responsible has not signed"))
        elif self.release_state not in DECIDED and not self._is_production_signature_current():
            yield self, self._prepare_issue(
                self, 'production', "BPR-130, SIG-030, EU GMP 4.20(i), 21 CFR 11.70",
                self.env._("the record changed since the production responsible signed"))
