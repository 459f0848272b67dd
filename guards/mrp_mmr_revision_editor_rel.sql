-- mrp_mmr_revision_editor_rel: who edited a revision; a table without a model.

-- Who edited a revision is remembered as long as there is something to approve (APR-040). Also held in
-- models/master/revision/approval.py.
CREATE FUNCTION mrp_mmr_guard_editor() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM mrp_mmr_revision WHERE id = OLD.revision_id)
       AND (TG_OP = 'DELETE' OR NEW IS DISTINCT FROM OLD) THEN
        RAISE EXCEPTION 'The editors of a revision cannot be removed (APR-040).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_editor_kept';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER mrp_mmr_guard_editor BEFORE UPDATE OR DELETE ON mrp_mmr_revision_editor_rel
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_editor();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_mmr_revision_editor_rel
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
