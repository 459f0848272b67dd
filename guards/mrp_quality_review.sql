-- mrp_quality_review: product quality reviews.

-- A product quality review is prepared and approved by signatures of two persons over its document, and kept as it
-- was signed (RPT-030, REC-040, 21 CFR 11.70). Also held in models/quality/quality_review.py.
CREATE FUNCTION mrp_mmr_guard_quality_review() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    free CONSTANT text[] := ARRAY['write_uid', 'write_date', 'message_main_attachment_id'];
    decision CONSTANT text[] := free || ARRAY[
        'state', 'document', 'document_sha256', 'prepared_signature_id', 'approved_signature_id'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state <> 'draft' OR EXISTS (
            SELECT FROM mrp_esignature s WHERE s.res_model = 'mrp.quality.review' AND s.res_id = OLD.id) THEN
            RAISE EXCEPTION '% was signed and cannot be deleted (RPT-030, REC-040).', OLD.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_quality_review_kept';
        END IF;
        RETURN OLD;
    END IF;
    IF (NEW.state = 'draft') <> (NEW.document IS NULL) OR (NEW.document IS NULL) <> (NEW.document_sha256 IS NULL)
       OR (NEW.state = 'draft') <> (NEW.prepared_signature_id IS NULL)
       OR (NEW.state = 'approved') <> (NEW.approved_signature_id IS NOT NULL)
       OR TG_OP = 'INSERT' AND NEW.state <> 'draft' THEN
        RAISE EXCEPTION '% must be prepared and approved by signatures on its document (RPT-030).', NEW.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_quality_review_signed';
    END IF;
    IF TG_OP = 'INSERT' THEN
        RETURN NEW;
    END IF;
    IF (NEW.name, NEW.company_id) IS DISTINCT FROM (OLD.name, OLD.company_id)
       OR OLD.state = 'approved' AND to_jsonb(NEW) - free <> to_jsonb(OLD) - free
       OR OLD.state = 'prepared' AND to_jsonb(NEW) - decision <> to_jsonb(OLD) - decision
       OR OLD.state = 'prepared' AND NEW.state <> 'draft'
          AND (NEW.document, NEW.document_sha256, NEW.prepared_signature_id)
              IS DISTINCT FROM (OLD.document, OLD.document_sha256, OLD.prepared_signature_id) THEN
        RAISE EXCEPTION '% cannot be changed after it was signed (RPT-030, 21 CFR 11.70).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_quality_review_fixed';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
            ('draft', 'prepared'), ('prepared', 'draft'), ('prepared', 'approved'))
       OR OLD.state = 'draft' AND NEW.state = 'prepared' AND NOT EXISTS (
            SELECT FROM mrp_esignature s
             WHERE s.id = NEW.prepared_signature_id AND s.res_model = 'mrp.quality.review' AND s.res_id = NEW.id
               AND s.meaning = 'prepared' AND s.content_sha256 = NEW.document_sha256 AND s.content = NEW.document
               AND NOT EXISTS (SELECT FROM mrp_esignature v WHERE v.voids_signature_id = s.id))
       OR OLD.state = 'prepared' AND NEW.state = 'draft' AND NOT EXISTS (
            SELECT FROM mrp_esignature s
             WHERE s.voids_signature_id = OLD.prepared_signature_id AND s.meaning = 'rejected'
               AND s.res_model = 'mrp.quality.review' AND s.res_id = NEW.id)
       OR OLD.state = 'prepared' AND NEW.state = 'approved' AND NOT EXISTS (
            SELECT FROM mrp_esignature s JOIN mrp_esignature p ON p.id = NEW.prepared_signature_id
             WHERE s.id = NEW.approved_signature_id AND s.res_model = 'mrp.quality.review' AND s.res_id = NEW.id
               AND s.meaning = 'approved' AND s.content_sha256 = NEW.document_sha256
               AND s.basis_signature_id = p.id AND s.user_id <> p.user_id AND s.partner_id <> p.partner_id) THEN
        RAISE EXCEPTION '% must be signed as prepared by one person and as approved by another (RPT-030).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_quality_review_signed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_quality_review BEFORE INSERT OR UPDATE OR DELETE ON mrp_quality_review
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_quality_review();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_quality_review
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
