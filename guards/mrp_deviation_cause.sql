-- mrp_deviation_cause: the list of causes that deviations name.

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_deviation_cause
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
