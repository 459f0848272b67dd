-- mrp_audit_chain: the head of each chain of the ledger.

-- A chain begins empty and grows line by line (AUD-030, 21 CFR 11.10(e)). Also held in
-- models/evidence/audit_entry.py.
CREATE FUNCTION mrp_mmr_guard_chain() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.head_index = 0 AND NEW.head_sha256 = repeat('0', 64) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.head_index, NEW.head_sha256) = (OLD.head_index, OLD.head_sha256)
       AND (NEW.id, NEW.res_model, NEW.res_id, NEW.company_id, NEW.name)
           IS NOT DISTINCT FROM (OLD.id, OLD.res_model, OLD.res_id, OLD.company_id, OLD.name)
       AND NEW.sealed_index = NEW.head_index THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.head_index > OLD.head_index
       AND (NEW.id, NEW.res_model, NEW.res_id, NEW.company_id, NEW.name)
           IS NOT DISTINCT FROM (OLD.id, OLD.res_model, OLD.res_id, OLD.company_id, OLD.name)
       AND EXISTS (SELECT FROM mrp_audit_entry e
                    WHERE e.chain_id = NEW.id AND e.index = NEW.head_index AND e.sha256 = NEW.head_sha256)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'A chain of the audit trail can only grow, line by line (AUD-030, 21 CFR 11.10(e)).'
        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_chain';
END $$;
CREATE TRIGGER mrp_mmr_guard_chain BEFORE INSERT OR UPDATE OR DELETE ON mrp_audit_chain
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_chain();
CREATE TRIGGER mrp_mmr_guard_chain_truncate BEFORE TRUNCATE ON mrp_audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_chain();
