-- mrp_tamper_drill: results of the tamper drill.

-- The result of a drill is kept as it is; its signature comes later, over the digest of the result (AUD-030, 21 CFR
-- 11.10(e)). Also held in models/evidence/tamper_drill.py.
CREATE FUNCTION mrp_mmr_guard_drill() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    later CONSTANT text[] := ARRAY['signature_id', 'file_id', 'write_uid', 'write_date'];
BEGIN
    IF TG_OP = 'INSERT' AND NEW.signature_id IS NULL AND NEW.file_id IS NULL THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.signature_id IS NULL AND NEW.file_id IS NOT NULL
       AND to_jsonb(NEW) - later = to_jsonb(OLD) - later
       AND EXISTS (SELECT FROM mrp_esignature s
                    WHERE s.id = NEW.signature_id AND s.res_model = 'mrp.tamper.drill' AND s.res_id = NEW.id
                      AND s.meaning = 'checked' AND s.content_sha256 = NEW.results_sha256) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The result of a tamper drill cannot be changed (AUD-030, 21 CFR 11.10(e)).'
        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_drill_kept';
END $$;
CREATE TRIGGER mrp_mmr_guard_drill BEFORE INSERT OR UPDATE OR DELETE ON mrp_tamper_drill
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_drill();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_tamper_drill
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
