-- mrp_esignature: electronic signatures.

-- Written once (SIG-030, AUD-030; _shared.sql).
CREATE TRIGGER mrp_mmr_append_only BEFORE UPDATE OR DELETE ON mrp_esignature
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_append_only();
CREATE TRIGGER mrp_mmr_append_only_truncate BEFORE TRUNCATE ON mrp_esignature
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_append_only();

-- Whoever wrote an entry of a step does not verify a correction of it (VER-010, VER-050, VER-100, 21 CFR 111.260(j)). Also
-- held in models/record/step/entry.py.
CREATE FUNCTION mrp_mmr_guard_correction_verified() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM mrp_bpr_entry e WHERE e.id = NEW.res_id AND mrp_mmr_performed(e.step_id, NEW.user_id))
       OR EXISTS (SELECT FROM mrp_esignature s
                   WHERE s.res_model = NEW.res_model AND s.res_id = NEW.res_id AND s.id <> NEW.id
                     AND s.content ->> 'point' = 'corrected' AND mrp_mmr_same_person(s.user_id, NEW.user_id)) THEN
        RAISE EXCEPTION 'Nobody verifies the own entry (VER-010, VER-050, VER-100).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_entry_second_person';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_correction_verified BEFORE INSERT ON mrp_esignature
    FOR EACH ROW WHEN (NEW.res_model = 'mrp.bpr.entry' AND NEW.content ->> 'point' = 'verified')
    EXECUTE FUNCTION mrp_mmr_guard_correction_verified();
