"""My Work about deviations and CAPA: to decide, to close, to investigate, to contribute, to do (USR-010, DEV-020, DEV-090)."""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import LazyTranslate

from ...domain.my_work import WorkLine, WorkSource
from .capa import QC

_lt = LazyTranslate(__name__)


class MrpMyWork(models.AbstractModel):
    _inherit = 'mrp.my.work'

    _work_sources = {
        'deviation_decide': WorkSource(
            section='sign', order=16, model='mrp.deviation', roles=(QC,), find='_find_deviations_to_decide',
            title=_lt("Deviations to decide"), why=_lt("You are of Quality Control and had no part in it.")),
        'deviation_close': WorkSource(
            section='sign', order=50, model='mrp.deviation', roles=(QC,), find='_find_deviations_to_close',
            title=_lt("Deviations to close"), why=_lt("You are of Quality Control and had no part in it.")),
        'contribution_sign': WorkSource(
            section='sign', order=51, model='mrp.deviation', find='_find_contributions',
            title=_lt("My contributions to investigations"), why=_lt("You were asked what you know.")),
        'capa_action': WorkSource(
            section='sign', order=52, model='mrp.capa', find='_find_capa_actions',
            title=_lt("My actions of CAPA"), why=_lt("You own the action.")),
        'capa_check': WorkSource(
            section='sign', order=53, model='mrp.capa', roles=(QC,), find='_find_capa_to_check',
            title=_lt("CAPA whose effect is to be checked"), why=_lt("You are of Quality Control.")),
        'deviation_late': WorkSource(
            section='late', order=30, model='mrp.deviation', find='_find_late_deviations',
            title=_lt("Deviations past their date"), why=_lt("It is not closed.")),
        'capa_late': WorkSource(
            section='late', order=31, model='mrp.capa', find='_find_late_capa',
            title=_lt("CAPA past their date"), why=_lt("An action or the check of the effect is still open.")),
        'deviation_investigate': WorkSource(
            section='mine', order=10, model='mrp.deviation', find='_find_own_investigations',
            title=_lt("Deviations that I investigate"), why=_lt("You are the investigator.")),
        'deviation_reported': WorkSource(
            section='mine', order=20, model='mrp.deviation', find='_find_reported',
            title=_lt("Deviations that I reported"), why=_lt("You reported it.")),
    }

    @api.model
    def _prepare_deviation(self, deviation, **vals):
        what = ' · '.join(filter(None, (
            dict(deviation._fields['severity']._description_selection(self.env))[deviation.severity],
            deviation.sudo().bpr_id.name or deviation.sudo().product_id.display_name)))
        return WorkLine(record=deviation, since=deviation.reported_at, due=deviation.due_date, is_late=deviation.is_overdue,
                        **{'what': what, **vals})

    @api.model
    def _find_deviations(self, shared, state):
        return shared.once(('deviations', state), lambda: self._find_work(
            'mrp.deviation', [('state', '=', state)], order='is_blocking desc, due_date, id'))

    @api.model
    def _find_deviations_to_decide(self, shared):
        return [self._prepare_deviation(row) for row in self._find_deviations(shared, 'open')._filter_offered('decide')]

    @api.model
    def _find_deviations_to_close(self, shared):
        lines = []
        for row in self._find_deviations(shared, 'decided')._filter_offered('close'):
            is_open = bool(row._get_missing_findings() or row.sudo().contributor_ids.filtered(lambda own: not own.signature_id))
            # What somebody else investigates is not to be closed yet.
            if not is_open or not row.investigator_id:
                lines.append(self._prepare_deviation(row, **(
                    {'what': self.env._("complete the investigation, then close")} if is_open else {})))
        return lines

    @api.model
    def _find_contributions(self, shared):
        rows = self.env['mrp.deviation.contributor'].search(
            Domain('user_id', '=', self.env.uid) & Domain('signature_id', '=', False)
            & Domain('deviation_id.state', '!=', 'closed'))._filter_offered('contribute')
        return [self._prepare_deviation(deviation, what=self.env._("read and sign what you contributed"))
                for deviation in rows.deviation_id]

    # === CAPA === #

    @api.model
    def _find_capa_actions(self, shared):
        actions = self.env['mrp.capa.action'].search([
            ('owner_id', '=', self.env.uid), ('done_at', '=', False), ('capa_id.state', '=', 'running')], order='due_date, id')
        lines = []
        for capa, own in actions.grouped('capa_id').items():
            today = capa.sudo().company_id._get_mmr_today()
            lines.append(WorkLine(record=capa, what=', '.join(own.mapped('name')), due=own[0].due_date,
                                  is_late=own[0].due_date < today))
        return lines

    @api.model
    def _find_capa_to_check(self, shared):
        """Return the CAPA whose actions are done, and those whose effect was to be judged by today."""
        capas = self._find_work('mrp.capa', Domain('state', '=', 'check') & self.env['res.company']._get_mmr_past_domain(
            'effectiveness_due', until=1) | Domain('state', '=', 'running') & ~Domain(
                'action_ids', 'any', [('done_at', '=', False)]), order='effectiveness_due, id')
        return [WorkLine(
            record=capa, due=capa.effectiveness_due, is_late=capa.is_overdue,
            what=self.env._("begin the check") if capa.state == 'running' else self.env._("judge the effect and close"))
            for capa in capas]

    @api.model
    def _find_late_capa(self, shared):
        return [WorkLine(record=capa, what=capa.sudo().owner_id.name, is_late=True,
                         due=capa.effectiveness_due if capa.state == 'check' else min(
                             (row.due_date for row in capa.action_ids if not row.done_at), default=None))
                for capa in self._find_work('mrp.capa', [('is_overdue', '=', True)], order='id')]

    # === LATE AND MINE === #

    @api.model
    def _find_late_deviations(self, shared):
        return [self._prepare_deviation(row) for row in self._find_work(
            'mrp.deviation', [('is_overdue', '=', True)], order='due_date, id')]

    @api.model
    def _find_own_investigations(self, shared):
        rows = self._find_work('mrp.deviation', [('state', '!=', 'closed'), ('investigator_id', '=', self.env.uid)],
                               order='due_date, id')
        return [self._prepare_deviation(row) for row in rows]

    @api.model
    def _find_reported(self, shared):
        rows = self._find_work('mrp.deviation', [('state', '!=', 'closed'), ('reported_by_id', '=', self.env.uid)],
                               order='due_date, id')
        return [self._prepare_deviation(row, why=self.env._("What you did led to it.") if row.cause_key else '')
                for row in rows]
