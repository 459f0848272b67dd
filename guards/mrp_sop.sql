-- mrp_sop: controlled documents that revisions refer to.

-- A document that a signed revision names, or that persons were trained on, does not change (REV-010, SEC-030).
-- Also held in models/master/sop.py.
CREATE FUNCTION mrp_mmr_guard_sop() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    used integer[];
BEGIN
    IF ({{NEW.mrp_sop}}) IS NOT DISTINCT FROM ({{OLD.mrp_sop}}) THEN
        RETURN NEW;
    END IF;
    used := ARRAY(
        SELECT revision_id FROM mrp_mmr_step WHERE method_id = OLD.id
        UNION SELECT s.revision_id FROM mrp_mmr_step s JOIN mrp_mmr_step_sop_rel l ON l.step_id = s.id
               WHERE l.sop_id = OLD.id
        UNION SELECT revision_id FROM mrp_mmr_specification WHERE method_id = OLD.id OR document_id = OLD.id
        UNION SELECT revision_id FROM mrp_mmr_reference WHERE sop_id = OLD.id);
    IF EXISTS (SELECT FROM mrp_mmr_revision r WHERE r.id = ANY(used) AND r.state <> 'draft') THEN
        RAISE EXCEPTION 'Document % is referenced in a signed revision and cannot be changed (REV-010).', OLD.code
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_sop_content_frozen';
    END IF;
    IF EXISTS (SELECT FROM mrp_qualification q WHERE q.sop_id = OLD.id) THEN
        RAISE EXCEPTION 'People were trained on document %: it cannot be changed (SEC-030).', OLD.code
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_sop_content_frozen';
    END IF;
    PERFORM FROM mrp_mmr_revision r WHERE r.id = ANY(used) FOR SHARE;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_sop BEFORE UPDATE ON mrp_sop FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_sop();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_sop
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
