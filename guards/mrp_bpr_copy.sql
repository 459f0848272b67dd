-- mrp_bpr_copy: issued copies of worksheets on paper.

-- Worksheets are copies of an issued, open record, numbered one by one (BPR-160). Also held in
-- models/record/copy.py.
CREATE FUNCTION mrp_mmr_guard_bpr_copy() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM mrp_bpr b WHERE b.id = NEW.bpr_id AND b.company_id = NEW.company_id
                      AND b.state IN ('ready', 'progress'))
       OR NEW.number <> (SELECT count(*) + 1 FROM mrp_bpr_copy c WHERE c.bpr_id = NEW.bpr_id)
       OR jsonb_typeof(NEW.sequences) <> 'array' OR jsonb_array_length(NEW.sequences) = 0 THEN
        RAISE EXCEPTION 'Worksheets are copies of an issued, open record and are numbered one by one (BPR-160).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_copy_numbered';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_bpr_copy BEFORE INSERT ON mrp_bpr_copy
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_bpr_copy();

-- A copy is written once; what is added is that it was not used, once, by name and with a reason, before the
-- decision on its batch, and not where it was used (BPR-200, EU GMP 4.8). Also held in models/record/copy.py.
CREATE FUNCTION mrp_mmr_guard_bpr_copy_void() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    free CONSTANT text[] := ARRAY['void_reason', 'void_by_id', 'void_name', 'void_at', 'write_uid', 'write_date'];
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - free <> to_jsonb(OLD) - free OR OLD.void_at IS NOT NULL
       OR num_nonnulls(NEW.void_reason, NEW.void_by_id, NEW.void_name, NEW.void_at) < 4 OR trim(NEW.void_reason) = ''
       OR EXISTS (SELECT FROM mrp_bpr_transcription t WHERE t.copy_id = NEW.id AND t.state <> 'rejected')
       OR EXISTS (SELECT FROM mrp_bpr b WHERE b.id = NEW.bpr_id AND b.release_state IN ('released', 'rejected')) THEN
        RAISE EXCEPTION 'Issued worksheets cannot be changed; an unused copy can be voided once (BPR-200, AUD-030).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_copy_append_only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_bpr_copy_void BEFORE UPDATE OR DELETE ON mrp_bpr_copy
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_bpr_copy_void();
CREATE TRIGGER mrp_mmr_append_only_truncate BEFORE TRUNCATE ON mrp_bpr_copy
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_append_only();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_bpr_copy
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
