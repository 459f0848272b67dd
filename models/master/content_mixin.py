"""Rows that are the content of a revision: frozen with its document (REV-010)."""

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.models import MAGIC_COLUMNS

from ...domain.refusals import refusal


class MrpMmrContentMixin(models.AbstractModel):
    """Rows that are the content of an MMR revision: bill of materials, components, operations, steps …

    They can be edited while the revision is a draft, and never again (21 CFR 111.123(a)(1),
    211.100(a), EU GMP 4.3). Rows of a bill of materials without revision are Odoo's own business.

    Also held in guards/_content.sql.
    """
    _name = 'mrp.mmr.content.mixin'
    _inherit = ['mrp.audit.mixin']
    _description = "Content of a Master Manufacturing Record"

    #: The field that says where a row belongs.
    _mmr_owner_field = 'bom_id'

    def _mmr_revisions(self):
        """Return the revisions these rows belong to."""
        raise NotImplementedError

    def _audit_records(self, vals=None):
        return self.filtered(lambda row: row._mmr_revisions())

    def _audit_chain(self):
        return self._mmr_revisions()[:1].mmr_id

    @api.model
    def _audit_fields(self):
        return {name for name in self._mmr_content_fields() if self._fields[name].store
                and self._fields[name].type != 'one2many'}

    @api.model
    def _mmr_revisions_of(self, vals_list):
        """Return the revisions that rows with these values would belong to."""
        raise NotImplementedError

    @api.model
    def _mmr_content_fields(self):
        """Return the names of the fields that are content, hence frozen with the revision."""
        raise NotImplementedError

    @api.model
    def _mmr_get_quantity_fields(self):
        return super()._mmr_get_quantity_fields() | self._mmr_content_fields()

    @api.model
    def _mmr_copied_fields(self):
        """Return the names of the content fields that a new revision takes over."""
        return self._mmr_content_fields()

    def _mmr_copy_vals(self, mapping):
        """Return the values of a copy of this row in another revision.

        :param dict mapping: model name → {id of the row copied from: id of its copy}
        """
        self.ensure_one()
        vals = {}
        for name in self._mmr_copied_fields():
            field = self._fields[name]
            if not field.store or field.type == 'one2many':
                continue
            if field.type == 'many2one':
                value = self[name].id
                if value and field.comodel_name in mapping:
                    value = mapping[field.comodel_name].get(value, False)
            elif field.type == 'many2many':
                value = [Command.set(self[name].ids)]
            else:
                value = field.convert_to_write(self[name], self)
            vals[name] = value
        return vals

    def _mmr_check_editable(self):
        """Refuse unless every revision concerned is a draft, and remember who edits it (APR-040).

        :raise UserError: if a revision is no longer a draft
        """
        self._mmr_check_revisions(self.sudo()._mmr_revisions())

    @api.model
    def _mmr_check_revisions(self, revisions):
        """Refuse unless ``revisions`` are drafts that the user may write; remember who edits them (APR-040).

        Managers of manufacturing may write every bill of materials of Odoo; those of master records are the preparers'.

        :raise AccessError: where somebody else than a preparer writes
        """
        if revisions and not self.env.su and not revisions.with_env(self.env).has_access('write'):
            raise refusal(
                self.env, self.env._(
                    "%(user)s is not a preparer and cannot edit the content of %(revision)s.", user=self.env.user.name,
                    revision=', '.join(revisions.mapped('display_name'))),
                "SEC-010, 21 CFR 11.10(d), (g), 211.186(a)", self.env._("ask a person with the Preparer role."),
                record=revisions, exception=AccessError)
        revisions._check_editable()

    @api.model_create_multi
    def create(self, vals_list):
        # Before the insert, so that the refusal is the clear one and not PostgreSQL's.
        default = self.env.context.get(f'default_{self._mmr_owner_field}')
        self._mmr_check_revisions(self.sudo()._mmr_revisions_of([*vals_list, {self._mmr_owner_field: default}]))
        records = super().create(vals_list)
        # Again, as a default may have chosen the revision.
        records._mmr_check_editable()
        return records

    def write(self, vals):
        if not self._mmr_content_fields() & vals.keys():
            return super().write(vals)
        self._mmr_check_editable()
        if self._mmr_owner_field in vals:
            # A row that is moved to another revision becomes content there.
            target = self.sudo()._mmr_revisions_of([vals])
            self._mmr_check_revisions(target)
            for row in self.sudo().filtered(lambda row: row[self._mmr_owner_field].id != vals[self._mmr_owner_field]):
                if target or row._mmr_revisions():
                    raise refusal(
                        self.env, self.env._("%s cannot be moved to another revision.", row.display_name),
                        "REV-010, 21 CFR 111.123(a)(1)", self.env._("create a new row there, and delete this one."),
                        record=row)
        return super().write(vals)

    @api.ondelete(at_uninstall=True)
    def _unlink_except_signed_content(self):
        self._mmr_check_editable()


class MrpMmrRowMixin(models.AbstractModel):
    """Rows that only exist for a revision; every column of them is content. Also held in guards/_content.sql."""
    _name = 'mrp.mmr.row.mixin'
    _inherit = ['mrp.mmr.content.mixin']
    _description = "Row of a Master Manufacturing Record"
    _mmr_owner_field = 'revision_id'
    _check_company_auto = True

    #: The field that says which row of the same revision this one is a part of.
    _mmr_parent_field = None

    revision_id = fields.Many2one('mrp.mmr.revision', "MMR Revision", required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='revision_id.company_id')
    revision_state = fields.Selection(related='revision_id.state', string="Status of the Revision")

    @api.model_create_multi
    def create(self, vals_list):
        parent = self._mmr_parent_field
        # A revision that is said, by an import as well, stays: a foreign parent is refused, not followed.
        if parent and not self.env.context.get('default_revision_id'):
            vals_list = [
                vals if vals.get('revision_id') or not vals.get(parent)
                else dict(vals, revision_id=self._mmr_revision_of_parent(vals[parent]).id)
                for vals in vals_list]
        return super().create(vals_list)

    @api.model
    def _mmr_revision_of_parent(self, parent_id):
        parent = self.env[self._fields[self._mmr_parent_field].comodel_name].browse(parent_id)
        return parent.revision_id if 'revision_id' in parent._fields else parent._mmr_revisions()

    def _mmr_revisions(self):
        return self.revision_id

    @api.model
    def _mmr_revisions_of(self, vals_list):
        return self.env['mrp.mmr.revision'].browse(
            {vals.get('revision_id') for vals in vals_list} - {None, False})

    @api.model
    def _mmr_content_fields(self):
        return {
            name for name, field in self._fields.items()
            if (field.store or field.inverse or field.type == 'one2many') and name not in MAGIC_COLUMNS and not field.related
        }

    @api.model
    def _mmr_copied_fields(self):
        return {name for name in self._mmr_content_fields() if self._fields[name].store} - {'revision_id'}
