"""Records of evidence: what they have in common, whoever stores them."""

from odoo import api, models

from ...domain.transitions import in_transition


class MrpKeptMixin(models.AbstractModel):
    """Rows that their own methods alone store, that change by steps of their workflow or never, and that are kept.

    Create, write, duplicate and delete are refused to everybody, the superuser too, in words of the model
    (:meth:`_refuse_write`); PostgreSQL has guards of its own below (AUD-030, 21 CFR 11.10(c), (e)).

    Also held in guards/_shared.sql.
    """
    _name = 'mrp.kept.mixin'
    _description = "Kept Record"
    _inherit = ['mrp.audit.mixin']

    #: Whether not even a step of the workflow changes a row.
    _is_append_only = False

    def _refuse_write(self):
        """Return the error that names the rule and what to do instead."""
        raise NotImplementedError

    @api.model
    def _store(self, vals_list):
        """Create rows with the rights of the system; only methods that checked them call this."""
        return super(MrpKeptMixin, self.sudo()).create(vals_list)  # pylint: disable=super-method-mismatch

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        raise self._refuse_write()

    def write(self, vals):
        if self._is_append_only or not in_transition(self):
            raise self._refuse_write()
        return super().write(vals)

    def copy(self, default=None):  # pylint: disable=method-required-super
        raise self._refuse_write()

    @api.ondelete(at_uninstall=True)
    def _unlink_except_never(self):
        raise self._refuse_write()
