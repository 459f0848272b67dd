-- stock_quant: goods on stock. Columns are compared one by one: PostgreSQL writes rows in another form after a restore.

-- Of lots that Quality Control decides on, no more is taken than is there (STK-010, STK-020, 21 CFR 211.184(c)).
-- Odoo splits a quant where it is locked, and merges it later: the sum of each lot, place, package and owner is judged, at
-- the end of the transaction. Of what is moved by lot, no more is written off without one than lies there without one
-- (REL-070). Quants of other products are free.
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
        CONTINUE WHEN NOT FOUND AND NOT (changed.lot_id IS NULL AND mrp_mmr_names_lots(changed.product_id)) OR NOT EXISTS (
            SELECT FROM stock_location l WHERE l.id = changed.location_id AND l.usage IN ('internal', 'transit'));
        SELECT round(sum(q.quantity)::numeric, 6) INTO rest FROM stock_quant q
         WHERE q.product_id = changed.product_id AND q.lot_id IS NOT DISTINCT FROM changed.lot_id AND q.location_id = changed.location_id
           AND q.package_id IS NOT DISTINCT FROM changed.package_id AND q.owner_id IS NOT DISTINCT FROM changed.owner_id;
        IF rest < 0 THEN
            RAISE EXCEPTION 'More of lot % would be taken than is there: % is missing '
                            '(STK-010, STK-020).', COALESCE(lot.name, '–'), -rest
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_quant_not_negative';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER mrp_mmr_guard_quant_insert AFTER INSERT ON stock_quant DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.quantity < 0) EXECUTE FUNCTION mrp_mmr_guard_quant();

CREATE CONSTRAINT TRIGGER mrp_mmr_guard_quant AFTER UPDATE ON stock_quant DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (
        COALESCE(NEW.quantity, 0) < COALESCE(OLD.quantity, 0)
        OR NEW.product_id IS DISTINCT FROM OLD.product_id
        OR NEW.lot_id IS DISTINCT FROM OLD.lot_id
        OR NEW.location_id IS DISTINCT FROM OLD.location_id
        OR NEW.package_id IS DISTINCT FROM OLD.package_id
        OR NEW.owner_id IS DISTINCT FROM OLD.owner_id)
    EXECUTE FUNCTION mrp_mmr_guard_quant();

CREATE CONSTRAINT TRIGGER mrp_mmr_guard_quant_delete AFTER DELETE ON stock_quant DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.quantity > 0) EXECUTE FUNCTION mrp_mmr_guard_quant();

-- What stock of a place gains or loses is noted, and compared with the done lines at the end of the transaction; what else
-- changes in a quant, such as what is reserved or counted, is free (REL-070; mrp_mmr_stock_change.sql). Also held in
-- models/stock/moved_only.py.
CREATE FUNCTION mrp_mmr_note_quant() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM mrp_mmr_note_stock(
            OLD.product_id, OLD.lot_id, OLD.location_id, OLD.package_id, OLD.owner_id, -COALESCE(OLD.quantity, 0)::numeric);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM mrp_mmr_note_stock(
            NEW.product_id, NEW.lot_id, NEW.location_id, NEW.package_id, NEW.owner_id, COALESCE(NEW.quantity, 0)::numeric);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER mrp_mmr_note_quant_insert AFTER INSERT ON stock_quant FOR EACH ROW
    WHEN (NEW.quantity <> 0) EXECUTE FUNCTION mrp_mmr_note_quant();
CREATE TRIGGER mrp_mmr_note_quant AFTER UPDATE ON stock_quant FOR EACH ROW
    WHEN (COALESCE(NEW.quantity, 0) <> COALESCE(OLD.quantity, 0)
          OR NEW.product_id IS DISTINCT FROM OLD.product_id
          OR NEW.lot_id IS DISTINCT FROM OLD.lot_id
          OR NEW.location_id IS DISTINCT FROM OLD.location_id
          OR NEW.package_id IS DISTINCT FROM OLD.package_id
          OR NEW.owner_id IS DISTINCT FROM OLD.owner_id)
    EXECUTE FUNCTION mrp_mmr_note_quant();
CREATE TRIGGER mrp_mmr_note_quant_delete AFTER DELETE ON stock_quant FOR EACH ROW
    WHEN (OLD.quantity <> 0) EXECUTE FUNCTION mrp_mmr_note_quant();

-- The status in the row of a quant is that of its lot, by which goods are reserved (REL-070). Also held in
-- models/stock/moved_only.py.
CREATE FUNCTION mrp_mmr_guard_quant_status() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- As it is at the end: what came between was written again.
    IF EXISTS (SELECT FROM stock_quant q LEFT JOIN stock_lot l ON l.id = q.lot_id
                WHERE q.id = NEW.id AND q.mmr_lot_status IS DISTINCT FROM l.mmr_status) THEN
        RAISE EXCEPTION 'The status of goods must be the status of their lot (REL-070, USE-060).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_quant_status';
    END IF;
    RETURN NEW;
END $$;

CREATE CONSTRAINT TRIGGER mrp_mmr_guard_quant_status_insert AFTER INSERT ON stock_quant DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.mmr_lot_status IS NOT NULL) EXECUTE FUNCTION mrp_mmr_guard_quant_status();
CREATE CONSTRAINT TRIGGER mrp_mmr_guard_quant_status AFTER UPDATE ON stock_quant DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.mmr_lot_status IS DISTINCT FROM OLD.mmr_lot_status)
    EXECUTE FUNCTION mrp_mmr_guard_quant_status();

-- Lots that Quality Control decides on are not emptied away (REC-040).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON stock_quant
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate({{'rows.stock_quant'}});
