-- mrp_deviation_contributor: what persons contributed to an investigation.

-- What a person contributed to an investigation is signed by that person and stays (DEV-030, 21 CFR
-- 111.140(b)(3)(vii)). Also held in models/deviation/contributor.py.
CREATE FUNCTION mrp_mmr_guard_deviation_contributor() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    deviation integer := CASE TG_OP WHEN 'DELETE' THEN OLD.deviation_id ELSE NEW.deviation_id END;
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.signature_id IS NOT NULL
       OR TG_OP = 'INSERT' AND NEW.signature_id IS NOT NULL
       OR TG_OP = 'UPDATE' AND NEW.deviation_id <> OLD.deviation_id
       OR EXISTS (SELECT FROM mrp_deviation d WHERE d.id = deviation AND d.state = 'closed') THEN
        RAISE EXCEPTION 'A signed contribution cannot be changed, and none can be added to a closed investigation '
                        '(DEV-030, 21 CFR 111.140(b)(3)(vii)).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_contributor_fixed';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NEW.signature_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM mrp_esignature s
         WHERE s.id = NEW.signature_id AND s.res_model = 'mrp.deviation.contributor' AND s.res_id = NEW.id
           AND s.user_id = NEW.user_id AND s.content ->> 'contribution' = NEW.contribution) THEN
        RAISE EXCEPTION 'A contribution must be signed by the person who made it (DEV-030).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_contributor_signed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_deviation_contributor BEFORE INSERT OR UPDATE OR DELETE ON mrp_deviation_contributor
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_deviation_contributor();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_deviation_contributor
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
