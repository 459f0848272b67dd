-- mrp_esignature: electronic signatures.

-- Written once (SIG-030, AUD-030; _shared.sql).
CREATE TRIGGER mrp_mmr_append_only BEFORE UPDATE OR DELETE ON mrp_esignature
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_append_only();
CREATE TRIGGER mrp_mmr_append_only_truncate BEFORE TRUNCATE ON mrp_esignature
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_append_only();
