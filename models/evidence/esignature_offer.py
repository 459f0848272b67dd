"""Signatures that are offered to a person: those that this person may give, judged as signing judges (VER-100, USR-010)."""

from odoo import api, fields, models


class MrpEsignatureMixin(models.AbstractModel):
    _inherit = 'mrp.esignature.mixin'

    esignature_offered = fields.Json(
        "Signatures Offered", compute='_compute_esignature_offered',
        help="The signatures that the user may give now: their buttons come first.")

    @api.depends_context('uid')
    def _compute_esignature_offered(self):
        offered = {record.id: [] for record in self._origin}
        for action in self._get_signing_rules():
            for record in self._origin._filter_offered(action):
                offered[record.id].append(action)
        for record in self:
            record.esignature_offered = offered.get(record._origin.id, [])

    def _filter_offered(self, action):
        """Return those of these records that the person of the environment may sign by ``action``, in their order.

        Status, role, qualification and the persons that a rule keeps apart are judged by the same methods as when it is
        signed. Whether the content is complete is said then. Queries do not grow with the records.
        """
        rule = self._get_signing_rule(action)
        return self.filtered(lambda record: record._is_signing_state(rule))._filter_signing_person(action)

    def _filter_signing_person(self, action):
        """Return those of these records that the person of the environment may sign by ``action`` once they wait for it."""
        rule = self._get_signing_rule(action)
        mine, offered = self.env.user.sudo().all_group_ids, self.browse()
        for group, records in self._group_by_signing_role(action).items():
            if group in mine:
                offered |= records._filter_signing_qualification(group)
        if rule.filter_signer:
            offered = getattr(offered, rule.filter_signer)(action, self.env.user)
        known = set(offered.ids)
        return self.filtered(lambda record: record.id in known)

    def _group_by_signing_role(self, action):
        """Return these records by the role that signs ``action`` for them: a dict from groups."""
        return {self._get_signing_group(self._get_signing_rule(action).group): self} if self else {}

    def _filter_signing_qualification(self, group):
        """Return those of these records for which the person of the environment is qualified in a role today (SEC-030)."""
        group, user = self._get_signing_group(group), self.env.user
        requirements, qualifications = self.env['mrp.mmr.requirement'], self.env['mrp.qualification']
        demanded, qualified = {}, {}

        def is_qualified(record):
            profile, company = record._get_signing_profile(), record._get_signing_company()
            if profile not in demanded:
                demanded[profile] = requirements._is_demanded('qualification', profile)
            if demanded[profile] and company not in qualified:
                qualified[company] = bool(qualifications._filter_qualified(user, group, company))
            return not demanded[profile] or qualified[company]

        return self.filtered(is_qualified)
