-- mrp_mmr_reviewer: which reviews a revision needs before its approval.

-- A review comes into force, and out of it, by a signature over what it is (APR-030, REC-040). Also held in
-- models/master/reviewer.py.
CREATE FUNCTION mrp_mmr_guard_reviewer() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    signed jsonb;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM mrp_esignature s WHERE s.res_model = 'mrp.mmr.reviewer' AND s.res_id = OLD.id) THEN
            RAISE EXCEPTION 'The review % was signed and cannot be deleted (REC-040).', OLD.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_reviewer_kept';
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.enabled THEN
            RAISE EXCEPTION 'The review % can only be put in force by a signature (APR-030).', NEW.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_reviewer_signed';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.enabled AND (NEW.name, NEW.sequence, NEW.group_id, NEW.profile_id, NEW.company_id, NEW.active)
       IS DISTINCT FROM (OLD.name, OLD.sequence, OLD.group_id, OLD.profile_id, OLD.company_id, OLD.active) THEN
        RAISE EXCEPTION 'The review % is in force and cannot be changed (APR-030).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_reviewer_fixed';
    END IF;
    IF NEW.enabled IS DISTINCT FROM OLD.enabled THEN
        SELECT s.content INTO signed FROM mrp_esignature s
         WHERE s.res_model = 'mrp.mmr.reviewer' AND s.res_id = NEW.id AND s.meaning = 'approved'
         ORDER BY s.id DESC LIMIT 1;
        IF (NEW.enabled::text, NEW.name, NEW.sequence::text, NEW.group_id::text, NEW.profile_id::text,
            NEW.company_id::text)
           IS DISTINCT FROM
           (signed ->> 'enabled', signed ->> 'name', signed ->> 'sequence', signed -> 'role' ->> 'id',
            signed -> 'profile' ->> 'id', signed -> 'company' ->> 'id') THEN
            RAISE EXCEPTION 'The review % can only be put in force and taken out of force by a signature (APR-030).', OLD.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_reviewer_signed';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_reviewer BEFORE INSERT OR UPDATE OR DELETE ON mrp_mmr_reviewer
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_reviewer();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_mmr_reviewer
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
