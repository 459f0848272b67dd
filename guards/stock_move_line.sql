-- stock_move_line: moved quantities of lots.

-- Whether a signature lets a done line take out goods that are not free, and covers it: the lot and the product that were
-- signed, to where they go by it, no more than was signed, once (REL-070, DEV-060, DEV-080). Also held in
-- models/stock/destruction.py and models/stock/move_line.py.
CREATE FUNCTION mrp_mmr_is_excepted(line stock_move_line) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM mrp_lot_destruction d JOIN stock_location l ON l.id = line.location_dest_id AND l.usage = 'inventory'
         WHERE d.move_id = line.move_id AND d.lot_id = line.lot_id AND d.product_id = line.product_id
           AND d.location_id = line.location_id AND d.signature_id IS NOT NULL
           AND round(line.quantity_product_uom::numeric, 6) + COALESCE((
                SELECT round(sum(o.quantity_product_uom)::numeric, 6) FROM stock_move_line o
                 WHERE o.move_id = line.move_id AND o.id <> line.id AND o.state = 'done'), 0) <= round(d.quantity::numeric, 6))
    -- Reprocessed, or taken apart for it, in the one order that Quality Control approved it for (DEV-060).
    OR EXISTS (
        SELECT FROM stock_move m
          LEFT JOIN mrp_production o ON o.id = m.raw_material_production_id
          LEFT JOIN mrp_unbuild u ON u.id = m.consume_unbuild_id
          JOIN mrp_deviation d ON d.id = COALESCE(o.mmr_rework_deviation_id, u.mmr_deviation_id)
          JOIN stock_lot t ON t.id = line.lot_id AND t.product_id = line.product_id
          JOIN stock_location l ON l.id = line.location_dest_id AND l.usage = 'production'
         WHERE m.id = line.move_id AND d.state IN ('decided', 'closed')
           AND d.disposition IN ('reprocess', 'treat', 'adjust')
           AND (d.lot_id = line.lot_id OR d.lot_id IS NULL AND d.bpr_id = t.mmr_bpr_id)
           AND NOT EXISTS (
                SELECT FROM stock_move n
                  LEFT JOIN mrp_production p ON p.id = n.raw_material_production_id
                  LEFT JOIN mrp_unbuild v ON v.id = n.consume_unbuild_id
                  JOIN stock_move_line x ON x.move_id = n.id AND x.lot_id = line.lot_id AND x.state = 'done' AND x.quantity > 0
                 WHERE d.id = COALESCE(p.mmr_rework_deviation_id, v.mmr_deviation_id)
                   AND (p.id, v.id) IS DISTINCT FROM (o.id, u.id)))
    -- Weighed into a batch while it was released: what happened is booked as it happened.
    OR EXISTS (
        SELECT FROM stock_move m JOIN mrp_bpr b ON b.production_id = m.raw_material_production_id
          JOIN mrp_bpr_entry e ON e.bpr_id = b.id AND e.lot_id = line.lot_id
         WHERE m.id = line.move_id)
$$;

