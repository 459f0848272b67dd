-- Lots that are held because something happened to them, before anybody decided (DEV-100).

-- Whether an open deviation is major or critical and concerns a lot: it names the lot, or the batch that made it, or
-- the batch was found to be related and nobody found it not affected (DEV-100, DEV-070, 21 CFR 111.113, 211.192,
-- EU GMP 8.13). Also held in models/deviation/hold.py.
CREATE FUNCTION mrp_mmr_concerning(lot integer) RETURNS SETOF integer
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT d.id FROM mrp_deviation d
     WHERE d.lot_id = lot AND d.severity IN ('major', 'critical') AND d.state <> 'closed'
     UNION
    SELECT d.id FROM stock_lot l JOIN mrp_deviation d ON d.bpr_id = l.mmr_bpr_id
     WHERE l.id = lot AND d.severity IN ('major', 'critical') AND d.state <> 'closed'
     UNION
    SELECT d.id FROM stock_lot l JOIN mrp_deviation_batch r ON r.bpr_id = l.mmr_bpr_id
      JOIN mrp_deviation d ON d.id = r.deviation_id
     WHERE l.id = lot AND r.assessment IS DISTINCT FROM 'not_affected'
       AND d.severity IN ('major', 'critical') AND d.state <> 'closed'
$$;

-- The lots that an open major or critical deviation concerns and that are not held (DEV-100).
CREATE FUNCTION mrp_mmr_lots_to_hold(deviations integer[]) RETURNS SETOF integer
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH open AS (
        SELECT d.id, d.lot_id, d.bpr_id FROM mrp_deviation d
         WHERE d.id = ANY(deviations) AND d.severity IN ('major', 'critical') AND d.state <> 'closed'
    ), batches AS (
        SELECT o.bpr_id FROM open o WHERE o.bpr_id IS NOT NULL
         UNION
        SELECT r.bpr_id FROM open o JOIN mrp_deviation_batch r ON r.deviation_id = o.id
         WHERE r.assessment IS DISTINCT FROM 'not_affected'
    )
    SELECT l.id FROM stock_lot l
     WHERE (l.id IN (SELECT o.lot_id FROM open o) OR l.mmr_bpr_id IN (SELECT b.bpr_id FROM batches b))
       AND (l.mmr_status IS NULL OR l.mmr_status = 'released')
$$;

-- No transaction ends in which a major or critical deviation is open and one of its lots is free: it is held with the
-- deviation, with its new severity, and with the batch that was found to be related (DEV-100). Also held in
-- models/deviation/hold.py.
CREATE FUNCTION mrp_mmr_guard_lots_held() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    deviation integer := COALESCE((to_jsonb(NEW) ->> 'deviation_id')::integer, NEW.id);
    lots text := (SELECT string_agg(l.name, ', ' ORDER BY l.id) FROM stock_lot l
                   WHERE l.id IN (SELECT mrp_mmr_lots_to_hold(ARRAY[deviation])));
BEGIN
    IF lots IS NOT NULL THEN
        RAISE EXCEPTION 'A major or critical deviation holds its lots: % (DEV-100, 21 CFR 111.113, 211.192).', lots
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = mrp_mmr_constraint(TG_TABLE_NAME, 'lots_held');
    END IF;
    RETURN NULL;
END $$;

-- Whether goods of a lot at a place are outside: with a customer, or, of a lot that an own batch made, with a supplier (DEV-100).
-- Also held in models/stock/hold.py.
CREATE FUNCTION mrp_mmr_is_outside(place integer, batch integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM stock_location l
                    WHERE l.id = place AND (l.usage = 'customer' OR l.usage = 'supplier' AND batch IS NOT NULL))
$$;

-- Whether goods of a lot were sent outside by a done line (DEV-100). Also held in models/stock/hold.py (_mmr_get_sent_out).
CREATE FUNCTION mrp_mmr_was_outside(lot integer, batch integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM stock_move_line m WHERE m.lot_id = lot AND m.state = 'done' AND m.quantity > 0
                      AND mrp_mmr_is_outside(m.location_dest_id, batch))
$$;

-- Whether a move line makes goods appear inside, by a count or from production: of a lot that was sent outside they came back
-- without a return (DEV-100). Also held in models/stock/hold.py (_mmr_get_returning).
CREATE FUNCTION mrp_mmr_appears(source integer, destination integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM stock_location s, stock_location d
                    WHERE s.id = source AND d.id = destination AND s.usage IN ('inventory', 'production')
                      AND d.usage IN ('internal', 'transit'))
$$;

-- Whether a lot under control may be used, so that it has to be held when goods of it come back (DEV-100).
CREATE FUNCTION mrp_mmr_is_to_hold(lot integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM stock_lot l JOIN product_product p ON p.id = l.product_id JOIN product_template t ON t.id = p.product_tmpl_id
         WHERE l.id = lot AND (l.mmr_status = 'released' OR l.mmr_status IS NULL AND t.mmr_controlled))
$$;

-- Whether a move line brings a lot back from outside: from a customer, or, of a lot that an own batch made, from a
-- supplier (DEV-100, 21 CFR 111.503, 211.204). Also held in models/stock/hold.py (_mmr_get_returning).
CREATE FUNCTION mrp_mmr_comes_back(source integer, destination integer, batch integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM stock_location s, stock_location d
         WHERE s.id = source AND d.id = destination AND d.usage IN ('internal', 'transit')
           AND (s.usage = 'customer' OR s.usage = 'supplier' AND batch IS NOT NULL))
$$;
