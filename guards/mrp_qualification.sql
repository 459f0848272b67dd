-- mrp_qualification: qualifications and training of persons.

-- A qualification is granted by another person, kept, and never changed: it is revoked and granted anew (SEC-030,
-- REC-040, 21 CFR 111.605(b)). Also held in models/people/qualification.py.
CREATE FUNCTION mrp_mmr_guard_qualification() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    -- What a revocation sets, and what the reminder and the ORM note.
    free CONSTANT text[] := ARRAY['revoked_at', 'revoked_by_id', 'revoke_reason', 'reminded_on', 'write_uid',
                                  'write_date'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.revoked_at IS NOT NULL OR EXISTS (
                SELECT FROM res_users u JOIN res_users g ON g.id = NEW.granted_by_id
                 WHERE u.id = NEW.user_id AND (g.id = u.id OR g.partner_id = u.partner_id)) THEN
            RAISE EXCEPTION 'A qualification must be granted by another person, and can only be revoked later (SEC-030).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_qualification_granted';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'A qualification cannot be deleted (SEC-030, REC-040, 21 CFR 111.605(b)).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_qualification_kept';
    END IF;
    IF to_jsonb(NEW) - free <> to_jsonb(OLD) - free
       OR (OLD.revoked_at IS NOT NULL AND (NEW.revoked_at, NEW.revoked_by_id, NEW.revoke_reason)
           IS DISTINCT FROM (OLD.revoked_at, OLD.revoked_by_id, OLD.revoke_reason)) THEN
        RAISE EXCEPTION 'A qualification cannot be changed: it is revoked, and a new one is granted (SEC-030).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_qualification_fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_qualification BEFORE INSERT OR UPDATE OR DELETE ON mrp_qualification
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_qualification();
CREATE TRIGGER mrp_mmr_guard_qualification_truncate BEFORE TRUNCATE ON mrp_qualification
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_qualification();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_qualification
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
