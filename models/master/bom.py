"""The bill of materials that a revision owns, and the guard over its content."""

from odoo import api, fields, models
from odoo.tools import SQL

from ...domain.columns import BOM_COLUMNS
from ...domain.refusals import refusal
from ...domain.transitions import in_transition

GUARD_CONTENT_FUNCTION = """
    CREATE OR REPLACE FUNCTION mrp_mmr_guard_content() RETURNS trigger AS $$
    DECLARE
        owner text;
        owner_state text;
        operation integer;
    BEGIN
        -- The signed one first, where there are two.
        SELECT m.name || ', revision ' || r.revision, r.state INTO owner, owner_state
          FROM mrp_mmr_revision r JOIN mrp_mmr m ON m.id = r.mmr_id
         WHERE r.bom_id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.bom_id END,
                            CASE WHEN TG_OP <> 'INSERT' THEN OLD.bom_id END)
         ORDER BY (r.state = 'draft') LIMIT 1;
        IF owner IS NULL THEN
            RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
        END IF;
        IF owner_state <> 'draft' THEN
            RAISE EXCEPTION 'The content of % is signed and cannot change (REV-010).', owner
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_content_frozen';
        END IF;
        -- Nobody signs until this edit is committed, and nobody did since it began (see GUARD_ROW_FUNCTION).
        PERFORM FROM mrp_mmr_revision
          WHERE bom_id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.bom_id END,
                           CASE WHEN TG_OP <> 'INSERT' THEN OLD.bom_id END) FOR SHARE;
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        IF TG_OP = 'UPDATE' AND NEW.bom_id IS DISTINCT FROM OLD.bom_id THEN
            RAISE EXCEPTION 'The content of % stays in its revision (REV-010).', owner
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_content_moved';
        END IF;
        operation := (to_jsonb(NEW) ->> 'operation_id')::integer;
        IF operation IS NOT NULL AND NOT EXISTS (
                SELECT FROM mrp_routing_workcenter o WHERE o.id = operation AND o.bom_id = NEW.bom_id) THEN
            RAISE EXCEPTION 'Rows of % only point to stages of the same revision (REV-010).', owner
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_content_foreign';
        END IF;
        RETURN NEW;
    END $$ LANGUAGE plpgsql;
"""


class MrpBom(models.Model):
    _name = 'mrp.bom'
    _inherit = ['mrp.bom', 'mrp.mmr.content.mixin']
    _audit_rows = "EXISTS (SELECT FROM mrp_mmr_revision r WHERE r.bom_id = t.id)"

    mmr_revision_ids = fields.One2many(
        'mrp.mmr.revision', 'bom_id', "MMR Revision", copy=False,
        help="The revision of a Master Manufacturing Record that owns this bill of materials.")
    mmr_locked = fields.Boolean("Signed Content", compute='_compute_mmr_locked', compute_sudo=True)

    def init(self):
        super().init()
        self.env.cr.execute("""
            CREATE OR REPLACE FUNCTION mrp_mmr_guard_bom() RETURNS trigger AS $$
            DECLARE
                owner text;
                owner_state text;
            BEGIN
                SELECT m.name || ', revision ' || r.revision, r.state INTO owner, owner_state
                  FROM mrp_mmr_revision r JOIN mrp_mmr m ON m.id = r.mmr_id
                 WHERE r.bom_id = OLD.id;
                IF owner IS NULL THEN
                    RETURN NEW;
                END IF;
                IF NEW.active AND NOT OLD.active AND owner_state <> 'effective' THEN
                    RAISE EXCEPTION 'The bill of materials of % cannot be used: the revision is %.',
                        owner, owner_state
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                              CONSTRAINT = 'mrp_mmr_bom_not_effective';
                END IF;
                IF owner_state <> 'draft' AND
                   (NEW.product_tmpl_id, NEW.product_id, NEW.product_qty, NEW.product_uom_id, NEW.type,
                    NEW.company_id, NEW.batch_size, NEW.enable_batch_size, NEW.allow_operation_dependencies)
                   IS DISTINCT FROM
                   (OLD.product_tmpl_id, OLD.product_id, OLD.product_qty, OLD.product_uom_id, OLD.type,
                    OLD.company_id, OLD.batch_size, OLD.enable_batch_size, OLD.allow_operation_dependencies) THEN
                    RAISE EXCEPTION 'The content of % is signed and cannot change (REV-010).', owner
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                              CONSTRAINT = 'mrp_mmr_content_frozen';
                END IF;
                IF owner_state = 'draft' THEN
                    PERFORM FROM mrp_mmr_revision WHERE bom_id = OLD.id FOR SHARE;
                END IF;
                RETURN NEW;
            END $$ LANGUAGE plpgsql;

            CREATE OR REPLACE TRIGGER mrp_mmr_guard_bom BEFORE UPDATE ON mrp_bom
                FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_bom();
        """)

    @api.depends('mmr_revision_ids.state')
    def _compute_mmr_locked(self):
        for bom in self:
            bom.mmr_locked = any(revision.state != 'draft' for revision in bom.mmr_revision_ids)

    @api.model
    def _mmr_revisions_of_rows(self, vals_list):
        """Return the revisions of the bills of materials that rows with these values would belong to."""
        return self.browse({vals.get('bom_id') for vals in vals_list} - {None, False}).mmr_revision_ids

    @api.model
    def _mmr_create_content_triggers(self, table):
        """Create the triggers that freeze ``table``; called by the model of that table in its ``init``."""
        # The tables are initialised in no order that could be relied on: each brings the function along.
        self.env.cr.execute(GUARD_CONTENT_FUNCTION)
        self.env.cr.execute(SQL(
            """
            CREATE OR REPLACE TRIGGER mrp_mmr_guard_insert_delete BEFORE INSERT OR DELETE ON %(table)s
                FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_content();
            CREATE OR REPLACE TRIGGER mrp_mmr_guard_update BEFORE UPDATE OF %(columns)s ON %(table)s
                FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_content();
            """,
            table=SQL.identifier(table),
            columns=SQL(', ').join(SQL.identifier(name) for name in BOM_COLUMNS[table].split(', ')),
        ))

    def _mmr_revisions(self):
        return self.mmr_revision_ids

    @api.model
    def _mmr_revisions_of(self, vals_list):
        return self.env['mrp.mmr.revision']

    @api.model
    def _mmr_content_fields(self):
        return {
            'product_tmpl_id', 'product_id', 'product_qty', 'product_uom_id', 'type', 'company_id', 'code',
            'batch_size', 'enable_batch_size', 'consumption', 'allow_operation_dependencies',
            'bom_line_ids', 'operation_ids', 'byproduct_ids',
        }

    def write(self, vals):
        if 'active' in vals and not in_transition(self):
            # Core archives with the product what is archived already.
            for revision in self.sudo().filtered(lambda bom: bom.active != bool(vals['active'])).mmr_revision_ids:
                raise refusal(
                    self.env,
                    self.env._("The bill of materials of %(revision)s follows the status of the revision.",
                               revision=revision.display_name),
                    "REV-050, 21 CFR 111.255(c)",
                    self.env._("approve or retire the revision; its bill of materials follows by itself."),
                    record=revision,
                )
        return super().write(vals)

    def action_create_mmr(self):
        """Open the dialog that makes an MMR from this bill of materials (its quantities as they are)."""
        self.ensure_one()
        self.env['mrp.mmr.create'].check_access('create')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Create MMR"),
            'res_model': 'mrp.mmr.create',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_bom_id': self.id},
        }
