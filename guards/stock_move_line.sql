-- stock_move_line: moved quantities of lots.

-- A controlled product is moved by lot, and a lot that is held leaves only by a signed destruction, an approved
-- rework, or the batch that it was weighed into while it was released (REL-010, REL-050, DEV-060, DEV-080). What comes
-- back from outside names its lot, which is held (DEV-100). Also held in models/stock/move_line.py,
-- models/stock/quarantine.py and models/stock/hold.py.
CREATE FUNCTION mrp_mmr_guard_held_lot() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    lot record;
    batch integer;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'done'
       AND (NEW.lot_id, NEW.product_id, NEW.move_id, NEW.location_id, NEW.location_dest_id, NEW.quantity)
       IS NOT DISTINCT FROM
           (OLD.lot_id, OLD.product_id, OLD.move_id, OLD.location_id, OLD.location_dest_id, OLD.quantity) THEN
        RETURN NEW;
    END IF;
    SELECT b.id INTO batch FROM stock_move m JOIN mrp_bpr b ON b.production_id = m.production_id
     WHERE m.id = NEW.move_id AND m.product_id = b.product_id;
    IF NEW.lot_id IS NULL THEN
        IF batch IS NOT NULL OR EXISTS (
            SELECT FROM product_product p JOIN product_template t ON t.id = p.product_tmpl_id
              JOIN stock_location l ON l.id = NEW.location_dest_id
             WHERE p.id = NEW.product_id AND t.mmr_controlled AND t.tracking <> 'none' AND NEW.quantity <> 0
               AND (l.usage IN ('customer', 'supplier', 'production', 'inventory', 'transit')
                    OR mrp_mmr_comes_back(NEW.location_id, NEW.location_dest_id, NULL))) THEN
            RAISE EXCEPTION 'A controlled product is moved by lot (REL-010, REL-050).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_move_line_lot_named';
        END IF;
        RETURN NEW;
    END IF;
    SELECT name, mmr_status, mmr_bpr_id INTO lot FROM stock_lot WHERE id = NEW.lot_id;
    IF NEW.quantity <> 0 AND (lot.mmr_status = 'released' OR lot.mmr_status IS NULL AND EXISTS (
            SELECT FROM product_product p JOIN product_template t ON t.id = p.product_tmpl_id
             WHERE p.id = NEW.product_id AND t.mmr_controlled))
       AND mrp_mmr_comes_back(NEW.location_id, NEW.location_dest_id, lot.mmr_bpr_id) THEN
        RAISE EXCEPTION 'Lot % came back and is not in quarantine (DEV-100, 21 CFR 111.503, 211.204).', lot.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_move_line_returned';
    END IF;
    IF batch IS NOT NULL AND lot.mmr_bpr_id IS DISTINCT FROM batch THEN
        RAISE EXCEPTION 'Lot % is not the lot of the batch that makes it (REL-010).', lot.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_move_line_lot_of_batch';
    END IF;
    IF lot.mmr_status IN ('quarantine', 'rejected')
       AND EXISTS (SELECT FROM stock_location l WHERE l.id = NEW.location_dest_id
                      AND l.usage IN ('customer', 'supplier', 'production', 'inventory', 'transit'))
       AND NOT EXISTS (
            SELECT FROM mrp_lot_destruction d
             WHERE d.move_id = NEW.move_id AND d.lot_id = NEW.lot_id AND d.signature_id IS NOT NULL
               AND round(NEW.quantity_product_uom::numeric, 6) <= round(d.quantity::numeric, 6))
       -- Reprocessed, or taken apart for it, on the approval of Quality Control (DEV-060).
       AND NOT EXISTS (
            SELECT FROM stock_move m
              LEFT JOIN mrp_production o ON o.id = m.raw_material_production_id
              LEFT JOIN mrp_unbuild u ON u.id = m.consume_unbuild_id
              JOIN mrp_deviation d ON d.id = COALESCE(o.mmr_rework_deviation_id, u.mmr_deviation_id)
             WHERE m.id = NEW.move_id AND d.state IN ('decided', 'closed')
               AND d.disposition IN ('reprocess', 'treat', 'adjust')
               AND (d.lot_id = NEW.lot_id OR d.bpr_id = lot.mmr_bpr_id))
       -- Weighed into a batch while it was released: what happened is booked as it happened.
       AND NOT EXISTS (
            SELECT FROM stock_move m JOIN mrp_bpr b ON b.production_id = m.raw_material_production_id
              JOIN mrp_bpr_entry e ON e.bpr_id = b.id AND e.lot_id = NEW.lot_id
             WHERE m.id = NEW.move_id) THEN
        RAISE EXCEPTION 'Lot % is held by Quality Control and is not moved out (REL-010, DEV-080).', lot.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_move_line_lot_held';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_held_lot
    BEFORE INSERT OR UPDATE OF state, lot_id, product_id, move_id, location_id, location_dest_id, quantity
    ON stock_move_line
    FOR EACH ROW WHEN (NEW.state = 'done') EXECUTE FUNCTION mrp_mmr_guard_held_lot();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON stock_move_line
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate({{'rows.stock_move_line'}});

