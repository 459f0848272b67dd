-- The done lines of a controlled order say what its batch used and made: they are not redirected, dated or taken away, and
-- once Quality Control decided on the batch, their quantities do not change either (STK-040, REL-050, REL-030).
CREATE OR REPLACE FUNCTION mrp_mmr_guard_order_line() RETURNS trigger
SET search_path = pg_catalog, public, pg_temp AS $$
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
END $$ LANGUAGE plpgsql;

CREATE OR REPLACE TRIGGER mrp_mmr_guard_order_line_insert BEFORE INSERT ON stock_move_line FOR EACH ROW
    WHEN (NEW.state = 'done') EXECUTE FUNCTION mrp_mmr_guard_order_line();
CREATE OR REPLACE TRIGGER mrp_mmr_guard_order_line BEFORE UPDATE ON stock_move_line FOR EACH ROW
    WHEN (OLD.state = 'done') EXECUTE FUNCTION mrp_mmr_guard_order_line();
CREATE OR REPLACE TRIGGER mrp_mmr_guard_order_line_delete BEFORE DELETE ON stock_move_line FOR EACH ROW
    WHEN (OLD.state = 'done') EXECUTE FUNCTION mrp_mmr_guard_order_line();
