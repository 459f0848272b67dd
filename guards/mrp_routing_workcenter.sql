-- mrp_routing_workcenter: stages; those of a revision are its content.

-- Frozen with its revision; the columns stand in domain/columns.py (REV-010; _content.sql).
CREATE TRIGGER mrp_mmr_guard_insert_delete BEFORE INSERT OR DELETE ON mrp_routing_workcenter
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_content();
CREATE TRIGGER mrp_mmr_guard_update BEFORE UPDATE OF {{mrp_routing_workcenter}} ON mrp_routing_workcenter
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_content();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_routing_workcenter
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate({{'rows.mrp_routing_workcenter'}});
