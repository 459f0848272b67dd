-- stock_quant: goods on stock.

-- Of lots that Quality Control decides on, no more is taken than is there (STK-010, STK-020, 21 CFR 211.184(c)).
-- Odoo splits a quant where it is locked, and merges it later: the sum of each lot, place, package and owner is judged, at
-- the end of the transaction. Quants without lots, and of lots without a status, are free.
-- Also held in models/stock/by_record.py.
CREATE FUNCTION mrp_mmr_guard_quant() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    changed stock_quant;
    lot record;
    rest numeric;
BEGIN
    -- Where it was, and where it is.
    FOR place IN 1 .. CASE WHEN TG_OP = 'UPDATE' THEN 2 ELSE 1 END LOOP
        IF place = 2 OR TG_OP = 'INSERT' THEN
            changed := NEW;
        ELSE
            changed := OLD;
        END IF;
        -- Written, so that two transactions that take from one lot at once do not both pass.
        UPDATE stock_lot SET write_date = write_date WHERE id = changed.lot_id AND mmr_status IS NOT NULL
            RETURNING name INTO lot;
        CONTINUE WHEN NOT FOUND OR NOT EXISTS (
            SELECT FROM stock_location l WHERE l.id = changed.location_id AND l.usage IN ('internal', 'transit'));
        SELECT round(sum(q.quantity)::numeric, 6) INTO rest FROM stock_quant q
         WHERE q.product_id = changed.product_id AND q.lot_id = changed.lot_id AND q.location_id = changed.location_id
           AND q.package_id IS NOT DISTINCT FROM changed.package_id AND q.owner_id IS NOT DISTINCT FROM changed.owner_id;
        IF rest < 0 THEN
            RAISE EXCEPTION 'More of lot % is taken than is there: % are missing (STK-010, STK-020).', lot.name, -rest
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_quant_not_negative';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER mrp_mmr_guard_quant_insert AFTER INSERT ON stock_quant DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.lot_id IS NOT NULL AND NEW.quantity < 0) EXECUTE FUNCTION mrp_mmr_guard_quant();

CREATE CONSTRAINT TRIGGER mrp_mmr_guard_quant AFTER UPDATE ON stock_quant DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (
        (OLD.lot_id IS NOT NULL OR NEW.lot_id IS NOT NULL)
        AND (COALESCE(NEW.quantity, 0) < COALESCE(OLD.quantity, 0)
             OR (NEW.product_id, NEW.lot_id, NEW.location_id, NEW.package_id, NEW.owner_id)
                IS DISTINCT FROM (OLD.product_id, OLD.lot_id, OLD.location_id, OLD.package_id, OLD.owner_id)))
    EXECUTE FUNCTION mrp_mmr_guard_quant();

CREATE CONSTRAINT TRIGGER mrp_mmr_guard_quant_delete AFTER DELETE ON stock_quant DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.lot_id IS NOT NULL AND OLD.quantity > 0) EXECUTE FUNCTION mrp_mmr_guard_quant();

-- Lots that Quality Control decides on are not emptied away (REC-040).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON stock_quant
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate({{'rows.stock_quant'}});
