-- Goods that Quality Control decides on: what is free, and what stock and moves say of them.

-- Whether Quality Control decides on each lot of a product: it is under control, or its lots need a release (REL-070).
-- Also held in models/stock/goods.py.
CREATE FUNCTION mrp_mmr_decided_on(product integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM product_product p JOIN product_template t ON t.id = p.product_tmpl_id
                    WHERE p.id = product AND (t.mmr_controlled OR t.mmr_needs_release))
$$;

-- Whether each movement of a product names its lot: it is decided on by lot, whatever its tracking was set to (REL-070,
-- REL-050). Also held in models/stock/goods.py.
CREATE FUNCTION mrp_mmr_names_lots(product integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM product_product p JOIN product_template t ON t.id = p.product_tmpl_id
                    WHERE p.id = product AND (t.mmr_controlled OR t.mmr_needs_release) AND t.tracking <> 'none')
$$;

-- Whether Odoo keeps stock of a product.
CREATE FUNCTION mrp_mmr_is_storable(product integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM product_product p JOIN product_template t ON t.id = p.product_tmpl_id
                    WHERE p.id = product AND t.is_storable)
$$;

-- The rule of held goods: of what Quality Control decides on, only what was released may be used and may leave; of other
-- products, what is not held (REL-070, 21 CFR 111.123(a)(8), 211.165(a)). Also held in models/stock/goods.py.
CREATE FUNCTION mrp_mmr_is_free(lot integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT COALESCE(l.mmr_status = 'released', NOT mrp_mmr_decided_on(l.product_id)) FROM stock_lot l WHERE l.id = lot
$$;

-- Whether goods leave: used up, sold, lost, on the way elsewhere, or another company's (REL-070).
CREATE FUNCTION mrp_mmr_leaves(source integer, destination integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM stock_location s, stock_location d
         WHERE s.id = source AND d.id = destination
           AND (d.usage <> 'internal'
                OR s.usage = 'internal' AND s.company_id IS NOT NULL AND d.company_id IS DISTINCT FROM s.company_id))
$$;

-- What stock and done lines say differently of goods that Quality Control decides on, within one transaction: nothing is
-- left of it at its end (mrp_mmr_stock_change.sql). Nobody reads it but the guards.
CREATE UNLOGGED TABLE mrp_mmr_stock_change (
    transaction text NOT NULL,
    product_id integer NOT NULL,
    lot_id integer,
    location_id integer NOT NULL,
    package_id integer,
    owner_id integer,
    quantity numeric NOT NULL);
CREATE INDEX mrp_mmr_stock_change_transaction ON mrp_mmr_stock_change (transaction);

-- Note what stock gains at a place, or what a done line takes from it.
CREATE FUNCTION mrp_mmr_note_stock(product integer, lot integer, place integer, package integer, owner integer,
                                   quantity numeric) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF quantity <> 0 AND (
            EXISTS (SELECT FROM stock_lot l WHERE l.id = lot AND (l.mmr_status IS NOT NULL OR mrp_mmr_decided_on(l.product_id)))
            OR mrp_mmr_decided_on(product)) THEN
        INSERT INTO mrp_mmr_stock_change (transaction, product_id, lot_id, location_id, package_id, owner_id, quantity)
        VALUES (pg_current_xact_id()::text, product, lot, place, package, owner, quantity);
    END IF;
END $$;
