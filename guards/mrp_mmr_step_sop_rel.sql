-- mrp_mmr_step_sop_rel: procedures that a step names; a table without a model.

-- Which procedures a step names is content as well (REV-010). Also held in models/master/step.py.
CREATE FUNCTION mrp_mmr_guard_step_sop() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM mrp_mmr_step s JOIN mrp_mmr_revision r ON r.id = s.revision_id
         WHERE r.state <> 'draft'
           AND s.id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.step_id END,
                        CASE WHEN TG_OP <> 'INSERT' THEN OLD.step_id END)) THEN
        RAISE EXCEPTION 'The procedures of a step are signed and cannot be changed (REV-010).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_step_sop_rel_content_frozen';
    END IF;
    PERFORM FROM mrp_mmr_revision r WHERE r.id IN (
        SELECT s.revision_id FROM mrp_mmr_step s
         WHERE s.id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.step_id END,
                        CASE WHEN TG_OP <> 'INSERT' THEN OLD.step_id END)) FOR SHARE;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER mrp_mmr_guard_step_sop BEFORE INSERT OR UPDATE OR DELETE ON mrp_mmr_step_sop_rel
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_step_sop();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_mmr_step_sop_rel
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
