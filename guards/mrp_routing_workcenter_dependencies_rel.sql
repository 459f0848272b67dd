-- mrp_routing_workcenter_dependencies_rel: the order of stages; a table without a model.

-- The order of the stages is content as well: it is frozen with its revision, and stages follow stages of the same
-- one (REV-010). Also held in models/master/stage.py.
CREATE FUNCTION mrp_mmr_guard_dependency() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM mrp_routing_workcenter o JOIN mrp_mmr_revision r ON r.bom_id = o.bom_id
         WHERE r.state <> 'draft'
           AND o.id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.operation_id END,
                        CASE WHEN TG_OP <> 'INSERT' THEN OLD.operation_id END)) THEN
        RAISE EXCEPTION 'The sequence of operations is signed and cannot be changed (REV-010).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_routing_workcenter_dependencies_rel_content_frozen';
    END IF;
    PERFORM FROM mrp_mmr_revision r WHERE r.bom_id IN (
        SELECT o.bom_id FROM mrp_routing_workcenter o
         WHERE o.id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.operation_id END,
                        CASE WHEN TG_OP <> 'INSERT' THEN OLD.operation_id END)) FOR SHARE;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF EXISTS (
        SELECT FROM mrp_routing_workcenter o JOIN mrp_routing_workcenter b ON b.id = NEW.blocked_by_id
         WHERE o.id = NEW.operation_id AND o.bom_id <> b.bom_id
           AND EXISTS (SELECT FROM mrp_mmr_revision r WHERE r.bom_id IN (o.bom_id, b.bom_id))) THEN
        RAISE EXCEPTION 'A stage can only follow stages of the same revision (REV-010).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_routing_workcenter_dependencies_rel_content_foreign';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_dependency BEFORE INSERT OR UPDATE OR DELETE ON mrp_routing_workcenter_dependencies_rel
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_dependency();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_routing_workcenter_dependencies_rel
    FOR EACH STATEMENT
    EXECUTE FUNCTION mrp_mmr_guard_truncate({{'rows.mrp_routing_workcenter_dependencies_rel'}});
