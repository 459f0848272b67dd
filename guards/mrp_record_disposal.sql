-- mrp_record_disposal: signed disposals of batch records.

-- A disposal is signed once, over records whose date has passed and that nobody holds, and kept (REC-040, 21 CFR
-- 11.10(c)). Also held in models/retention/disposal.py.
CREATE FUNCTION mrp_mmr_guard_disposal() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'Disposals cannot be deleted (REC-040, 21 CFR 11.10(c)).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_disposal_kept';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.signature_id IS NOT NULL THEN
            RAISE EXCEPTION 'Disposal % can only be signed after it was recorded (REC-040).', NEW.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_disposal_signed';
        END IF;
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - '{signature_id,write_date,write_uid}'::text[]
       <> to_jsonb(OLD) - '{signature_id,write_date,write_uid}'::text[]
       OR NEW.signature_id IS DISTINCT FROM OLD.signature_id AND (
        OLD.signature_id IS NOT NULL OR NOT EXISTS (
            SELECT FROM mrp_esignature s
             WHERE s.id = NEW.signature_id AND s.res_model = 'mrp.record.disposal' AND s.res_id = NEW.id
               AND s.meaning = 'approved' AND s.content ->> 'schema' = 'mrp_mmr/disposal/1'
               AND s.content ->> 'name' = NEW.name AND s.content ->> 'reason' = NEW.reason)
        OR EXISTS (
            SELECT FROM mrp_esignature s CROSS JOIN jsonb_array_elements(s.content -> 'batches') k
             WHERE s.id = NEW.signature_id AND NOT mrp_mmr_may_dispose((k ->> 'id')::integer))) THEN
        RAISE EXCEPTION 'Disposal % can only be signed once, for records whose date has passed and that are not on hold '
                        '(REC-040).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_disposal_signed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_disposal BEFORE INSERT OR UPDATE OR DELETE ON mrp_record_disposal
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_disposal();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_record_disposal
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
