"""Who took part in what, from what people wrote as well as from what they signed (VER-100, REL-020)."""

from odoo import models

from ...domain.refusals import refusal

RULE = "VER-100, REL-020, 21 CFR 111.12(b), 211.22(a), 211.194(a)(8)"


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    def _get_performers(self):
        """Return the users who did these steps: the authors of their entries, and those who signed them as performed or added.

        Also held in guards/_persons.sql (mrp_mmr_performed).
        """
        steps = self.sudo()
        return steps.entry_ids.user_id | (steps.performed_signature_id | steps.added_signature_id).user_id


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
        steps = self.sudo().step_ids
        signatures = steps.verified_signature_id | steps.addition_verified_signature_id \
            | self.env['mrp.esignature'].sudo().search([
                ('res_model', '=', 'mrp.bpr.entry'), ('res_id', 'in', steps.entry_ids.ids)])
        return steps._get_performers() | signatures.user_id

    def _check_took_no_part(self, action, user):
        """Refuse a review or release of one's own work, if the profile requires that (REL-020, VER-100)."""
        if not self._needs('releaser') or not self._get_participants()._get_gmp_persons() & user._get_gmp_persons():
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

    def _check_second_of_results(self, action, user):
        """Refuse the approval of one's own results, and of those of a batch on which one worked."""
        results = self._get_waiting_results()
        if results._get_authors()._get_gmp_persons() & user._get_gmp_persons():
            raise refusal(
                self.env, self.env._("%(user)s entered results of %(bpr)s and cannot approve them.", user=user.name,
                                     bpr=self.name),
                RULE, self.env._("ask another member of Quality Control to approve them."), record=self)
        self._check_took_no_part(action, user)
