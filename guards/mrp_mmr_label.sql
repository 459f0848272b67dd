-- mrp_mmr_label: versions of labels.

-- A label is approved by a signature of its own, and does not change once it is approved or a signed revision uses
-- it (CON-070, REV-010, 21 CFR 211.186(b)(8)). Also held in models/master/product_label.py.
CREATE FUNCTION mrp_mmr_guard_label() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'DELETE' AND NEW.approved_signature_id IS NOT NULL
       AND (TG_OP = 'INSERT' OR OLD.approved_signature_id IS NULL) AND NOT EXISTS (
            SELECT FROM mrp_esignature s
             WHERE s.id = NEW.approved_signature_id AND s.res_model = 'mrp.mmr.label'
               AND s.res_id = NEW.id AND s.meaning = 'approved') THEN
        RAISE EXCEPTION 'Label % has no approval signature of its own (CON-070).', NEW.code
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_label_signed';
    END IF;
    IF TG_OP = 'INSERT' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.state <> OLD.state AND NOT (
            (OLD.state, NEW.state) = ('draft', 'approved') AND NEW.approved_signature_id IS NOT NULL
            OR NEW.state = 'obsolete' AND EXISTS (
                SELECT FROM mrp_esignature s
                 WHERE s.res_model = 'mrp.mmr.label' AND s.res_id = NEW.id AND s.meaning = 'retired')) THEN
        RAISE EXCEPTION 'Label % can only be approved and retired by signatures (CON-070, 21 CFR 211.186(b)(8)).', OLD.code
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_label_signed';
    END IF;
    IF (OLD.approved_signature_id IS NOT NULL OR OLD.state <> 'draft' OR EXISTS (
            SELECT FROM mrp_mmr_pack p JOIN mrp_mmr_revision r ON r.id = p.revision_id
             WHERE p.label_id = OLD.id AND r.state <> 'draft'))
       AND (TG_OP = 'DELETE' OR
            ({{NEW.mrp_mmr_label}}) IS DISTINCT FROM ({{OLD.mrp_mmr_label}})
            OR (OLD.approved_signature_id IS NOT NULL
                AND NEW.approved_signature_id IS DISTINCT FROM OLD.approved_signature_id)) THEN
        RAISE EXCEPTION 'Label % is signed and cannot be changed (REV-010).', OLD.code
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_label_content_frozen';
    END IF;
    PERFORM FROM mrp_mmr_revision r WHERE r.state = 'draft' AND r.id IN (
        SELECT p.revision_id FROM mrp_mmr_pack p WHERE p.label_id = OLD.id) FOR SHARE;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER mrp_mmr_guard_label BEFORE INSERT OR UPDATE OR DELETE ON mrp_mmr_label
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_label();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_mmr_label
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
