-- mrp_workcenter_terminal_rel: terminals of a work center; a table without a model.

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_workcenter_terminal_rel
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
