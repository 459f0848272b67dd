-- mrp_bom: bills of materials; those of a revision are its content.

-- The bill of materials of a revision is used while the revision is effective, and does not change once it is
-- signed (REV-010). Also held in models/master/bom.py.
CREATE FUNCTION mrp_mmr_guard_bom() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    owner text;
    owner_state varchar;
BEGIN
    SELECT m.name || ', revision ' || r.revision, r.state INTO owner, owner_state
      FROM mrp_mmr_revision r JOIN mrp_mmr m ON m.id = r.mmr_id
     WHERE r.bom_id = OLD.id;
    IF owner IS NULL THEN
        RETURN NEW;
    END IF;
    IF NEW.active AND NOT OLD.active AND owner_state <> 'effective' THEN
        RAISE EXCEPTION 'The bill of materials of % cannot be used: the revision is %.',
            owner, owner_state
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_bom_not_effective';
    END IF;
    IF owner_state <> 'draft' AND
       ({{NEW.mrp_bom}}) IS DISTINCT FROM ({{OLD.mrp_bom}}) THEN
        RAISE EXCEPTION 'The content of % is signed and cannot be changed (REV-010).', owner
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_bom_content_frozen';
    END IF;
    IF owner_state = 'draft' THEN
        PERFORM FROM mrp_mmr_revision WHERE bom_id = OLD.id FOR SHARE;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_bom BEFORE UPDATE ON mrp_bom FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_bom();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_bom
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate({{'rows.mrp_bom'}});
