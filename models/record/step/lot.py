"""PostgreSQL knows as well that batches use released lots (USE-060, VER-030)."""

from odoo import models


class MrpBprEntry(models.Model):
    _inherit = 'mrp.bpr.entry'

    def init(self):
        super().init()
        self.env.cr.execute("""
            CREATE OR REPLACE FUNCTION mrp_mmr_guard_bpr_lot() RETURNS trigger AS $$
            BEGIN
                IF NOT EXISTS (
                    SELECT FROM stock_lot l WHERE l.id = NEW.lot_id AND l.mmr_status = 'released'
                       AND (l.expiration_date IS NULL OR mrp_mmr_company_day(l.expiration_date, NEW.company_id)
                                                         >= mrp_mmr_company_day(NEW.at, NEW.company_id))
                       AND (l.mmr_retest_date IS NULL OR l.mmr_retest_date > mrp_mmr_company_day(NEW.at, NEW.company_id))) THEN
                    RAISE EXCEPTION 'Lot % is not released, or its time is over (USE-060, 21 CFR 211.84(a)).', NEW.lot_name
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_lot_released';
                END IF;
                -- The target of the weighing was calculated with the assay that was released.
                IF EXISTS (
                    SELECT FROM mrp_bpr_step s, stock_lot l
                     WHERE s.id = NEW.step_id AND l.id = NEW.lot_id AND s.planned #> '{target,assay}' IS NOT NULL
                       AND (NEW.data #>> '{adjusted,assay,value}')::numeric IS DISTINCT FROM l.mmr_assay::numeric) THEN
                    RAISE EXCEPTION 'The target for lot % is not that of its assay (USE-070, 21 CFR 211.101(a)).', NEW.lot_name
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_lot_assay';
                END IF;
                RETURN NEW;
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER mrp_mmr_guard_bpr_lot BEFORE INSERT ON mrp_bpr_entry FOR EACH ROW
                WHEN (NEW.kind IN ('weight', 'material') AND NEW.lot_id IS NOT NULL AND NOT NEW.to_sign)
                EXECUTE FUNCTION mrp_mmr_guard_bpr_lot();
        """)


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    def init(self):
        super().init()
        self.env.cr.execute("""
            CREATE OR REPLACE FUNCTION mrp_mmr_guard_bpr_step_lot() RETURNS trigger AS $$
            BEGIN
                IF EXISTS (
                    SELECT FROM mrp_bpr_entry e JOIN stock_lot l ON l.id = e.lot_id
                     WHERE e.step_id = NEW.id AND e.kind = 'weight' AND l.mmr_status IS DISTINCT FROM 'released'
                       AND NOT EXISTS (
                            SELECT FROM mrp_bpr_entry c
                             WHERE c.supersedes_id = e.id AND (NOT c.to_sign OR EXISTS (
                                SELECT FROM mrp_esignature s WHERE s.res_model = 'mrp.bpr.entry' AND s.res_id = c.id)))) THEN
                    RAISE EXCEPTION 'A lot of step % is not released any more (VER-030, 21 CFR 211.101(c)(1)).', OLD.name
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_step_lot';
                END IF;
                RETURN NEW;
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER mrp_mmr_guard_bpr_step_lot BEFORE UPDATE ON mrp_bpr_step FOR EACH ROW
                WHEN (NEW.kind = 'weigh' AND OLD.verified_signature_id IS NULL AND NEW.verified_signature_id IS NOT NULL)
                EXECUTE FUNCTION mrp_mmr_guard_bpr_step_lot();
        """)
