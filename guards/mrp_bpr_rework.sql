-- mrp_bpr_rework: material that was reprocessed in a batch.

-- Material is reprocessed on the approval of Quality Control only (DEV-060, BPR-150). Also held in
-- models/deviation/rework.py.
CREATE FUNCTION mrp_mmr_guard_bpr_rework() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM mrp_deviation d JOIN mrp_bpr b ON b.id = NEW.bpr_id
         WHERE d.id = NEW.deviation_id AND d.state IN ('decided', 'closed') AND d.disposition = NEW.kind
           AND NEW.kind IN ('reprocess', 'treat', 'adjust') AND d.company_id = NEW.company_id
           AND b.company_id = NEW.company_id AND b.state IN ('ready', 'progress')
           AND (d.bpr_id = NEW.bpr_id OR d.lot_id = NEW.lot_id OR EXISTS (
                SELECT FROM mrp_bpr o JOIN stock_move m ON m.production_id = o.production_id
                  JOIN stock_move_line l ON l.move_id = m.id
                 WHERE o.id = d.bpr_id AND l.lot_id = NEW.lot_id))) THEN
        RAISE EXCEPTION 'Material can only be reprocessed with the approval of Quality Control (DEV-060, BPR-150).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_rework_approved';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_bpr_rework BEFORE INSERT ON mrp_bpr_rework
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_bpr_rework();

-- Written once (SIG-030, AUD-030; _shared.sql).
CREATE TRIGGER mrp_mmr_append_only BEFORE UPDATE OR DELETE ON mrp_bpr_rework
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_append_only();
CREATE TRIGGER mrp_mmr_append_only_truncate BEFORE TRUNCATE ON mrp_bpr_rework
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_append_only();

-- Frozen with the decision on its batch (REL-030; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_decided BEFORE INSERT OR UPDATE ON mrp_bpr_rework
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_decided();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_bpr_rework
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
