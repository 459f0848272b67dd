-- mrp_capa: corrective and preventive actions.

-- A CAPA begins as a draft, keeps its number, goes its way and is closed by a signature of Quality Control; once
-- started it is kept (DEV-090, REC-040). Also held in models/deviation/capa.py.
CREATE FUNCTION mrp_mmr_guard_capa() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    free CONSTANT text[] := ARRAY['write_uid', 'write_date', 'message_main_attachment_id', 'reminded_on'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state <> 'draft' THEN
            RAISE EXCEPTION '% was started and cannot be deleted (DEV-090, REC-040).', OLD.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_capa_kept';
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' OR NEW.closing_signature_id IS NOT NULL THEN
            RAISE EXCEPTION 'A CAPA starts as a draft (DEV-090).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_capa_state';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.name, NEW.company_id) IS DISTINCT FROM (OLD.name, OLD.company_id)
       OR OLD.state = 'closed' AND to_jsonb(NEW) - free <> to_jsonb(OLD) - free THEN
        RAISE EXCEPTION 'The number of %, and what was closed, cannot be changed (DEV-090).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_capa_fixed';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
            ('draft', 'running'), ('running', 'check'), ('check', 'running'), ('check', 'closed'))
       OR NEW.state = 'check' AND OLD.state = 'running' AND EXISTS (
            SELECT FROM mrp_capa_action a WHERE a.capa_id = NEW.id AND a.done_at IS NULL)
       OR (NEW.state = 'closed') <> (NEW.closing_signature_id IS NOT NULL)
       OR NEW.state = 'closed' AND (NEW.effectiveness_result IS DISTINCT FROM 'effective' OR NOT EXISTS (
            SELECT FROM mrp_esignature s
             WHERE s.id = NEW.closing_signature_id AND s.res_model = 'mrp.capa' AND s.res_id = NEW.id
               AND s.meaning = 'approved')) THEN
        RAISE EXCEPTION '% can only be closed by Quality Control after the effectiveness of its actions was checked (DEV-090).',
            OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_capa_state';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_capa BEFORE INSERT OR UPDATE OR DELETE ON mrp_capa
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_capa();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_capa
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
