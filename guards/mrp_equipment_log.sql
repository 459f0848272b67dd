-- mrp_equipment_log: use, cleaning, maintenance and calibration of equipment.

-- Whether a line is attested as it must be. The person who checks is another one (VER-010).
CREATE FUNCTION mrp_mmr_log_signed(line mrp_equipment_log) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT COALESCE(line.needs_signature, FALSE) THEN
        RETURN TRUE;    -- every use: the most lines by far
    END IF;
    RETURN line.kind = 'calibration' AND line.result = 'fail'
        OR EXISTS (
            SELECT FROM mrp_esignature p
             WHERE p.res_model = 'mrp.equipment.log' AND p.res_id = line.id
               AND p.content ->> 'point' IN ('performed', 'reviewed')
               AND (NOT COALESCE(line.needs_check, FALSE) OR EXISTS (
                    SELECT FROM mrp_esignature c
                     WHERE c.res_model = 'mrp.equipment.log' AND c.res_id = line.id
                       AND c.content ->> 'point' = 'checked'
                       AND c.user_id <> p.user_id AND c.partner_id <> p.partner_id)));
END $$;

-- Whether a line counts: attested, and not corrected by another one that is (AUD-020).
CREATE FUNCTION mrp_mmr_log_counts(line mrp_equipment_log) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN mrp_mmr_log_signed(line) AND NOT EXISTS (
        SELECT FROM mrp_equipment_log c WHERE c.supersedes_id = line.id AND mrp_mmr_log_signed(c));
END $$;

-- What the log says of units at a time: last calibration, last full cleaning, uses since that cleaning, and whether
-- one of them was in a batch (IPC-070, BPR-040). A use counts until its signature, and from the moment on when a batch
-- identifies the unit.
--
-- Every look-up is the first row of an index, once for each product that a unit was ever used for: the number of uses does
-- not matter (PRF-010). It is written so that PostgreSQL has no other way, whatever it guesses of the numbers: the last use
-- before the moment is compared with the cleaning when it is found, what was corrected is counted row by row, and the
-- lines of a batch are read before they are compared (OFFSET 0).
CREATE FUNCTION mrp_mmr_equipment_status(ids integer[], moment timestamp, batch integer) RETURNS TABLE (
    equipment integer, calibration integer, result varchar, due date, calibrated_at timestamp, cleaning integer,
    cleaned_at timestamp, products integer[], in_batch boolean, used_at timestamp
)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT e.id, k.id, k.result, k.next_due, k.ended_at, c.id, c.ended_at, u.products, EXISTS (
                SELECT FROM (SELECT l AS line FROM mrp_equipment_log l WHERE l.bpr_id = batch OFFSET 0) b
                 WHERE (b.line).equipment_id = e.id AND (b.line).kind = 'use'
                   AND (b.line).ended_at BETWEEN c.ended_at AND moment AND mrp_mmr_log_counts(b.line))
             OR EXISTS (
                SELECT FROM (
                    SELECT n.id, n.equipment_id, n.at FROM mrp_bpr_entry n WHERE n.bpr_id = batch OFFSET 0) n
                 WHERE n.equipment_id = e.id AND n.at BETWEEN c.ended_at AND moment
                   AND (SELECT count(*) = 0 FROM mrp_bpr_entry o WHERE o.supersedes_id = n.id AND NOT o.to_sign)),
           u.used_at
      FROM unnest(ids) AS e(id)
      LEFT JOIN LATERAL (
        SELECT l.id, l.result, l.next_due, l.ended_at FROM mrp_equipment_log l
         WHERE l.equipment_id = e.id AND l.kind = 'calibration' AND l.ended_at <= moment
           AND mrp_mmr_log_counts(l)
         ORDER BY l.ended_at DESC, l.id DESC LIMIT 1) k ON TRUE
      LEFT JOIN LATERAL (
        SELECT l.id, l.ended_at FROM mrp_equipment_log l
         WHERE l.equipment_id = e.id AND l.kind = 'cleaning' AND l.ended_at <= moment
           AND l.cleaning_kind = 'full' AND mrp_mmr_log_counts(l)
         ORDER BY l.ended_at DESC, l.id DESC LIMIT 1) c ON TRUE
      LEFT JOIN LATERAL (
        -- One product after the other, from index to index; what other products were used for is not read.
        WITH RECURSIVE used(product) AS (
            SELECT 0
             UNION ALL
            SELECT LEAST(
                    (SELECT l.product_id FROM mrp_equipment_log l
                      WHERE l.equipment_id = e.id AND l.kind = 'use' AND l.product_id > used.product
                      ORDER BY l.product_id LIMIT 1),
                    (SELECT n.product_id FROM mrp_bpr_entry n
                      WHERE n.equipment_id = e.id AND n.product_id > used.product
                      ORDER BY n.product_id LIMIT 1))
              FROM used WHERE used.product IS NOT NULL)
        SELECT array_agg(s.product ORDER BY s.product) AS products, max(s.at) AS used_at
          FROM (
            SELECT used.product, GREATEST(
                    (SELECT l.ended_at FROM mrp_equipment_log l
                      WHERE l.equipment_id = e.id AND l.kind = 'use' AND l.product_id = used.product
                        AND l.ended_at <= moment AND mrp_mmr_log_counts(l)
                      ORDER BY l.ended_at DESC LIMIT 1),
                    (SELECT n.at FROM mrp_bpr_entry n
                      WHERE n.equipment_id = e.id AND n.product_id = used.product AND n.at <= moment
                        AND (SELECT count(*) = 0 FROM mrp_bpr_entry o WHERE o.supersedes_id = n.id AND NOT o.to_sign)
                      ORDER BY n.at DESC LIMIT 1)) AS at
              FROM used WHERE used.product > 0 OFFSET 0) s
         WHERE s.at >= c.ended_at) u ON c.id IS NOT NULL;
END $$;

-- A line corrects one of the same unit and kind; a use in a batch comes with the signature of its step (AUD-020,
-- BPR-030, 21 CFR 211.182). Also held in models/equipment/log.py.
CREATE FUNCTION mrp_mmr_guard_equipment_log() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.supersedes_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM mrp_equipment_log l
         WHERE l.id = NEW.supersedes_id AND l.kind = NEW.kind AND l.equipment_id = NEW.equipment_id) THEN
        RAISE EXCEPTION 'An entry can only correct one of the same unit and kind (AUD-020).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_log_corrects';
    END IF;
    IF NEW.bpr_id IS NOT NULL AND (NEW.kind <> 'use' OR NOT EXISTS (
        SELECT FROM mrp_bpr b JOIN mrp_bpr_step s ON s.bpr_id = b.id
         WHERE b.id = NEW.bpr_id AND s.id = NEW.step_id AND b.product_id = NEW.product_id
           AND b.company_id = NEW.company_id
           AND (to_jsonb(s) ->> ((s.points ->> 0) || '_signature_id'))::integer = NEW.signature_id)) THEN
        RAISE EXCEPTION 'A use in a batch needs the signature of its step (BPR-030, 21 CFR 211.182).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_log_use_signed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_equipment_log BEFORE INSERT ON mrp_equipment_log
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_equipment_log();

-- Written once (SIG-030, AUD-030; _shared.sql).
CREATE TRIGGER mrp_mmr_append_only BEFORE UPDATE OR DELETE ON mrp_equipment_log
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_append_only();
CREATE TRIGGER mrp_mmr_append_only_truncate BEFORE TRUNCATE ON mrp_equipment_log
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_append_only();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_equipment_log
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
