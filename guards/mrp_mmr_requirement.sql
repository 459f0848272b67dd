-- mrp_mmr_requirement: what a profile requires, shipped with the addon or added by a company.

-- A shipped row is what this version of the addon ships, or stays what it was, even while data are loaded; it is
-- switched on and off by a signature of Quality Control (AUD-060, REC-040). Also held in
-- models/master/requirement.py.
CREATE FUNCTION mrp_mmr_guard_requirement() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    shipped CONSTANT jsonb := $shipped${{shipped}}$shipped$::jsonb;
    wanted jsonb;
BEGIN
    IF TG_OP = 'DELETE' THEN
        SELECT shipped -> (p.code || '/' || OLD.code) INTO wanted FROM mrp_mmr_profile p WHERE p.id = OLD.profile_id;
        IF OLD.check IS NOT NULL AND wanted IS NOT NULL THEN
            RAISE EXCEPTION 'Requirement % is supplied with the addon and cannot be changed.', OLD.code
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_requirement_kept';
        END IF;
        IF EXISTS (SELECT FROM mrp_esignature s WHERE s.res_model = 'mrp.mmr.requirement' AND s.res_id = OLD.id) THEN
            RAISE EXCEPTION 'Requirement % was signed and cannot be deleted (REC-040).', OLD.code
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_requirement_kept';
        END IF;
        RETURN OLD;
    END IF;
    IF (NEW.check IS NOT NULL OR (TG_OP = 'UPDATE' AND OLD.check IS NOT NULL))
       AND (TG_OP = 'INSERT'
            OR (NEW.code, NEW.profile_id, NEW.company_id, NEW.scope, NEW.citation, NEW.enforcement, NEW.check,
                NEW.name ->> 'en_US')
               IS DISTINCT FROM
               (OLD.code, OLD.profile_id, OLD.company_id, OLD.scope, OLD.citation, OLD.enforcement, OLD.check,
                OLD.name ->> 'en_US'))
    THEN
        SELECT shipped -> (p.code || '/' || NEW.code) INTO wanted FROM mrp_mmr_profile p WHERE p.id = NEW.profile_id;
        IF NEW.company_id IS NOT NULL OR wanted IS DISTINCT FROM
                jsonb_build_array(NEW.scope, NEW.citation, NEW.enforcement, NEW.check, NEW.name ->> 'en_US')
           OR (TG_OP = 'UPDATE' AND (NEW.code, NEW.profile_id) IS DISTINCT FROM (OLD.code, OLD.profile_id)) THEN
            RAISE EXCEPTION 'Requirement % is supplied with the addon and cannot be changed.', NEW.code
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_requirement_kept';
        END IF;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.enabled IS DISTINCT FROM (NEW.check IS NULL OR NEW.enforcement <> 'O') THEN
            RAISE EXCEPTION 'Requirement % can only be switched on and off by a signature of Quality Control.', NEW.code
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_requirement_signed';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.enabled IS DISTINCT FROM OLD.enabled
       AND NEW.enabled::text IS DISTINCT FROM (
            SELECT s.content ->> 'enabled' FROM mrp_esignature s
             WHERE s.res_model = 'mrp.mmr.requirement' AND s.res_id = NEW.id AND s.meaning = 'approved'
             ORDER BY s.id DESC LIMIT 1) THEN
        RAISE EXCEPTION 'Requirement % can only be switched on and off by a signature of Quality Control.', OLD.code
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_requirement_signed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_requirement BEFORE INSERT OR UPDATE OR DELETE ON mrp_mmr_requirement
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_requirement();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_mmr_requirement
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
