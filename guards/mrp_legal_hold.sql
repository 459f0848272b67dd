-- mrp_legal_hold: holds on batch and master records.

-- A hold is set and lifted by signatures of Quality Control, and kept (REC-040). Also held in
-- models/retention/legal_hold.py.
CREATE FUNCTION mrp_mmr_guard_hold() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'Legal holds are lifted, not deleted (REC-040).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_hold_kept';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF num_nonnulls(NEW.signature_id, NEW.lift_signature_id) > 0 THEN
            RAISE EXCEPTION 'Hold % can only be signed after it was recorded (REC-040).', NEW.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_hold_signed';
        END IF;
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - '{signature_id,lift_signature_id,write_date,write_uid}'::text[]
       <> to_jsonb(OLD) - '{signature_id,lift_signature_id,write_date,write_uid}'::text[]
       OR OLD.signature_id IS NOT NULL AND NEW.signature_id IS DISTINCT FROM OLD.signature_id
       OR OLD.lift_signature_id IS NOT NULL AND NEW.lift_signature_id IS DISTINCT FROM OLD.lift_signature_id
       OR NEW.signature_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM mrp_esignature s
             WHERE s.id = NEW.signature_id AND s.res_model = 'mrp.legal.hold' AND s.res_id = NEW.id
               AND s.content ->> 'schema' = 'mrp_mmr/hold/1' AND s.content ->> 'action' = 'hold'
               AND s.content ->> 'reason' = NEW.reason
               AND (s.content #>> '{of,id}')::integer = COALESCE(NEW.bpr_id, NEW.mmr_id)
               AND s.content #>> '{of,model}' = CASE WHEN NEW.bpr_id IS NULL THEN 'mrp.mmr' ELSE 'mrp.bpr' END)
       OR NEW.lift_signature_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM mrp_esignature s
             WHERE s.id = NEW.lift_signature_id AND s.res_model = 'mrp.legal.hold' AND s.res_id = NEW.id
               AND s.content ->> 'schema' = 'mrp_mmr/hold/1' AND s.content ->> 'action' = 'lift'
               AND s.basis_signature_id = NEW.signature_id AND trim(s.comment) <> '') THEN
        RAISE EXCEPTION 'Hold % can only be set and lifted by signatures of Quality Control (REC-040).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_hold_signed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_hold BEFORE INSERT OR UPDATE OR DELETE ON mrp_legal_hold
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_hold();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_legal_hold
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