-- What Quality Control decides on is moved by lot, and only what was released leaves; another lot leaves by a signed
-- destruction, an approved rework, or the batch that it was weighed into while it was released (REL-070, REL-010, REL-050,
-- DEV-060, DEV-080). What comes back from outside names its lot, which is held (DEV-100). Also held in
-- models/stock/goods.py, models/stock/move_line.py, models/stock/quarantine.py and models/stock/hold.py.
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
        -- Stock from before its product was tracked is written off, no more than there is (mrp_mmr_guard_quant).
        IF batch IS NOT NULL OR NEW.quantity <> 0 AND mrp_mmr_names_lots(NEW.product_id) AND NOT EXISTS (
            SELECT FROM stock_move m JOIN stock_location s ON s.id = NEW.location_id AND s.usage = 'internal'
              JOIN stock_location d ON d.id = NEW.location_dest_id AND d.usage = 'inventory'
              JOIN product_product p ON p.id = NEW.product_id
              JOIN product_template t ON t.id = p.product_tmpl_id AND t.mmr_controlled IS NOT TRUE
             WHERE m.id = NEW.move_id AND m.is_inventory) THEN
            RAISE EXCEPTION 'Goods that Quality Control decides on can only be moved by lot (REL-070, REL-010, REL-050).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_move_line_lot_named';
        END IF;
        RETURN NEW;
    END IF;
    SELECT name, product_id, mmr_status, mmr_bpr_id, mrp_mmr_is_free(id) AS is_free INTO lot FROM stock_lot WHERE id = NEW.lot_id;
    IF lot.product_id <> NEW.product_id
       AND (lot.mmr_status IS NOT NULL OR mrp_mmr_decided_on(lot.product_id) OR mrp_mmr_decided_on(NEW.product_id)) THEN
        RAISE EXCEPTION 'Lot % belongs to another product (REL-070, REL-050).', lot.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_move_line_lot_product';
    END IF;
    IF NEW.quantity <> 0 AND (lot.mmr_status = 'released' OR lot.mmr_status IS NULL AND EXISTS (
            SELECT FROM product_product p JOIN product_template t ON t.id = p.product_tmpl_id
             WHERE p.id = NEW.product_id AND t.mmr_controlled))
       AND (mrp_mmr_comes_back(NEW.location_id, NEW.location_dest_id, lot.mmr_bpr_id)
            OR mrp_mmr_appears(NEW.location_id, NEW.location_dest_id) AND mrp_mmr_was_outside(NEW.lot_id, lot.mmr_bpr_id)) THEN
        RAISE EXCEPTION 'Lot % was returned and is not in quarantine (DEV-100, 21 CFR 111.503, 211.204).', lot.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_move_line_returned';
    END IF;
    IF batch IS NOT NULL AND lot.mmr_bpr_id IS DISTINCT FROM batch THEN
        RAISE EXCEPTION 'Lot % is not the lot of the batch that makes it (REL-010).', lot.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_move_line_lot_of_batch';
    END IF;
    -- Less of what left before: nothing leaves by it, and what comes back is held (mrp_mmr_guard_taken_back).
    IF TG_OP = 'UPDATE' AND OLD.state = 'done' AND NEW.quantity <= OLD.quantity
       AND (NEW.lot_id, NEW.product_id, NEW.move_id, NEW.location_id, NEW.location_dest_id, NEW.product_uom_id)
       IS NOT DISTINCT FROM
           (OLD.lot_id, OLD.product_id, OLD.move_id, OLD.location_id, OLD.location_dest_id, OLD.product_uom_id) THEN
        RETURN NEW;
    END IF;
    IF NOT lot.is_free AND NEW.quantity <> 0 AND mrp_mmr_leaves(NEW.location_id, NEW.location_dest_id)
       AND NOT mrp_mmr_is_excepted(NEW) THEN
        RAISE EXCEPTION 'Lot % is not released by Quality Control and cannot leave (REL-070, REL-010, DEV-080).', lot.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_move_line_lot_held';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_held_lot
    BEFORE INSERT OR UPDATE OF state, lot_id, product_id, move_id, location_id, location_dest_id, quantity
    ON stock_move_line
    FOR EACH ROW WHEN (NEW.state = 'done') EXECUTE FUNCTION mrp_mmr_guard_held_lot();

-- What a done line sent outside and sends no more came back without a return: its lot is held first. So it is where a count
-- wrote goods off of a lot that was sent outside (DEV-100, 21 CFR 111.503, 211.204). Also held in models/stock/hold.py
-- (_mmr_get_taken_back).
CREATE FUNCTION mrp_mmr_guard_taken_back() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    batch integer := (SELECT l.mmr_bpr_id FROM stock_lot l WHERE l.id = OLD.lot_id);
    is_less boolean := TRUE;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        is_less := NEW.state <> 'done' OR NEW.lot_id IS DISTINCT FROM OLD.lot_id
            OR NEW.quantity_product_uom < OLD.quantity_product_uom
            OR NEW.quantity < OLD.quantity AND NEW.product_uom_id = OLD.product_uom_id
            OR NEW.location_dest_id <> OLD.location_dest_id AND NOT mrp_mmr_is_outside(NEW.location_dest_id, batch);
    END IF;
    IF is_less AND OLD.quantity > 0 AND mrp_mmr_is_to_hold(OLD.lot_id)
       AND (mrp_mmr_is_outside(OLD.location_dest_id, batch)
            OR mrp_mmr_appears(OLD.location_dest_id, OLD.location_id) AND mrp_mmr_was_outside(OLD.lot_id, batch)
               AND EXISTS (SELECT FROM stock_location l WHERE l.id = OLD.location_dest_id AND l.usage = 'inventory')) THEN
        RAISE EXCEPTION 'Lot % was returned and is not in quarantine (DEV-100, 21 CFR 111.503, 211.204).',
            (SELECT l.name FROM stock_lot l WHERE l.id = OLD.lot_id)
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_move_line_returned';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER mrp_mmr_guard_taken_back
    BEFORE DELETE OR UPDATE OF state, lot_id, location_dest_id, quantity, quantity_product_uom ON stock_move_line
    FOR EACH ROW WHEN (OLD.state = 'done' AND OLD.lot_id IS NOT NULL) EXECUTE FUNCTION mrp_mmr_guard_taken_back();

