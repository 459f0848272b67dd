-- stock_move: moves of controlled orders.

-- Moves of a controlled order are done by its record only, and stay as they were done (STK-040, REL-050,
-- 21 CFR 211.188). Also held in models/stock/by_record.py and models/stock/move.py.
CREATE FUNCTION mrp_mmr_guard_order_move() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    batch record;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.state = 'done' AND (
                NEW.state, NEW.product_id, NEW.product_uom, NEW.location_id, NEW.location_dest_id, NEW.picking_id,
                NEW.raw_material_production_id, NEW.production_id)
           IS DISTINCT FROM (
                OLD.state, OLD.product_id, OLD.product_uom, OLD.location_id, OLD.location_dest_id, OLD.picking_id,
                OLD.raw_material_production_id, OLD.production_id)
           AND EXISTS (SELECT FROM mrp_bpr b
                        WHERE b.production_id IN (OLD.raw_material_production_id, OLD.production_id))
           -- The order dates them once more when it is closed.
           OR OLD.state = 'done' AND NEW.date IS DISTINCT FROM OLD.date
           AND EXISTS (SELECT FROM mrp_bpr b
                        WHERE b.production_id IN (OLD.raw_material_production_id, OLD.production_id)
                          AND b.state IN ('done', 'cancel')) THEN
            RAISE EXCEPTION 'What a batch consumed or produced cannot be changed (STK-040, REL-050, 21 CFR 211.188).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_move_fixed';
        END IF;
    END IF;
    SELECT b.id, b.name, b.release_state INTO batch FROM mrp_bpr b
     WHERE b.production_id IN (NEW.raw_material_production_id, NEW.production_id) LIMIT 1;
    IF NOT FOUND THEN
        RETURN NEW;
    END IF;
    IF NEW.picking_id IS NOT NULL THEN
        RAISE EXCEPTION '% is completed by its record: its moves cannot be done in a transfer (STK-040, USE-050).', batch.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_move_of_record';
    END IF;
    IF NEW.state = 'done' AND (TG_OP = 'INSERT' OR OLD.state IS DISTINCT FROM 'done')
       AND batch.release_state <> 'rejected'
       AND EXISTS (SELECT FROM mrp_bpr_step s WHERE s.bpr_id = batch.id AND s.state NOT IN ('done', 'not_done'))
       AND NOT EXISTS (
            SELECT FROM mrp_esignature g WHERE g.res_model = 'mrp.bpr' AND g.res_id = batch.id
               AND g.content ->> 'schema' = 'mrp_mmr/cancel/1') THEN
        RAISE EXCEPTION '% has open steps: nothing can be consumed or produced before they are closed '
                        '(STK-040, USE-050).', batch.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_move_of_record';
    END IF;
    RETURN NEW;
END $$;

-- Moves of no order cost nothing.
CREATE TRIGGER mrp_mmr_guard_order_move_insert BEFORE INSERT ON stock_move FOR EACH ROW
    WHEN ((NEW.raw_material_production_id IS NOT NULL OR NEW.production_id IS NOT NULL)
          AND (NEW.state = 'done' OR NEW.picking_id IS NOT NULL))
    EXECUTE FUNCTION mrp_mmr_guard_order_move();
CREATE TRIGGER mrp_mmr_guard_order_move BEFORE UPDATE ON stock_move FOR EACH ROW
    WHEN ((OLD.raw_material_production_id IS NOT NULL OR OLD.production_id IS NOT NULL
           OR NEW.raw_material_production_id IS NOT NULL OR NEW.production_id IS NOT NULL)
          AND (OLD.state = 'done' OR NEW.state = 'done' OR NEW.picking_id IS NOT NULL))
    EXECUTE FUNCTION mrp_mmr_guard_order_move();

-- What a batch used or made is not emptied (REC-040).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON stock_move
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate({{'rows.stock_move'}});
