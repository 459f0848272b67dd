-- mrp_audit_entry: the lines of the ledger.

-- A line follows the line before it (AUD-040, 21 CFR 11.10(a)). Also held in models/evidence/audit_entry.py.
CREATE FUNCTION mrp_mmr_guard_entry() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM mrp_audit_entry e
                    WHERE e.chain_id = NEW.chain_id AND e.index = NEW.index - 1
                      AND e.sha256 = NEW.previous_sha256)
       AND NOT (NEW.index = 1 AND NEW.previous_sha256 = repeat('0', 64)) THEN
        RAISE EXCEPTION 'A line of the audit trail must follow the last line of its chain (AUD-040, 21 CFR 11.10(a)).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_entry_follows';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_entry BEFORE INSERT ON mrp_audit_entry
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_entry();

-- Written once (SIG-030, AUD-030; _shared.sql).
CREATE TRIGGER mrp_mmr_append_only BEFORE UPDATE OR DELETE ON mrp_audit_entry
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_append_only();
CREATE TRIGGER mrp_mmr_append_only_truncate BEFORE TRUNCATE ON mrp_audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_append_only();