-- The done lines of a controlled order say what its batch used and made: they are not redirected, dated or taken away, and
-- once Quality Control decided on the batch, their quantities do not change either (STK-040, REL-050, REL-030,
-- 21 CFR 211.188). Also held in models/stock/by_record.py and models/stock/move_line.py.
CREATE FUNCTION mrp_mmr_guard_order_line() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    batch record;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT b.name, b.state, b.release_state INTO batch FROM stock_move m
          JOIN mrp_bpr b ON b.production_id IN (m.raw_material_production_id, m.production_id) WHERE m.id = OLD.move_id LIMIT 1;
        IF FOUND AND OLD.state = 'done' THEN
            IF TG_OP = 'DELETE' THEN
                RAISE EXCEPTION 'What % used or made stays as it was done (STK-040, REL-050).', batch.name
                    USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_line_fixed';
            ELSIF (NEW.state, NEW.move_id, NEW.product_id, NEW.product_uom_id, NEW.lot_id, NEW.location_id,
                   NEW.location_dest_id, NEW.package_id, NEW.result_package_id, NEW.owner_id)
                  IS DISTINCT FROM
                  (OLD.state, OLD.move_id, OLD.product_id, OLD.product_uom_id, OLD.lot_id, OLD.location_id,
                   OLD.location_dest_id, OLD.package_id, OLD.result_package_id, OLD.owner_id)
                  -- The order dates them once more when it is closed.
                  OR batch.state IN ('done', 'cancel') AND NEW.date IS DISTINCT FROM OLD.date
                  OR batch.release_state IN ('released', 'rejected')
                     AND (NEW.quantity, NEW.quantity_product_uom) IS DISTINCT FROM (OLD.quantity, OLD.quantity_product_uom) THEN
                RAISE EXCEPTION 'What % used or made stays as it was done (STK-040, REL-050).', batch.name
                    USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_line_fixed';
            END IF;
        END IF;
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
    END IF;
    IF NEW.state = 'done' THEN
        SELECT b.name, b.state, b.release_state INTO batch FROM stock_move m
          JOIN mrp_bpr b ON b.production_id IN (m.raw_material_production_id, m.production_id) WHERE m.id = NEW.move_id LIMIT 1;
        IF FOUND AND (TG_OP = 'INSERT' AND batch.release_state = 'released'
                      OR TG_OP = 'UPDATE' AND OLD.move_id IS DISTINCT FROM NEW.move_id AND OLD.state = 'done') THEN
            RAISE EXCEPTION 'Nothing is added to what % used or made (STK-040, REL-050).', batch.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_line_fixed';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER mrp_mmr_guard_order_line_insert BEFORE INSERT ON stock_move_line FOR EACH ROW
    WHEN (NEW.state = 'done') EXECUTE FUNCTION mrp_mmr_guard_order_line();
CREATE TRIGGER mrp_mmr_guard_order_line BEFORE UPDATE ON stock_move_line FOR EACH ROW
    WHEN (OLD.state = 'done') EXECUTE FUNCTION mrp_mmr_guard_order_line();
CREATE TRIGGER mrp_mmr_guard_order_line_delete BEFORE DELETE ON stock_move_line FOR EACH ROW
    WHEN (OLD.state = 'done') EXECUTE FUNCTION mrp_mmr_guard_order_line();
