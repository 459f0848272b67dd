-- stock_location: places.

-- Whether goods that are not free lie at a place (REL-070).
CREATE FUNCTION mrp_mmr_holds_goods(place integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM stock_quant q
                    WHERE q.location_id = place AND q.lot_id IS NOT NULL AND q.quantity <> 0 AND NOT mrp_mmr_is_free(q.lot_id))
$$;

-- A place with goods that are not free stays an internal place of its company and of its warehouse (REL-070). Also held in
-- models/stock/location.py.
CREATE FUNCTION mrp_mmr_guard_location() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF mrp_mmr_holds_goods(OLD.id) THEN
        RAISE EXCEPTION 'Location % contains goods that are not released, so its use cannot be changed '
                        '(REL-070, REL-010).', OLD.complete_name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_location_holds';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER mrp_mmr_guard_location BEFORE UPDATE ON stock_location FOR EACH ROW
    WHEN (OLD.usage = 'internal' AND (NEW.usage IS DISTINCT FROM OLD.usage OR NEW.company_id IS DISTINCT FROM OLD.company_id
          OR NEW.warehouse_id IS DISTINCT FROM OLD.warehouse_id))
    EXECUTE FUNCTION mrp_mmr_guard_location();
