-- mrp_mmr: master manufacturing records.

-- What an MMR is the master of is fixed once a revision of it was submitted, and it stays in sight (REV-040,
-- REC-040). Also held in models/master/mmr.py.
CREATE FUNCTION mrp_mmr_guard_identity() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.name IS DISTINCT FROM OLD.name
       OR NEW.last_revision < OLD.last_revision
       OR ((NEW.product_id, NEW.formulation_code, NEW.batch_size, NEW.uom_id, NEW.profile_id,
            NEW.company_id, NEW.batch_size_product_uom, NEW.active AND OLD.active)
           IS DISTINCT FROM
           (OLD.product_id, OLD.formulation_code, OLD.batch_size, OLD.uom_id, OLD.profile_id,
            OLD.company_id, OLD.batch_size_product_uom, OLD.active)
           AND EXISTS (SELECT FROM mrp_mmr_revision r
                        WHERE r.mmr_id = OLD.id AND r.submitted_once)) THEN
        RAISE EXCEPTION '% was signed: its identity is fixed, and it cannot be archived (REV-040, REC-040).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_identity_fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_identity BEFORE UPDATE ON mrp_mmr
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_identity();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_mmr
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
