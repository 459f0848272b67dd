-- mrp_lot_destruction: destructions of rejected lots.

-- A destruction is signed once, as it was recorded, and kept (DEV-080, SIG-030, REC-040). Also held in
-- models/stock/destruction.py.
CREATE FUNCTION mrp_mmr_guard_destruction() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'Destructions cannot be deleted (DEV-080, REC-040).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_destruction_kept';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.signature_id IS NOT NULL OR NEW.move_id IS NOT NULL THEN
            RAISE EXCEPTION 'Destruction % can only be signed after it was recorded (DEV-080).', NEW.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_destruction_signed';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.name, NEW.company_id, NEW.lot_id, NEW.product_id, NEW.location_id, NEW.quantity, NEW.uom_id,
        NEW.method, NEW.reason, NEW.recorded_by_id, NEW.recorded_at)
       IS DISTINCT FROM
       (OLD.name, OLD.company_id, OLD.lot_id, OLD.product_id, OLD.location_id, OLD.quantity, OLD.uom_id,
        OLD.method, OLD.reason, OLD.recorded_by_id, OLD.recorded_at)
       OR OLD.signature_id IS NOT NULL AND NEW.signature_id IS DISTINCT FROM OLD.signature_id
       OR OLD.move_id IS NOT NULL AND NEW.move_id IS DISTINCT FROM OLD.move_id
       OR NEW.move_id IS NOT NULL AND NEW.signature_id IS NULL
       OR NEW.signature_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM mrp_esignature s
             WHERE s.id = NEW.signature_id AND s.res_model = 'mrp.lot.destruction' AND s.res_id = NEW.id
               AND s.content ->> 'schema' = 'mrp_mmr/destruction/1'
               AND (s.content #>> '{lot,id}')::integer = NEW.lot_id
               AND (s.content ->> 'quantity')::numeric = NEW.quantity::numeric) THEN
        RAISE EXCEPTION 'Destruction % can only be signed once, as it was recorded (DEV-080, SIG-030).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_destruction_signed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_destruction BEFORE INSERT OR UPDATE OR DELETE ON mrp_lot_destruction
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_destruction();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_lot_destruction
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
