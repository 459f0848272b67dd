-- mrp_mmr_pack_line: packaging materials of a pack.

-- Frozen with its revision (REV-010; _content.sql).
CREATE TRIGGER mrp_mmr_guard_row BEFORE INSERT OR UPDATE OR DELETE ON mrp_mmr_pack_line
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_row('pack_id', 'mrp_mmr_pack');

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_mmr_pack_line
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
