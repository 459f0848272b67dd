"""The rows of the page *GMP Set-Up* about people: who may sign as what, terminals, and the end of the set-up (USR-010)."""

from odoo import models

from ..base.setup_page import SetupRow
from .setup import SECURITY

#: Roles in the order in which they are given, with how many persons have it at least, and why.
ROLES = (
    ('security', 2), ('quality_manager', 1), ('qc', 1), ('preparer', 1), ('production', 1), ('operator', 1), ('verifier', 1))
#: Names in one row; more are counted.
NAMED = 4


class ResCompany(models.Model):
    _inherit = 'res.company'

    def _get_mmr_setup_rows(self):
        return super()._get_mmr_setup_rows() + self._get_mmr_setup_people() + [self._get_mmr_setup_terminals()]

    def _get_mmr_setup_people(self):
        """Return a row for each role, and the end of the set-up; the number of queries does not grow with the persons."""
        groups = {name: self.env.ref(f'mrp_mmr.group_mmr_{name}').sudo() for name, _least in ROLES}
        members = {name: group._get_active_members(self) for name, group in groups.items()}
        users = self.env['res.users'].sudo().union(*members.values())
        lacks = self._get_mmr_lacks(users)
        rows = [self._get_mmr_setup_role(groups[name], members[name], least, lacks) for name, least in ROLES]
        return [*rows, self._get_mmr_setup_end(rows)]

    def _get_mmr_lacks(self, users):
        """Return what each user lacks to sign in any role: a dict by user, with nothing for who lacks nothing."""
        signers = self.env['mrp.signer']._get_for(users)
        states = {signer.user_id: signer.state for signer in signers}
        histories = self.env['mrp.signer.key']._read_histories(users)
        lacks = {}
        for user in users:
            rows = histories.get(user.id)
            if states.get(user, 'unverified') != 'ready':
                lacks[user] = {
                    'shared': self.env._("shared account"), 'suspended': self.env._("suspended"),
                    'locked': self.env._("locked"),
                }.get(states.get(user), self.env._("identity not verified"))
            elif not rows or rows[-1]['meaning'] != 'approved':
                lacks[user] = self.env._("no key enrolled")
        return lacks

    def _get_mmr_setup_role(self, group, members, least, lacks):
        qualified = self.env['mrp.qualification']._filter_qualified(members, group, self)
        missing = {user: lacks.get(user) or (not user & qualified and self.env._("not qualified")) for user in members}
        # Who begins the chain of qualifications needs none (SEC-030).
        if group == self.env.ref(SECURITY):
            missing = {user: lacks.get(user) for user in members}
        ready = sum(not lack for lack in missing.values())
        lines = [f"{user.name}: {lack}" if lack else user.name for user, lack in sorted(
            missing.items(), key=lambda row: (not row[1], row[0].name))]
        detail = self.env._("%(ready)s of %(all)s may sign:", ready=ready, all=len(members)) if members else \
            self.env._("Nobody has this role.")
        if lines:
            detail += ' ' + '; '.join(lines[:NAMED]) + (f" (+{len(lines) - NAMED})" if len(lines) > NAMED else '')
        security = group == self.env.ref(SECURITY)
        why = self.env._(
            "At least two, because nobody can enrol their own key after the first one. SIG-120, SEC-070, "
            "21 CFR 11.100(b)") if security else \
            self.env._("Role given, identity verified, key enrolled in person, qualified. SEC-030, SIG-070, 21 CFR 111.12(c)")
        return SetupRow(
            self.env._("People"), f'role_{group.get_external_id()[group.id].partition("group_mmr_")[2]}', group.name, why,
            self.env._("Administrator, Security Administrator") if security else self.env._(
                "Security Administrator, Quality Manager"), 'done' if ready >= least else 'open', detail,
            self._open_mmr_people(group, members))

    def _open_mmr_people(self, group, members):
        """Return where the next thing about a role is done by this person: users, or qualifications."""
        user = self.env.user
        if user.has_group('base.group_erp_manager') or user.has_group(SECURITY):
            return self._open_mmr_records('res.users', group.name, domain=[
                '|', ('id', 'in', members.ids), ('group_ids', 'in', group.id)], context={'default_group_ids': [(4, group.id)]})
        return self._open_mmr_records('mrp.qualification', group.name, domain=[('group_id', '=', group.id)])

    def _get_mmr_setup_end(self, rows):
        company = self.sudo()
        closed = company.mmr_setup_closed_at
        missing = not closed and company._mmr_get_missing_founders()
        can_close = not closed and not missing and self.env.user.has_group(SECURITY)
        if closed:
            detail = self.env._("Roles now take two persons.")
        elif missing:
            detail = self.env._("Waits for: %s.", ', '.join(missing.mapped('name')))
        else:
            detail = self.env._("Three different persons are ready: it can end.")
        return SetupRow(
            self.env._("People"), 'close', self.env._("End of the set-up"),
            self.env._("Afterwards only security administrators can give roles, and a role counts when a second person has "
                       "qualified its holder. SEC-070, 21 CFR 11.10(d)"),
            self.env._("Security Administrator"), 'done' if closed else 'later' if missing else 'open', detail,
            {'method': 'action_mmr_close_setup', 'label': self.env._("Close Set-Up")} if can_close else None,
            company.mmr_setup_closed_by_id.name or '', closed or None)

    def _get_mmr_setup_terminals(self):
        terminals = self.env['mrp.terminal'].sudo().search([('company_id', '=', self.id), ('registered_at', '!=', False)])
        first = terminals.sorted('registered_at')[:1]
        return SetupRow(
            self.env._("People"), 'terminals', self.env._("Terminals"),
            self.env._("Work centers accept entries from their own terminals alone. SEC-040, 21 CFR 11.10(h)"),
            self.env._("Security Administrator"), 'done' if terminals else 'optional',
            ', '.join(terminals[:NAMED].mapped('name')), self._open_mmr_records('mrp.terminal', self.env._("Terminals")),
            first.registered_by_id.name or '', first.registered_at or None)
