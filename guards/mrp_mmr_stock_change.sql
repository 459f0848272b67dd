-- mrp_mmr_stock_change: what stock and moves say differently until the transaction ends.

-- Stock of what Quality Control decides on changes by moves alone: at the end of a transaction, the sum of each product,
-- lot, place, package and owner changed as the done lines say (REL-070, STK-040, 21 CFR 211.184). Odoo splits a quant
-- where it is locked, and merges it later: that changes no sum. Also held in models/stock/moved_only.py.
CREATE FUNCTION mrp_mmr_guard_stock_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    rest numeric;
BEGIN
    WITH gone AS (
        DELETE FROM mrp_mmr_stock_change c
         WHERE c.transaction = NEW.transaction AND c.product_id = NEW.product_id AND c.location_id = NEW.location_id
           AND c.lot_id IS NOT DISTINCT FROM NEW.lot_id AND c.package_id IS NOT DISTINCT FROM NEW.package_id
           AND c.owner_id IS NOT DISTINCT FROM NEW.owner_id
        RETURNING c.quantity)
    SELECT round(sum(g.quantity), 6) INTO rest FROM gone g;
    IF rest <> 0 THEN
        RAISE EXCEPTION 'The stock of product % and lot % at % can only be changed by moves: % (REL-070, STK-040).',
            NEW.product_id, COALESCE((SELECT l.name FROM stock_lot l WHERE l.id = NEW.lot_id), '–'), NEW.location_id, rest
            USING ERRCODE = 'check_violation', TABLE = 'stock_quant', CONSTRAINT = 'mrp_mmr_stock_moved';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER mrp_mmr_guard_stock_change AFTER INSERT ON mrp_mmr_stock_change DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_stock_change();

-- Nobody but the guards writes it: what they note is not evened out by hand (REL-070). Also held in
-- models/stock/moved_only.py.
CREATE FUNCTION mrp_mmr_guard_stock_notes() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'Only the guards record differences between stock and moves (REL-070, STK-040).'
            USING ERRCODE = 'check_violation', TABLE = 'stock_quant', CONSTRAINT = 'mrp_mmr_stock_moved';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER mrp_mmr_guard_stock_notes BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON mrp_mmr_stock_change
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_stock_notes();
