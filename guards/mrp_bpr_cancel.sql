-- A batch that runs is cancelled by a signature with its reason, or because Quality Control rejected it (BPR-200).
CREATE OR REPLACE FUNCTION mrp_mmr_guard_bpr_cancel() RETURNS trigger
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.release_state <> 'rejected' AND NOT EXISTS (
        SELECT FROM mrp_esignature s
         WHERE s.res_model = 'mrp.bpr' AND s.res_id = NEW.id AND s.content ->> 'schema' = 'mrp_mmr/cancel/1'
           AND s.content ->> 'bpr' = NEW.name AND trim(s.comment) <> '') THEN
        RAISE EXCEPTION '% runs: it is cancelled by a signature with its reason (BPR-200, 21 CFR 111.260).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_cancel_signed';
    END IF;
    RETURN NEW;
END $$ LANGUAGE plpgsql;

CREATE OR REPLACE TRIGGER mrp_mmr_guard_bpr_cancel BEFORE UPDATE ON mrp_bpr FOR EACH ROW
    WHEN (OLD.state = 'progress' AND NEW.state = 'cancel') EXECUTE FUNCTION mrp_mmr_guard_bpr_cancel();
