-- mrp_mmr_revision: revisions of master manufacturing records.

-- A revision begins as a draft and goes the ways below only; each status has its signatures of two persons over the
-- same document, and what is signed does not change (REV-010, APR-010 to APR-040, PRD-050, REC-040). Also held in
-- models/master/revision/revision.py and models/master/revision/approval.py.
CREATE FUNCTION mrp_mmr_guard_revision() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    prepared mrp_esignature;
    approved mrp_esignature;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state <> 'draft' OR OLD.submitted_once THEN
            RAISE EXCEPTION 'Revision % was submitted or cancelled and cannot be deleted (REC-040).', OLD.revision
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_revision_kept';
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' OR NEW.document IS NOT NULL OR NEW.submitted_once THEN
            RAISE EXCEPTION 'A revision starts as a draft (APR-010).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_revision_transition';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
            ('draft', 'submitted'), ('draft', 'cancelled'), ('submitted', 'draft'), ('submitted', 'approved'),
            ('approved', 'effective'), ('approved', 'obsolete'),
            ('effective', 'superseded'), ('effective', 'obsolete')) THEN
        RAISE EXCEPTION 'Revision % cannot go from % to % (APR-010).', OLD.revision, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_revision_transition';
    END IF;
    IF (NEW.mmr_id, NEW.revision, NEW.bom_id) IS DISTINCT FROM (OLD.mmr_id, OLD.revision, OLD.bom_id)
            AND OLD.revision <> 0
       OR (OLD.submitted_once AND NEW.submitted_once IS NOT TRUE)
       OR (OLD.state <> 'draft' AND NEW.state <> 'draft' AND
           ({{NEW.mrp_mmr_revision}}, NEW.document, NEW.document_sha256, NEW.prepared_signature_id)
           IS DISTINCT FROM
           ({{OLD.mrp_mmr_revision}}, OLD.document, OLD.document_sha256, OLD.prepared_signature_id))
       OR (OLD.approved_signature_id IS NOT NULL
           AND NEW.approved_signature_id IS DISTINCT FROM OLD.approved_signature_id)
       OR (OLD.effective_at IS NOT NULL AND NEW.effective_at IS DISTINCT FROM OLD.effective_at)
       OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)
       OR (OLD.retired_signature_id IS NOT NULL AND NEW.retired_signature_id IS DISTINCT FROM OLD.retired_signature_id) THEN
        RAISE EXCEPTION 'The content of revision % is signed and cannot be changed (REV-010).', OLD.revision
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_revision_content_frozen';
    END IF;
    -- It ends by its successor or by the signature that retires it.
    IF OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND NEW.state NOT IN ('superseded', 'obsolete')
       OR OLD.retired_signature_id IS NULL AND NEW.retired_signature_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM mrp_esignature s WHERE s.id = NEW.retired_signature_id AND s.meaning = 'retired'
               AND s.res_model = 'mrp.mmr.revision' AND s.res_id = NEW.id) THEN
        RAISE EXCEPTION 'Revision % can only be ended by its successor or by a signature of its own '
                        '(REV-050, REV-080).', OLD.revision
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_revision_ended';
    END IF;
    IF NEW.state NOT IN ('draft', 'cancelled') AND NEW.state <> OLD.state THEN
        SELECT * INTO prepared FROM mrp_esignature WHERE id = NEW.prepared_signature_id;
        IF prepared.res_model IS DISTINCT FROM 'mrp.mmr.revision' OR prepared.res_id <> NEW.id
                OR prepared.meaning <> 'prepared' OR prepared.content_sha256 <> NEW.document_sha256
                OR prepared.content IS DISTINCT FROM NEW.document
                OR EXISTS (SELECT FROM mrp_esignature WHERE voids_signature_id = prepared.id) THEN
            RAISE EXCEPTION 'Revision % has no valid signature of its preparer (APR-020).', OLD.revision
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_revision_signed';
        END IF;
    END IF;
    IF NEW.state NOT IN ('draft', 'cancelled', 'submitted') AND NEW.state <> OLD.state THEN
        SELECT * INTO approved FROM mrp_esignature WHERE id = NEW.approved_signature_id;
        IF approved.res_model IS DISTINCT FROM 'mrp.mmr.revision' OR approved.res_id <> NEW.id
                OR approved.meaning <> 'approved' OR approved.content_sha256 <> NEW.document_sha256
                OR approved.user_id = prepared.user_id OR approved.partner_id = prepared.partner_id
                OR (OLD.state = 'submitted' AND EXISTS (
                    SELECT FROM mrp_mmr_revision_editor_rel e JOIN res_users u ON u.id = e.user_id
                     WHERE e.revision_id = NEW.id
                       AND (u.id = approved.user_id OR u.partner_id = approved.partner_id))) THEN
            RAISE EXCEPTION 'Revision % has no valid signature of an independent approver (APR-040).',
                OLD.revision
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_revision_signed';
        END IF;
        IF EXISTS (SELECT FROM mrp_mmr_review v
                    WHERE v.revision_id = NEW.id AND v.prepared_signature_id = NEW.prepared_signature_id
                      AND v.signature_id IS NULL)
           OR jsonb_array_length(COALESCE(NEW.document -> 'reviewers', '[]')) <> (
                SELECT count(*) FROM mrp_mmr_review v
                 WHERE v.revision_id = NEW.id AND v.prepared_signature_id = NEW.prepared_signature_id) THEN
            RAISE EXCEPTION 'Revision % is still waiting for a review (APR-030).', OLD.revision
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_revision_reviewed';
        END IF;
        IF OLD.state = 'submitted' AND EXISTS (
                SELECT FROM mrp_bom_line l
                 WHERE l.bom_id = NEW.bom_id AND l.mmr_overage::numeric > 0
                   AND (l.mmr_overage_confirmed_id IS NULL OR COALESCE(l.mmr_overage_rationale, '') = '')) THEN
            RAISE EXCEPTION 'Quality Control has not confirmed every overage of revision % (PRD-050).', OLD.revision
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_revision_overages';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_revision BEFORE INSERT OR UPDATE OR DELETE ON mrp_mmr_revision
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_revision();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_mmr_revision
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
