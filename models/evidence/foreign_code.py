"""Code and expressions that stand in the database act in nobody's session, and see no secret (SEC-060, SIG-080, AUD-090).

An administrator of Odoo writes them as domains of record rules, code of custom fields and actions, expressions of reports
and templates; they are evaluated in the request of whoever triggers them. All of them pass one of two places: Odoo's
``safe_eval`` and the rendering of templates. There they are marked, whoever wrote them.
"""

from functools import wraps

from odoo import models
from odoo.http import request
from odoo.tools import safe_eval as evaluation

from ...domain.sessions import evaluated, foreign_code, shipped_code


def _marked(evaluate):
    """Return what evaluates compiled code as before, marked as code of the database."""
    @wraps(evaluate)
    def marked(*arguments):
        with evaluated(request):
            return evaluate(*arguments)
    marked.is_marked = True
    return marked


# The one place through which Odoo's ``safe_eval`` goes; it has no hook, and who calls it has its name already.
if not hasattr(evaluation.unsafe_eval, 'is_marked'):
    evaluation.unsafe_eval = _marked(evaluation.unsafe_eval)


class IrQweb(models.AbstractModel):
    _inherit = 'ir.qweb'

    def _render(self, template, values=None, **options):
        with evaluated(request):
            return super()._render(template, values, **options)


class IrActionsServer(models.Model):
    _inherit = 'ir.actions.server'

    def run(self):
        if self._is_as_shipped():
            return super().run()
        with foreign_code():
            return super().run()

    def _run_action_code_multi(self, eval_context):
        # Read before: what follows is the evaluation of the code, and of nothing else.
        if not self.code or not self._is_as_shipped():
            return super()._run_action_code_multi(eval_context)
        with shipped_code():
            return super()._run_action_code_multi(eval_context)

    def _is_as_shipped(self):
        """Whether modules brought all of these actions, and nobody edited them since: then they are code of a version."""
        known = self.sudo().get_external_id()
        installed = self.env['ir.module.module']._installed()
        return all(known[action.id].partition('.')[0] in installed and not action.sudo().mmr_is_edited for action in self)
