-- mrp_quality_review_product_rel: products that a review is of; a table without a model.

-- Which products a review is of is part of it (RPT-030, 21 CFR 11.70). Also held in
-- models/quality/quality_review.py.
CREATE FUNCTION mrp_mmr_guard_quality_review_product() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM mrp_quality_review r WHERE r.state <> 'draft'
                  AND r.id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.review_id END,
                               CASE WHEN TG_OP <> 'INSERT' THEN OLD.review_id END)) THEN
        RAISE EXCEPTION 'The products of a review are signed and cannot be changed (RPT-030, 21 CFR 11.70).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_quality_review_product_rel_fixed';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER mrp_mmr_guard_quality_review_product BEFORE INSERT OR UPDATE OR DELETE ON mrp_quality_review_product_rel
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_quality_review_product();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_quality_review_product_rel
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