-- More of a lot than its batch made is counted only by the adjustment that names the deviation that holds the lot (REL-070,
-- STK-020, 21 CFR 211.188(b)(4)). Also held in models/stock/surplus.py.
CREATE FUNCTION mrp_mmr_guard_surplus() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'done'
       AND (NEW.lot_id, NEW.location_id, NEW.location_dest_id, NEW.quantity_product_uom, NEW.move_id)
       IS NOT DISTINCT FROM
           (OLD.lot_id, OLD.location_id, OLD.location_dest_id, OLD.quantity_product_uom, OLD.move_id) THEN
        RETURN NULL;
    END IF;
    IF mrp_mmr_appears(NEW.location_id, NEW.location_dest_id)
       AND EXISTS (SELECT FROM stock_lot l WHERE l.id = NEW.lot_id AND l.mmr_bpr_id IS NOT NULL)
       AND mrp_mmr_surplus(NEW.lot_id, '{}') > 0
       AND NOT EXISTS (SELECT FROM stock_move m WHERE m.id = NEW.move_id
                          AND (m.production_id IS NOT NULL OR m.unbuild_id IS NOT NULL
                               OR m.mmr_deviation_id IN (SELECT mrp_mmr_concerning(NEW.lot_id)))) THEN
        RAISE EXCEPTION 'Lot % would exceed the quantity that its batch made (REL-070, STK-020).',
            (SELECT l.name FROM stock_lot l WHERE l.id = NEW.lot_id)
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_move_line_surplus';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER mrp_mmr_guard_surplus
    AFTER INSERT OR UPDATE OF state, lot_id, location_id, location_dest_id, quantity_product_uom, move_id ON stock_move_line
    FOR EACH ROW WHEN (NEW.state = 'done' AND NEW.lot_id IS NOT NULL) EXECUTE FUNCTION mrp_mmr_guard_surplus();

-- What a done line takes and brings is noted, and compared with stock at the end of the transaction (REL-070;
-- mrp_mmr_stock_change.sql). Also held in models/stock/moved_only.py.
CREATE FUNCTION mrp_mmr_note_line() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        IF OLD.state = 'done' AND mrp_mmr_is_storable(OLD.product_id) THEN
            PERFORM mrp_mmr_note_stock(OLD.product_id, OLD.lot_id, OLD.location_id, OLD.package_id, OLD.owner_id,
                                       -OLD.quantity_product_uom::numeric);
            PERFORM mrp_mmr_note_stock(OLD.product_id, OLD.lot_id, OLD.location_dest_id, OLD.result_package_id, OLD.owner_id,
                                       OLD.quantity_product_uom::numeric);
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        IF NEW.state = 'done' AND mrp_mmr_is_storable(NEW.product_id) THEN
            PERFORM mrp_mmr_note_stock(NEW.product_id, NEW.lot_id, NEW.location_id, NEW.package_id, NEW.owner_id,
                                       NEW.quantity_product_uom::numeric);
            PERFORM mrp_mmr_note_stock(NEW.product_id, NEW.lot_id, NEW.location_dest_id, NEW.result_package_id, NEW.owner_id,
                                       -NEW.quantity_product_uom::numeric);
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER mrp_mmr_note_line_insert AFTER INSERT ON stock_move_line FOR EACH ROW
    WHEN (NEW.state = 'done') EXECUTE FUNCTION mrp_mmr_note_line();
CREATE TRIGGER mrp_mmr_note_line
    AFTER UPDATE OF state, product_id, lot_id, location_id, location_dest_id, package_id, result_package_id, owner_id,
                    quantity_product_uom
    ON stock_move_line FOR EACH ROW
    WHEN (NEW.state = 'done' OR OLD.state = 'done') EXECUTE FUNCTION mrp_mmr_note_line();
CREATE TRIGGER mrp_mmr_note_line_delete AFTER DELETE ON stock_move_line FOR EACH ROW
    WHEN (OLD.state = 'done') EXECUTE FUNCTION mrp_mmr_note_line();

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
                RAISE EXCEPTION 'What % consumed or produced cannot be changed (STK-040, REL-050).', batch.name
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
                RAISE EXCEPTION 'What % consumed or produced cannot be changed (STK-040, REL-050).', batch.name
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
            RAISE EXCEPTION 'Nothing can be added to what % consumed or produced (STK-040, REL-050).', batch.name
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
