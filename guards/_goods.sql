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

-- When a product last came under control, as the ledger says it; nothing where it does not say so (AUD-060).
CREATE FUNCTION mrp_mmr_controlled_since(template integer) RETURNS timestamp without time zone
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT max(e.at) FROM mrp_audit_entry e
     WHERE e.res_model = 'product.template' AND e.res_id = template AND e.kind = 'setting'
       AND e."values" #>> '{mmr_controlled,new}' = 'true'
$$;

-- Whether the company has a lot of a product under control by one of the ways that there are beside a batch record: it was
-- moved before the product came under control, or it was received from a supplier or from another company (REL-070, REL-010,
-- USE-010, 21 CFR 111.205(a), 211.188). Of other products each lot has. Also held in models/stock/lot_of_batch.py.
CREATE FUNCTION mrp_mmr_has_origin(lot integer, product integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT NOT EXISTS (SELECT FROM product_product p JOIN product_template t ON t.id = p.product_tmpl_id
                        WHERE p.id = product AND t.mmr_controlled)
        OR EXISTS (
            SELECT FROM stock_move_line m JOIN stock_location s ON s.id = m.location_id
              JOIN stock_location d ON d.id = m.location_dest_id
              JOIN product_product p ON p.id = product
             WHERE m.lot_id = lot AND m.product_id = product AND m.state = 'done' AND m.quantity > 0
               AND (m.create_date < mrp_mmr_controlled_since(p.product_tmpl_id)
                    OR d.usage IN ('internal', 'transit')
                       AND (s.usage = 'supplier' OR s.usage = 'transit' AND s.company_id IS NULL)))
$$;

-- How much more of a lot counts and moves of their own brought than counts took away: so much more there is, or left, than its
-- batch made (REL-070, STK-020, 21 CFR 111.260(e)-(h), 211.188(b)(4)). What its batch made, what was taken apart and what was
-- destroyed or scrapped is not part of it. In the unit of the product; ``lines`` are counted as done. Also held in
-- models/stock/surplus.py.
CREATE FUNCTION mrp_mmr_surplus(lot integer, lines integer[]) RETURNS numeric
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT round(COALESCE(sum(CASE WHEN s.usage IN ('inventory', 'production') THEN l.quantity_product_uom
                                   ELSE -l.quantity_product_uom END::numeric), 0), 6)
      FROM stock_move_line l LEFT JOIN stock_move m ON m.id = l.move_id
      JOIN stock_location s ON s.id = l.location_id JOIN stock_location d ON d.id = l.location_dest_id
     WHERE l.lot_id = lot AND (l.state = 'done' OR l.id = ANY(lines))
       AND (s.usage = 'inventory' AND d.usage NOT IN ('inventory', 'production')
            OR s.usage = 'production' AND d.usage NOT IN ('inventory', 'production')
               AND m.production_id IS NULL AND m.unbuild_id IS NULL
            OR d.usage = 'inventory' AND s.usage NOT IN ('inventory', 'production') AND m.is_inventory
               AND NOT EXISTS (SELECT FROM mrp_lot_destruction x WHERE x.move_id = m.id))
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
