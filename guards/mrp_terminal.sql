-- mrp_terminal: terminals that values are recorded at.

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_terminal
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
