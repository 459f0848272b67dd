-- mrp_mmr_step: steps of a revision.

-- Frozen with its revision (REV-010; _content.sql).
CREATE TRIGGER mrp_mmr_guard_row BEFORE INSERT OR UPDATE OR DELETE ON mrp_mmr_step
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_row(
        'operation_id', 'mrp_routing_workcenter', 'bom_line_id', 'mrp_bom_line', 'equipment_id', 'mrp_mmr_equipment',
        'pack_id', 'mrp_mmr_pack');

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_mmr_step
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
