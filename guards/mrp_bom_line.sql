-- mrp_bom_line: components; those of a revision are its content.

-- Quality Control confirms an overage until the approval; afterwards the confirmation stays as it is (PRD-050).
-- Also held in models/master/bom_line.py.
CREATE FUNCTION mrp_mmr_guard_overage() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (NEW.mmr_overage_confirmed_id, NEW.mmr_overage_confirmed_at)
       IS DISTINCT FROM (OLD.mmr_overage_confirmed_id, OLD.mmr_overage_confirmed_at)
       AND EXISTS (SELECT FROM mrp_mmr_revision r
                    WHERE r.bom_id = NEW.bom_id AND r.state NOT IN ('draft', 'submitted')) THEN
        RAISE EXCEPTION 'The confirmation of an overage is part of an approved record and cannot be changed (PRD-050).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_bom_line_content_frozen';
    END IF;
    -- Not by whoever prepared the revision, nor taken over by somebody else once it is submitted (PRD-050, VER-100).
    IF NEW.mmr_overage_confirmed_id IS DISTINCT FROM OLD.mmr_overage_confirmed_id AND EXISTS (
        SELECT FROM mrp_mmr_revision r JOIN mrp_esignature s ON s.id = r.prepared_signature_id
         WHERE r.bom_id = NEW.bom_id AND r.state = 'submitted'
           AND mrp_mmr_same_person(s.user_id, NEW.mmr_overage_confirmed_id)) THEN
        RAISE EXCEPTION 'The preparer of a revision cannot confirm its overages (PRD-050, VER-100).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bom_line_second_person';
    END IF;
    PERFORM FROM mrp_mmr_revision WHERE bom_id = NEW.bom_id FOR SHARE;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_overage BEFORE UPDATE OF mmr_overage_confirmed_id, mmr_overage_confirmed_at ON mrp_bom_line
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_overage();

-- Frozen with its revision; the columns stand in domain/columns.py (REV-010; _content.sql).
CREATE TRIGGER mrp_mmr_guard_insert_delete BEFORE INSERT OR DELETE ON mrp_bom_line
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_content();
CREATE TRIGGER mrp_mmr_guard_update BEFORE UPDATE OF {{mrp_bom_line}} ON mrp_bom_line
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_content();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_bom_line
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate({{'rows.mrp_bom_line'}});
