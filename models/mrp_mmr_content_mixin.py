from odoo import api, models

from ..tools import refusal


class MrpMmrContentMixin(models.AbstractModel):
    """Rows that are the content of an MMR revision: bill of materials, components, operations, by-products.

    They can be edited while the revision is a draft, and never again (21 CFR 111.123(a)(1),
    211.100(a), EU GMP 4.3). Rows of a bill of materials without revision are Odoo's own business.
    """
    _name = 'mrp.mmr.content.mixin'
    _description = "Content of a Master Manufacturing Record"

    def _mmr_boms(self):
        """Return the bills of materials these rows belong to."""
        raise NotImplementedError

    @api.model
    def _mmr_content_fields(self):
        """Return the names of the fields that are content, hence frozen with the revision."""
        raise NotImplementedError

    def _mmr_check_editable(self):
        """Refuse unless every revision concerned is a draft, and remember who edits it (APR-040).

        :raise UserError: where a revision is no draft any more
        """
        revisions = self.sudo()._mmr_boms().mmr_revision_ids
        if not revisions:
            return
        for revision in revisions:
            if revision.state != 'draft':
                raise refusal(
                    self.env,
                    self.env._("%(revision)s is %(state)s: its content cannot be changed.",
                               revision=revision.display_name, state=revision._get_state_label()),
                    "REV-010, 21 CFR 111.123(a)(1), 211.100(a), EU GMP 4.3",
                    self.env._("create a new revision of %(mmr)s.", mmr=revision.mmr_id.display_name),
                    record=revision,
                )
        revisions._register_editor()

    @api.model_create_multi
    def create(self, vals_list):
        # Before the insert, so that the refusal is the clear one and not PostgreSQL's.
        if self._name != 'mrp.bom':
            self.env['mrp.bom'].browse({vals.get('bom_id') for vals in vals_list} - {None, False})._mmr_check_editable()
        records = super().create(vals_list)
        # Again, as a default may have chosen the bill of materials.
        records._mmr_check_editable()
        return records

    def write(self, vals):
        if not self._mmr_content_fields() & vals.keys():
            return super().write(vals)
        self._mmr_check_editable()
        if self._name != 'mrp.bom' and vals.get('bom_id'):
            # A row that is moved to another bill of materials becomes content there.
            self.env['mrp.bom'].browse(vals['bom_id'])._mmr_check_editable()
        return super().write(vals)

    @api.ondelete(at_uninstall=True)
    def _unlink_except_signed_content(self):
        self._mmr_check_editable()
