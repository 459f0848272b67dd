-- mrp_mmr_profile: profiles of regulations.

-- A profile keeps its code, which says what is checked (REV-010). Also held in models/master/profile.py.
CREATE FUNCTION mrp_mmr_guard_profile() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'The code of profile % determines what is checked and cannot be changed (REV-010).', OLD.code
        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_profile_code';
END $$;
CREATE TRIGGER mrp_mmr_guard_profile BEFORE UPDATE ON mrp_mmr_profile
    FOR EACH ROW WHEN (NEW.code IS DISTINCT FROM OLD.code) EXECUTE FUNCTION mrp_mmr_guard_profile();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_mmr_profile
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
