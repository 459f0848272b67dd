-- mrp_mmr_review: reviews of a submitted revision.

-- A review of a revision is kept as it is and signed once, by another person than the preparer, over the same
-- document (APR-030, REC-040). Also held in models/master/revision_review.py.
CREATE FUNCTION mrp_mmr_guard_review() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    signed mrp_esignature;
    prepared mrp_esignature;
BEGIN
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND (
            (NEW.revision_id, NEW.name, NEW.group_id, NEW.prepared_signature_id)
            IS DISTINCT FROM (OLD.revision_id, OLD.name, OLD.group_id, OLD.prepared_signature_id)
            OR (OLD.signature_id IS NOT NULL AND NEW.signature_id IS DISTINCT FROM OLD.signature_id))) THEN
        RAISE EXCEPTION 'A review of an MMR cannot be changed or deleted (REC-040).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_review_kept';
    END IF;
    IF NEW.signature_id IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.signature_id IS NULL) THEN
        SELECT * INTO signed FROM mrp_esignature WHERE id = NEW.signature_id;
        SELECT * INTO prepared FROM mrp_esignature WHERE id = NEW.prepared_signature_id;
        IF TG_OP = 'INSERT' OR signed.res_model <> 'mrp.mmr.revision' OR signed.res_id <> NEW.revision_id
                OR signed.meaning <> 'reviewed' OR signed.content_sha256 <> prepared.content_sha256
                OR signed.user_id = prepared.user_id OR signed.partner_id = prepared.partner_id THEN
            RAISE EXCEPTION 'The review % has no valid signature of its own (APR-030).', NEW.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_review_signed';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_review BEFORE INSERT OR UPDATE OR DELETE ON mrp_mmr_review
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_review();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_mmr_review
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
