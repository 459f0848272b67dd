-- mrp_deviation_batch: batches related to a deviation.

-- Batches that were found to be related stay, and none is added after the closure (DEV-070, 21 CFR 211.192). Also
-- held in models/deviation/related_batch.py.
CREATE FUNCTION mrp_mmr_guard_deviation_batch() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    deviation record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'A related batch cannot be removed (DEV-070, 21 CFR 211.192).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_deviation_batch_kept';
    END IF;
    SELECT d.state, d.bpr_id INTO deviation FROM mrp_deviation d WHERE d.id = NEW.deviation_id;
    IF deviation.state = 'closed' OR deviation.bpr_id = NEW.bpr_id OR TG_OP = 'UPDATE'
       AND (NEW.deviation_id, NEW.bpr_id, NEW.company_id) <> (OLD.deviation_id, OLD.bpr_id, OLD.company_id) THEN
        RAISE EXCEPTION 'The related batches of a closed deviation cannot be changed (DEV-070).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_deviation_batch_fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_deviation_batch BEFORE INSERT OR UPDATE OR DELETE ON mrp_deviation_batch
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_deviation_batch();

-- Its lots are held when the transaction ends (DEV-100; _holds.sql).
CREATE CONSTRAINT TRIGGER mrp_mmr_guard_lots_held
    AFTER INSERT OR UPDATE OF assessment ON mrp_deviation_batch
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_lots_held();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_deviation_batch
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
