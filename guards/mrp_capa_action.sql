-- mrp_capa_action: the single actions of a CAPA.

-- Actions of a CAPA that was started are kept, and what is done stays done (DEV-090, REC-040). Also held in
-- models/deviation/capa_action.py.
CREATE FUNCTION mrp_mmr_guard_capa_action() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    capa varchar;
BEGIN
    SELECT c.state INTO capa FROM mrp_capa c
     WHERE c.id = CASE TG_OP WHEN 'DELETE' THEN OLD.capa_id ELSE NEW.capa_id END;
    IF TG_OP = 'DELETE' THEN
        IF capa <> 'draft' THEN
            RAISE EXCEPTION 'The actions of a CAPA that was started cannot be deleted (DEV-090, REC-040).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_capa_action_kept';
        END IF;
        RETURN OLD;
    END IF;
    IF capa = 'closed' OR TG_OP = 'UPDATE' AND (NEW.capa_id <> OLD.capa_id
        OR OLD.done_at IS NOT NULL AND NEW.done_at IS NULL) THEN
        RAISE EXCEPTION 'The actions of a closed CAPA, and completed actions, cannot be changed (DEV-090).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_capa_action_fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_capa_action BEFORE INSERT OR UPDATE OR DELETE ON mrp_capa_action
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_capa_action();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_capa_action
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
