-- mrp_mmr_equipment: equipment of the stages of a revision.

-- Frozen with its revision (REV-010; _content.sql).
CREATE TRIGGER mrp_mmr_guard_row BEFORE INSERT OR UPDATE OR DELETE ON mrp_mmr_equipment
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_row('operation_id', 'mrp_routing_workcenter');

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_mmr_equipment
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
