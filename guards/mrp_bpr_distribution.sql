-- mrp_bpr_distribution: where lots of a batch went.

-- A distribution is recorded by a done transfer of a lot of the batch (REC-010). Also held in
-- models/retention/distribution.py.
CREATE FUNCTION mrp_mmr_guard_distribution() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM stock_move_line l JOIN stock_lot t ON t.id = NEW.lot_id
          JOIN stock_location s ON s.id = l.location_id JOIN stock_location d ON d.id = l.location_dest_id
         WHERE l.id = NEW.line_ref AND l.state = 'done' AND t.mmr_bpr_id = NEW.bpr_id
           AND l.date = NEW.date AND l.company_id = NEW.company_id
           AND (NEW.quantity < 0 OR l.lot_id = NEW.lot_id
                AND CASE NEW.kind WHEN 'delivery' THEN d.usage = 'customer' ELSE s.usage = 'customer' END)) THEN
        RAISE EXCEPTION 'A distribution can only be recorded by a done transfer of a lot of the batch (REC-010).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_distribution_done';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_distribution BEFORE INSERT ON mrp_bpr_distribution
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_distribution();

-- Written once (SIG-030, AUD-030; _shared.sql).
CREATE TRIGGER mrp_mmr_append_only BEFORE UPDATE OR DELETE ON mrp_bpr_distribution
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_append_only();
CREATE TRIGGER mrp_mmr_append_only_truncate BEFORE TRUNCATE ON mrp_bpr_distribution
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_append_only();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_bpr_distribution
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
