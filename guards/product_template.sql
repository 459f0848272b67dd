-- product_template: products.

-- What a product is and how it is tracked is fixed while it has lots that Quality Control decides on, or batches (REL-070,
-- REL-010, REL-050, 21 CFR 111.410(d)). Tracking by lot may begin. Also held in models/master/product_template.py.
CREATE FUNCTION mrp_mmr_guard_product_tracking() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
            SELECT FROM product_product p JOIN stock_lot l ON l.product_id = p.id
             WHERE p.product_tmpl_id = OLD.id
               AND (l.mmr_status IS NOT NULL OR OLD.mmr_controlled OR OLD.mmr_needs_release))
       OR EXISTS (SELECT FROM product_product p JOIN mrp_bpr b ON b.product_id = p.id WHERE p.product_tmpl_id = OLD.id) THEN
        RAISE EXCEPTION 'Product % has lots or batches: its type and tracking cannot be changed (REL-070, REL-010).', OLD.id
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_product_tracking';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER mrp_mmr_guard_product_tracking BEFORE UPDATE ON product_template FOR EACH ROW
    WHEN (NEW.type IS DISTINCT FROM OLD.type OR OLD.is_storable AND NEW.is_storable IS DISTINCT FROM TRUE
          OR OLD.tracking <> 'none' AND NEW.tracking IS DISTINCT FROM OLD.tracking)
    EXECUTE FUNCTION mrp_mmr_guard_product_tracking();
