"""Rows that are the content of a revision: frozen with its document (REV-010)."""

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.models import MAGIC_COLUMNS
from odoo.tools import SQL

from ...domain.refusals import refusal

#: Freezes the rows that belong to a revision, and keeps their links inside it. Arguments: pairs of a column
#: and the table it points to. A draft is locked against signing until the edit is committed: where somebody signed
#: since this transaction began, PostgreSQL reports a serialization failure, and Odoo tries again on what is signed.
GUARD_ROW_FUNCTION = """
    CREATE OR REPLACE FUNCTION mrp_mmr_guard_row() RETURNS trigger AS $$
    DECLARE
        owner text;
        linked integer;
        position integer := 0;
    BEGIN
        SELECT m.name || ', revision ' || r.revision INTO owner
          FROM mrp_mmr_revision r JOIN mrp_mmr m ON m.id = r.mmr_id
         WHERE r.state <> 'draft'
           AND r.id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.revision_id END,
                        CASE WHEN TG_OP <> 'INSERT' THEN OLD.revision_id END)
         LIMIT 1;
        IF owner IS NOT NULL THEN
            RAISE EXCEPTION 'The content of % is signed and cannot change (REV-010).', owner
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_content_frozen';
        END IF;
        PERFORM FROM mrp_mmr_revision
          WHERE id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.revision_id END,
                       CASE WHEN TG_OP <> 'INSERT' THEN OLD.revision_id END) FOR SHARE;
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        IF TG_OP = 'UPDATE' AND NEW.revision_id <> OLD.revision_id THEN
            RAISE EXCEPTION 'Rows of a revision stay in it (REV-010).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_content_moved';
        END IF;
        WHILE position < TG_NARGS LOOP
            linked := (to_jsonb(NEW) ->> TG_ARGV[position])::integer;
            IF linked IS NOT NULL THEN
                IF TG_ARGV[position + 1] IN ('mrp_bom_line', 'mrp_routing_workcenter') THEN
                    EXECUTE format('SELECT r.id FROM %I p JOIN mrp_mmr_revision r ON r.bom_id = p.bom_id '
                                   'WHERE p.id = $1', TG_ARGV[position + 1]) INTO linked USING linked;
                ELSE
                    EXECUTE format('SELECT revision_id FROM %I WHERE id = $1', TG_ARGV[position + 1])
                       INTO linked USING linked;
                END IF;
                IF linked IS DISTINCT FROM NEW.revision_id THEN
                    RAISE EXCEPTION 'Rows of a revision only point to rows of the same revision (REV-010).'
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                              CONSTRAINT = 'mrp_mmr_content_foreign';
                END IF;
            END IF;
            position := position + 2;
        END LOOP;
        RETURN NEW;
    END $$ LANGUAGE plpgsql;
"""


class MrpMmrContentMixin(models.AbstractModel):
    """Rows that are the content of an MMR revision: bill of materials, components, operations, steps …

    They can be edited while the revision is a draft, and never again (21 CFR 111.123(a)(1),
    211.100(a), EU GMP 4.3). Rows of a bill of materials without revision are Odoo's own business.
    """
    _name = 'mrp.mmr.content.mixin'
    _inherit = ['mrp.audit.mixin']
    _description = "Content of a Master Manufacturing Record"

    #: The field that says where a row belongs.
    _mmr_owner_field = 'bom_id'
    _audit_rows = "EXISTS (SELECT FROM mrp_mmr_revision r WHERE r.bom_id = t.bom_id)"

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

        :raise UserError: where a revision is no draft any more
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
                    "%(user)s is no preparer and does not write the content of %(revision)s.", user=self.env.user.name,
                    revision=', '.join(revisions.mapped('display_name'))),
                "SEC-010, 21 CFR 11.10(d), (g), 211.186(a)", self.env._("ask a person with the role Preparer."),
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
                        self.env, self.env._("%s stays in its revision.", row.display_name),
                        "REV-010, 21 CFR 111.123(a)(1)", self.env._("create a new row there, and delete this one."),
                        record=row)
        return super().write(vals)

    @api.ondelete(at_uninstall=True)
    def _unlink_except_signed_content(self):
        self._mmr_check_editable()


class MrpMmrRowMixin(models.AbstractModel):
    """Rows that exist for a revision alone; every column of theirs is content."""
    _name = 'mrp.mmr.row.mixin'
    _inherit = ['mrp.mmr.content.mixin']
    _description = "Row of a Master Manufacturing Record"
    _mmr_owner_field = 'revision_id'
    _audit_rows = None
    _check_company_auto = True

    #: The field that says which row of the same revision this one is a part of.
    _mmr_parent_field = None
    #: Columns that point to rows of the same revision.
    _mmr_links = ()

    revision_id = fields.Many2one('mrp.mmr.revision', "MMR Revision", required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='revision_id.company_id')
    revision_state = fields.Selection(related='revision_id.state', string="Status of the Revision")

    def init(self):
        super().init()
        if self._abstract:
            return
        arguments = []
        for name in self._mmr_links:
            arguments += [name, self.env[self._fields[name].comodel_name]._table]
        self.env.cr.execute(GUARD_ROW_FUNCTION)
        self.env.cr.execute(SQL(
            "CREATE OR REPLACE TRIGGER mrp_mmr_guard_row BEFORE INSERT OR UPDATE OR DELETE ON %s "
            "FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_row(%s)",
            SQL.identifier(self._table), SQL(', ').join(SQL("%s", argument) for argument in arguments)))

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
