-- mrp_mmr_specification: acceptance criteria of a revision.

-- Frozen with its revision (REV-010; _content.sql).
CREATE TRIGGER mrp_mmr_guard_row BEFORE INSERT OR UPDATE OR DELETE ON mrp_mmr_specification
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_row();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_mmr_specification
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
