-- mrp_bpr_sample: samples taken of a batch.

-- Samples are recorded before the packaged lot is decided on (REL-060). Also held in models/record/sample.py.
CREATE FUNCTION mrp_mmr_guard_bpr_sample() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM mrp_bpr b WHERE b.id = NEW.bpr_id AND b.state IN ('progress', 'done')
                      AND b.release_state <> 'rejected' AND b.packed_state IS NULL
                      AND (b.release_state <> 'released' OR NEW.kind = 'reserve')) THEN
        RAISE EXCEPTION 'Samples can only be recorded before the packaged lot is decided on (REL-060).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_sample_in_time';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_bpr_sample BEFORE INSERT ON mrp_bpr_sample
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_bpr_sample();

-- Written once (SIG-030, AUD-030; _shared.sql).
CREATE TRIGGER mrp_mmr_append_only BEFORE UPDATE OR DELETE ON mrp_bpr_sample
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_append_only();
CREATE TRIGGER mrp_mmr_append_only_truncate BEFORE TRUNCATE ON mrp_bpr_sample
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_append_only();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_bpr_sample
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
