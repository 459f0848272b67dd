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
        RAISE EXCEPTION 'Worksheets are copies of an issued, open record, numbered one by one (BPR-160).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_copy_numbered';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_bpr_copy BEFORE INSERT ON mrp_bpr_copy
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_bpr_copy();

-- Written once (SIG-030, AUD-030; _shared.sql).
CREATE TRIGGER mrp_mmr_append_only BEFORE UPDATE OR DELETE ON mrp_bpr_copy
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_append_only();
CREATE TRIGGER mrp_mmr_append_only_truncate BEFORE TRUNCATE ON mrp_bpr_copy
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_append_only();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_bpr_copy
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
