-- stock_lot: lots; those of controlled products have a signed status.

-- A lot begins in quarantine and is released or rejected by a signature of Quality Control over exactly what it is;
-- then its data stay, and it is kept (USE-060, REL-010, SIG-030, 21 CFR 111.260(a), 211.184). A grave deviation, or its
-- return, puts it back into quarantine without one; the next decision is newer (DEV-100). Lots without a status cost
-- nothing. Of a lot that a batch made, the rule of the batch holds (REL-070, REL-020). Also held in models/stock/lot.py,
-- models/stock/lot_of_batch.py and models/stock/hold.py.
CREATE FUNCTION mrp_mmr_guard_lot() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'Lot % has a signed status or a batch and cannot be deleted (USE-060, 21 CFR 211.184).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_lot_kept';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.mmr_status IS DISTINCT FROM 'quarantine' OR NEW.mmr_status_signature_id IS NOT NULL
           OR NEW.mmr_bpr_id IS NOT NULL THEN
            RAISE EXCEPTION 'Lot % must start in quarantine (USE-060).', NEW.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_lot_signed';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.mmr_bpr_id IS DISTINCT FROM OLD.mmr_bpr_id AND (
            OLD.mmr_bpr_id IS NOT NULL OR OLD.mmr_status_signature_id IS NOT NULL
            OR NEW.mmr_status IS DISTINCT FROM 'quarantine')
       OR OLD.mmr_bpr_id IS NOT NULL
          AND (NEW.name, NEW.product_id) IS DISTINCT FROM (OLD.name, OLD.product_id) THEN
        RAISE EXCEPTION 'A lot is made by one batch, which cannot be changed: % (REL-010, 21 CFR 111.260(a)).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_lot_of_batch';
    END IF;
    -- Company and expiry of a lot are those of the batch that made it (REL-070).
    IF NEW.mmr_bpr_id IS NOT NULL AND (
            (NEW.mmr_bpr_id, NEW.company_id) IS DISTINCT FROM (OLD.mmr_bpr_id, OLD.company_id)
            AND NEW.company_id IS DISTINCT FROM (SELECT b.company_id FROM mrp_bpr b WHERE b.id = NEW.mmr_bpr_id)
            OR NEW.expiration_date IS DISTINCT FROM OLD.expiration_date
               AND (OLD.mmr_status_signature_id IS NOT NULL OR OLD.mmr_bpr_id IS NOT NULL AND OLD.expiration_date IS NOT NULL)) THEN
        RAISE EXCEPTION 'The company and the expiry date of lot % must be those of its batch (REL-070).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_lot_of_batch';
    END IF;
    IF OLD.mmr_status IS NULL AND NEW.mmr_status = 'quarantine' AND NEW.mmr_status_signature_id IS NULL
       AND OLD.mmr_bpr_id IS NULL AND NEW.mmr_bpr_id IS NOT NULL THEN
        -- The lot number of a batch, noted before the product came under control.
        RETURN NEW;
    END IF;
    IF NEW.mmr_status = 'quarantine' AND COALESCE(OLD.mmr_status, 'released') = 'released'
       AND NEW.mmr_status_signature_id IS NOT DISTINCT FROM OLD.mmr_status_signature_id
       AND (NEW.mmr_hold_deviation_id IN (SELECT mrp_mmr_concerning(NEW.id))
            OR NEW.mmr_returned_at IS NOT NULL AND EXISTS (
                SELECT FROM stock_move_line m
                 WHERE m.lot_id = NEW.id
                   AND (mrp_mmr_comes_back(m.location_id, m.location_dest_id, NEW.mmr_bpr_id)
                        OR m.state = 'done' AND mrp_mmr_is_outside(m.location_dest_id, NEW.mmr_bpr_id)))) THEN
        RETURN NEW;
    END IF;
    IF NEW.mmr_status = 'released' AND OLD.mmr_status IS DISTINCT FROM 'released'
       AND EXISTS (SELECT FROM mrp_mmr_concerning(NEW.id)) THEN
        RAISE EXCEPTION 'An open deviation affects lot %, which cannot be released (DEV-100, 21 CFR 211.192).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_lot_concerned';
    END IF;
    -- The rule of its batch, on the lot: the batch is released, nothing of it is open, nobody who worked on it signs, and the
    -- Qualified Person does where the batch was certified (REL-070, REL-020, VER-100).
    IF NEW.mmr_status = 'released' AND OLD.mmr_status IS DISTINCT FROM 'released' AND EXISTS (
            SELECT FROM mrp_bpr b JOIN mrp_esignature s ON s.id = NEW.mmr_status_signature_id AND s.res_model = 'stock.lot'
              JOIN mrp_mmr_revision r ON r.id = b.mmr_revision_id JOIN mrp_mmr m ON m.id = r.mmr_id
              JOIN mrp_mmr_profile p ON p.id = m.profile_id
             WHERE b.id = NEW.mmr_bpr_id AND b.product_id = NEW.product_id AND (
                b.release_state <> 'released' OR b.packed_state = 'rejected'
                OR EXISTS (SELECT FROM mrp_deviation d WHERE d.bpr_id = b.id AND (d.state <> 'closed' OR d.disposition = 'reject'))
                OR mrp_mmr_demanded(m.profile_id, 'releaser') AND mrp_mmr_took_part(b.id, s.user_id)
                OR p.code = 'PEU' AND NOT EXISTS (
                    SELECT FROM res_groups_users_rel g JOIN ir_model_data x ON x.res_id = g.gid AND x.model = 'res.groups'
                       AND x.module = 'mrp_mmr' AND x.name = 'group_mmr_qp' WHERE g.uid = s.user_id))) THEN
        RAISE EXCEPTION 'Lot % can only be released under the rules of its batch (REL-070, REL-020).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_lot_of_batch';
    END IF;
    IF (NEW.mmr_status, NEW.mmr_status_signature_id) IS DISTINCT FROM (OLD.mmr_status, OLD.mmr_status_signature_id)
    THEN
        -- Released or rejected with the batch that made it, first of all.
        IF OLD.mmr_status = 'quarantine' AND OLD.mmr_status_signature_id IS NULL AND EXISTS (
            SELECT FROM mrp_esignature s, jsonb_array_elements(s.content -> 'lots') l
              JOIN mrp_bpr b ON b.id = NEW.mmr_bpr_id
             WHERE s.id = NEW.mmr_status_signature_id AND s.res_model = 'mrp.bpr' AND s.res_id = b.id
               AND s.id IN (b.release_signature_id, b.packed_release_signature_id)
               AND s.content ->> 'schema' = 'mrp_mmr/release/1' AND s.content ->> 'status' = NEW.mmr_status
               AND (l ->> 'id')::integer = NEW.id AND l ->> 'name' = NEW.name
               AND (l ->> 'product')::integer = NEW.product_id
               AND (l ->> 'expires') IS NOT DISTINCT FROM
                   to_char(NEW.expiration_date, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) THEN
            RETURN NEW;
        END IF;
        -- The newest decision on this lot, over exactly what the lot is now.
        IF OLD.mmr_status = 'rejected' OR NEW.mmr_status IS NULL OR NOT EXISTS (
            SELECT FROM mrp_esignature s
             WHERE s.id = NEW.mmr_status_signature_id AND s.id > COALESCE(OLD.mmr_status_signature_id, 0)
               AND s.id = (SELECT max(n.id) FROM mrp_esignature n
                            WHERE n.res_model = 'stock.lot' AND n.res_id = NEW.id)
               AND s.content ->> 'schema' = 'mrp_mmr/lot/1' AND s.content ->> 'status' = NEW.mmr_status
               AND s.content ->> 'lot' = NEW.name AND (s.content #>> '{product,id}')::integer = NEW.product_id
               AND (s.content ->> 'expires') IS NOT DISTINCT FROM
                   to_char(NEW.expiration_date, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
               AND (s.content ->> 'supplier_lot') IS NOT DISTINCT FROM NULLIF(NEW.mmr_supplier_lot, '')
               AND (s.content #>> '{certificate,id}')::integer IS NOT DISTINCT FROM NEW.mmr_file_id
               AND (s.content ->> 'retest')::date IS NOT DISTINCT FROM NEW.mmr_retest_date
               AND COALESCE((s.content #>> '{assay,value}')::numeric, 0) = COALESCE(NEW.mmr_assay::numeric, 0)
               AND (COALESCE(NEW.mmr_assay::numeric, 0) = 0 OR (
                    (s.content #>> '{assay,unit}') IS NOT DISTINCT FROM NULLIF(NEW.mmr_assay_unit, '')
                    AND (s.content #>> '{assay,basis}') IS NOT DISTINCT FROM NEW.mmr_assay_basis
                    AND (s.content #>> '{assay,moisture}')::numeric = COALESCE(NEW.mmr_assay_moisture::numeric, 0)
                    AND (s.content #>> '{assay,date}')::date IS NOT DISTINCT FROM NEW.mmr_assay_date))) THEN
            RAISE EXCEPTION 'Lot % can only be released or rejected by a signature of Quality Control (USE-060).', OLD.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_lot_signed';
        END IF;
    ELSIF OLD.mmr_status IN ('released', 'rejected')
       AND (NEW.name, NEW.product_id, NEW.expiration_date, NEW.mmr_supplier_lot, NEW.mmr_file_id,
            NEW.mmr_retest_date, NEW.mmr_assay, NEW.mmr_assay_unit, NEW.mmr_assay_basis, NEW.mmr_assay_moisture,
            NEW.mmr_assay_date)
       IS DISTINCT FROM
           (OLD.name, OLD.product_id, OLD.expiration_date, OLD.mmr_supplier_lot, OLD.mmr_file_id,
            OLD.mmr_retest_date, OLD.mmr_assay, OLD.mmr_assay_unit, OLD.mmr_assay_basis, OLD.mmr_assay_moisture,
            OLD.mmr_assay_date) THEN
        RAISE EXCEPTION 'Quality Control decided on the present data of lot %, which cannot be changed '
                        '(USE-060, SIG-030).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_lot_fixed';
    END IF;
    -- Of a product under control, what was counted in or made without a record is not released (REL-070, USE-010).
    IF NEW.mmr_status = 'released' AND OLD.mmr_status IS DISTINCT FROM 'released' AND NEW.mmr_bpr_id IS NULL
       AND NOT mrp_mmr_has_origin(NEW.id, NEW.product_id) THEN
        RAISE EXCEPTION 'Lot % of a controlled product was not made by a batch record (REL-070, USE-010).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_lot_origin';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_lot BEFORE UPDATE ON stock_lot
    FOR EACH ROW WHEN (
        OLD.mmr_status IS NOT NULL OR NEW.mmr_status IS NOT NULL OR NEW.mmr_status_signature_id IS NOT NULL
        OR NEW.mmr_bpr_id IS NOT NULL)
    EXECUTE FUNCTION mrp_mmr_guard_lot();
CREATE TRIGGER mrp_mmr_guard_lot_delete BEFORE DELETE ON stock_lot
    FOR EACH ROW WHEN (OLD.mmr_status_signature_id IS NOT NULL OR OLD.mmr_bpr_id IS NOT NULL)
    EXECUTE FUNCTION mrp_mmr_guard_lot();
CREATE TRIGGER mrp_mmr_guard_lot_insert BEFORE INSERT ON stock_lot
    FOR EACH ROW WHEN (
        NEW.mmr_status IS NOT NULL OR NEW.mmr_status_signature_id IS NOT NULL OR NEW.mmr_bpr_id IS NOT NULL)
    EXECUTE FUNCTION mrp_mmr_guard_lot();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON stock_lot
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate({{'rows.stock_lot'}});
