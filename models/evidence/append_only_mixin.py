"""Records of evidence: rows that can be added but not changed or deleted by anybody."""

from odoo import api, models

from ...domain.transitions import in_transition, without_defaults

#: Fields of followers and activities, which are no part of what a row says.
MAIL_FIELDS = ('message_', 'activity_')


class MrpAppendOnlyMixin(models.AbstractModel):
    """Rows that are stored by methods of their model only, and are never written, duplicated or deleted.

    A model adopts it in three lines: it inherits this mixin (or ``mrp.evidence.mixin``, where its rows go to the ledger
    too), says in ``_refuse_write`` what to do instead, and stores rows with ``_store``. Everything else is refused to
    everybody, the superuser too; PostgreSQL has guards of its own below (AUD-030, 21 CFR 11.10(c), (e)).

    List it before all other mixins: ``_store`` goes on with what comes after it. Also held in guards/_shared.sql.
    """
    _name = 'mrp.append.only.mixin'
    _description = "Append-Only Record"

    #: Whether a row never changes. Where it is not, steps of the workflow write it (see ``domain.transitions``).
    _is_append_only = True
    #: The fields that steps of the workflow write; None: all of them.
    _workflow_fields = None

    def _refuse_write(self):
        """Return the error that names the rule and what to do instead."""
        raise NotImplementedError

    @api.model
    def _store(self, vals_list):
        """Create rows with the rights of the system; only methods that checked them call this."""
        model = without_defaults(self.sudo(), set(self._fields))
        return super(MrpAppendOnlyMixin, model).create(vals_list)  # pylint: disable=super-method-mismatch

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        raise self._refuse_write()

    def write(self, vals):
        names = {name for name in vals if not name.startswith(MAIL_FIELDS)}
        if (names or not vals) and not self._is_workflow_step(names):
            raise self._refuse_write()
        return super().write(vals)

    def _is_workflow_step(self, names):
        """Whether a step of the workflow that names these records writes these fields."""
        return not self._is_append_only and in_transition(self) and (
            self._workflow_fields is None or names <= self._workflow_fields)

    def copy(self, default=None):  # pylint: disable=method-required-super
        raise self._refuse_write()

    @api.ondelete(at_uninstall=True)
    def _unlink_except_never(self):
        raise self._refuse_write()


class MrpEvidenceMixin(models.AbstractModel):
    """Append-only rows whose creation, and whose changes by the workflow, go to the ledger."""
    _name = 'mrp.evidence.mixin'
    _description = "Record of Evidence"
    _inherit = ['mrp.append.only.mixin', 'mrp.audit.mixin']
