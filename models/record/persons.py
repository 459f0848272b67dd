"""Who took part in what, from what people wrote as well as from what they signed (VER-100, REL-020)."""

from odoo import models
from odoo.tools import SQL

from ...domain.refusals import refusal

RULE = "VER-100, REL-020, 21 CFR 111.12(b), 211.22(a), 211.194(a)(8)"


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    def _get_performers(self):
        """Return the users who did these steps: the authors of their entries, and those who signed them as performed or added.

        Also held in guards/_persons.sql (mrp_mmr_performed).
        """
        steps = self.sudo()
        # Each field by itself: of a union PostgreSQL would be asked step by step.
        return steps.entry_ids.user_id | steps.performed_signature_id.user_id | steps.added_signature_id.user_id


class MrpBprResult(models.Model):
    _inherit = 'mrp.bpr.result'

    def _get_authors(self):
        """Return the users who entered these results, or what they correct."""
        found = results = self.sudo()
        while found.supersedes_id:
            found = found.supersedes_id
            results |= found
        return results.user_id


class MrpBpr(models.Model):
    """Also held in guards/mrp_bpr.sql, guards/mrp_bpr_result.sql and guards/stock_lot.sql."""
    _inherit = 'mrp.bpr'

    def _get_participants(self):
        """Return the users who took part in making this batch: wrote in its record, performed or verified.

        Also held in guards/_persons.sql (mrp_mmr_took_part).
        """
        self.ensure_one()
        return self._group_participants()[self]

    def _group_participants(self):
        """Return the users who took part in making each of these batches: a dict from batches, by one query."""
        users = self.env['res.users'].sudo()
        found = {bpr.id: set() for bpr in self}
        if self:
            for model in ('mrp.bpr.entry', 'mrp.bpr.step', 'mrp.esignature'):
                self.env[model].flush_model()
            for bpr_id, user_id in self.env.execute_query(SQL(
                    """SELECT e.bpr_id, e.user_id FROM mrp_bpr_entry e WHERE e.bpr_id IN %(ids)s
                        UNION
                       SELECT t.bpr_id, s.user_id
                         FROM mrp_bpr_step t
                        CROSS JOIN unnest(ARRAY[t.performed_signature_id, t.verified_signature_id, t.added_signature_id,
                                                t.addition_verified_signature_id]) AS signed
                         JOIN mrp_esignature s ON s.id = signed
                        WHERE t.bpr_id IN %(ids)s
                        UNION
                       SELECT e.bpr_id, s.user_id
                         FROM mrp_bpr_entry e JOIN mrp_esignature s ON s.res_model = 'mrp.bpr.entry' AND s.res_id = e.id
                        WHERE e.bpr_id IN %(ids)s""", ids=self._ids)):
                found[bpr_id].add(user_id)
        everybody = users.browse(set().union(*found.values()))
        return {bpr: users.browse(sorted(found[bpr.id])).with_prefetch(everybody._ids) for bpr in self}

    def _filter_took_no_part(self, action, user):
        """Return those of these batches that ``user`` may review or release: others made them, or the profile does not ask."""
        profiles = self.env['mrp.mmr.requirement']._filter_demanding('releaser', self.mapped(
            lambda bpr: bpr._get_signing_profile()))
        asking = self.filtered(lambda bpr: not bpr._get_signing_profile() or bpr._get_signing_profile() in profiles)
        participants, mine = asking._group_participants(), user._get_gmp_persons()
        return self.filtered(lambda bpr: bpr not in participants or not participants[bpr]._get_gmp_persons() & mine)

    def _check_took_no_part(self, action, user):
        """Refuse a review or release of one's own work, if the profile requires that (REL-020, VER-100)."""
        if self._filter_took_no_part(action, user):
            return
        mine = user._get_gmp_persons()
        step = self.sudo().step_ids.filtered(lambda step: (
            step._get_performers() | step.verified_signature_id.user_id | step.addition_verified_signature_id.user_id
        )._get_gmp_persons() & mine)[:1]
        raise refusal(
            self.env,
            self.env._("%(user)s performed or verified step %(step)s of this batch and cannot review or release it.",
                       user=user.name, step=step.display_name),
            RULE, self.env._("ask another member of Quality Control."), record=self)

    def _filter_foreign_results(self, user):
        """Return those of these batches none of whose waiting results ``user`` entered or corrected."""
        results, persons = self._group_waiting_results(), user._get_gmp_persons()
        return self.filtered(lambda bpr: not results[bpr]._get_authors()._get_gmp_persons() & persons)

    def _filter_second_of_results(self, action, user):
        return self._filter_foreign_results(user)._filter_took_no_part(action, user)

    def _check_second_of_results(self, action, user):
        """Refuse the approval of one's own results, and of those of a batch on which one worked."""
        if not self._filter_foreign_results(user):
            raise refusal(
                self.env, self.env._("%(user)s entered results of %(bpr)s and cannot approve them.", user=user.name,
                                     bpr=self.name),
                RULE, self.env._("ask another member of Quality Control to approve them."), record=self)
        self._check_took_no_part(action, user)
