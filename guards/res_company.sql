-- The settings of a company that other guards rest on.

-- The time zone of a company is one that PostgreSQL knows by its name (DAY-010). Also held in models/base/days.py.
CREATE FUNCTION mrp_mmr_guard_company_tz() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.mmr_tz IS NOT NULL AND NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = NEW.mmr_tz) THEN
        RAISE EXCEPTION 'PostgreSQL knows no time zone % (DAY-010).', NEW.mmr_tz
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_company_tz';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_company_tz BEFORE INSERT OR UPDATE OF mmr_tz ON res_company
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_company_tz();
