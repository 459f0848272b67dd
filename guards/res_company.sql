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

-- The set-up of a company ends once, by a user (SEC-070, 21 CFR 11.10(d), (g)). Also held in models/people/setup.py.
CREATE FUNCTION mrp_mmr_guard_company_setup() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.mmr_setup_closed_at IS NOT NULL OR NEW.mmr_setup_closed_at IS NULL OR NEW.mmr_setup_closed_by_id IS NULL
       OR NOT EXISTS (
            SELECT FROM res_groups_users_rel g JOIN ir_model_data x ON x.res_id = g.gid AND x.model = 'res.groups'
               AND x.module = 'mrp_mmr' AND x.name = 'group_mmr_security' WHERE g.uid = NEW.mmr_setup_closed_by_id) THEN
        RAISE EXCEPTION 'The set-up of company % can only be closed once, by a security administrator (SEC-070).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_company_setup';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_company_setup BEFORE UPDATE ON res_company FOR EACH ROW
    WHEN ((NEW.mmr_setup_closed_at, NEW.mmr_setup_closed_by_id)
          IS DISTINCT FROM (OLD.mmr_setup_closed_at, OLD.mmr_setup_closed_by_id))
    EXECUTE FUNCTION mrp_mmr_guard_company_setup();

-- Whether PINs sign, how long they are and until when: what the last line of the ledger about it says, at the end of each
-- transaction, and what the addon came with before (SIG-130, AUD-090, 21 CFR 11.10(k)). Also held in models/base/company.py
-- and verification/check_sessions.py.
CREATE FUNCTION mrp_mmr_guard_company_pin() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    live jsonb := (SELECT to_jsonb(c) FROM res_company c WHERE c.id = NEW.id);
    usual jsonb := jsonb_build_object('mmr_pin', false, 'mmr_pin_length', 6, 'mmr_pin_idle_minutes', 10);
    name text;
    said text;
BEGIN
    FOR name IN SELECT jsonb_object_keys(usual) LOOP
        SELECT e."values"::jsonb -> name ->> 'new' INTO said FROM mrp_audit_entry e
         WHERE e.res_model = 'res.company' AND e.res_id = NEW.id AND e.kind = 'setting' AND e."values"::jsonb ? name
         ORDER BY e.id DESC LIMIT 1;
        IF COALESCE(live ->> name, usual ->> name) IS DISTINCT FROM COALESCE(said, usual ->> name) AND live IS NOT NULL THEN
            RAISE EXCEPTION 'Settings of PINs change with their line in the ledger alone: % (SIG-130, AUD-090).', name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_company_pin';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER mrp_mmr_guard_company_pin AFTER INSERT OR UPDATE OF mmr_pin, mmr_pin_length, mmr_pin_idle_minutes
    ON res_company DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_company_pin();
