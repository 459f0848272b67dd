-- mrp_mmr_step_check: single checks of a step.

-- Frozen with its revision (REV-010; _content.sql).
CREATE TRIGGER mrp_mmr_guard_row BEFORE INSERT OR UPDATE OR DELETE ON mrp_mmr_step_check
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_row('step_id', 'mrp_mmr_step');

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_mmr_step_check
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
