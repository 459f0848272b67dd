-- mrp_production: manufacturing orders; controlled ones follow an MMR.

-- Whether a batch of a superseded revision goes on is decided by a signature of Quality Control (REV-060). Also
-- held in models/order/decision.py.
CREATE FUNCTION mrp_mmr_guard_decision() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (NEW.mmr_decision, NEW.mmr_decision_signature_id)
       IS DISTINCT FROM (OLD.mmr_decision, OLD.mmr_decision_signature_id)
       AND (NEW.mmr_decision IN ('continue', 'stop') OR OLD.mmr_decision IN ('continue', 'stop'))
       AND NOT EXISTS (
            SELECT FROM mrp_esignature s
             WHERE s.id = NEW.mmr_decision_signature_id AND s.res_model = 'mrp.production' AND s.res_id = NEW.id
               AND s.meaning = CASE NEW.mmr_decision WHEN 'continue' THEN 'approved' WHEN 'stop' THEN 'rejected' END
               AND s.content ->> 'decision' = NEW.mmr_decision
               AND s.id > COALESCE(OLD.mmr_decision_signature_id, 0)) THEN
        RAISE EXCEPTION 'Only a signature of Quality Control decides whether batch % continues (REV-060).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_production_mmr_decision_signed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_decision BEFORE UPDATE OF mmr_decision, mmr_decision_signature_id ON mrp_production
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_decision();

-- A controlled order matches an effective MMR of exactly its size; what it makes is fixed with its release, it is
-- done when all steps are and Quality Control decided whether it goes on, and it is kept (USE-010, USE-020, USE-050,
-- REV-060, BPR-010, REL-010). Also held in
-- models/order/production.py and models/order/gate.py.
CREATE FUNCTION mrp_mmr_guard_production() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    master record;
    product record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.mmr_snapshot IS NOT NULL THEN
            RAISE EXCEPTION 'Order % was released on an MMR and cannot be deleted (BPR-010).', OLD.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_production_kept';
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NEW.mmr_snapshot IS DISTINCT FROM OLD.mmr_snapshot AND OLD.mmr_snapshot IS NOT NULL THEN
            IF mrp_mmr_is_removal(TG_TABLE_NAME, (SELECT b.id FROM mrp_bpr b WHERE b.production_id = NEW.id),
                                  to_jsonb(OLD), to_jsonb(NEW)) THEN
                RETURN NEW;     -- by a signed disposal (REC-040)
            END IF;
        END IF;
        IF OLD.mmr_snapshot IS NOT NULL AND
           (NEW.mmr_snapshot, NEW.mmr_snapshot_sha256, NEW.mmr_revision_id, NEW.mmr_controlled,
            NEW.product_id, NEW.product_qty, NEW.product_uom_id, NEW.bom_id, NEW.company_id)
           IS DISTINCT FROM
           (OLD.mmr_snapshot, OLD.mmr_snapshot_sha256, OLD.mmr_revision_id, OLD.mmr_controlled,
            OLD.product_id, OLD.product_qty, OLD.product_uom_id, OLD.bom_id, OLD.company_id) THEN
            RAISE EXCEPTION 'Order % was released: its product, quantity and process are fixed (USE-020).',
                OLD.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_snapshot_fixed';
        END IF;
        IF OLD.mmr_snapshot IS NOT NULL AND OLD.state IN ('done', 'cancel') AND NEW.state <> OLD.state THEN
            RAISE EXCEPTION 'Order % is closed and cannot be reopened (USE-020).', OLD.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_snapshot_fixed';
        END IF;
    END IF;
    IF NEW.mmr_snapshot IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.mmr_snapshot IS NULL) THEN
        SELECT r.state, r.document, r.document_sha256, r.bom_id, m.product_id, m.company_id,
               m.batch_size_product_uom, jsonb_build_array(
                   jsonb_build_array(p.id, p.signer_name, p.signature_sha256),
                   jsonb_build_array(a.id, a.signer_name, a.signature_sha256)) AS signatures
          INTO master
          FROM mrp_mmr_revision r
          JOIN mrp_mmr m ON m.id = r.mmr_id
          JOIN mrp_esignature p ON p.id = r.prepared_signature_id
          JOIN mrp_esignature a ON a.id = r.approved_signature_id
         WHERE r.id = NEW.mmr_revision_id;
        IF TG_OP = 'INSERT' OR master.state IS DISTINCT FROM 'effective'
           OR jsonb_array_length(NEW.mmr_snapshot -> 'signatures') IS DISTINCT FROM 2
           OR master.signatures IS DISTINCT FROM (
               SELECT jsonb_agg(jsonb_build_array(s.row -> 'id', s.row -> 'name', s.row -> 'signature_sha256')
                                ORDER BY s.position)
                 FROM jsonb_array_elements(NEW.mmr_snapshot -> 'signatures')
                      WITH ORDINALITY AS s(row, position))
           OR master.document IS DISTINCT FROM NEW.mmr_snapshot -> 'document'
           OR master.document_sha256 IS DISTINCT FROM NEW.mmr_snapshot ->> 'document_sha256'
           OR (master.bom_id, master.product_id, master.company_id)
              IS DISTINCT FROM (NEW.bom_id, NEW.product_id, NEW.company_id)
           OR round((NEW.product_qty * (SELECT u.factor FROM uom_uom u WHERE u.id = NEW.product_uom_id)
                     / (SELECT u.factor FROM uom_uom u
                          JOIN product_template t ON t.uom_id = u.id
                          JOIN product_product p ON p.product_tmpl_id = t.id
                         WHERE p.id = NEW.product_id))::numeric, 6)
              IS DISTINCT FROM round(master.batch_size_product_uom::numeric, 6) THEN
            RAISE EXCEPTION 'Order % does not match an effective MMR of exactly its size (USE-010).', NEW.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_snapshot_matches';
        END IF;
    END IF;
    IF NEW.mmr_snapshot IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.mmr_snapshot IS NULL) AND EXISTS (
        SELECT FROM product_product p JOIN product_template t ON t.id = p.product_tmpl_id
         WHERE p.id = NEW.product_id AND t.tracking = 'none') THEN
        RAISE EXCEPTION 'Order % makes a controlled product without lots (REL-010, 21 CFR 111.260(a)).', NEW.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_product_lots';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.state = 'done' AND OLD.state <> 'done' AND EXISTS (
        SELECT FROM mrp_bpr_step s WHERE s.production_id = NEW.id AND s.state NOT IN ('done', 'not_done')) THEN
        RAISE EXCEPTION 'Order % has open steps (USE-050, 21 CFR 111.255(c)).', NEW.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_production_open_steps';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.state = 'done' AND OLD.state <> 'done' AND NEW.mmr_decision = 'pending' THEN
        RAISE EXCEPTION 'Quality Control has not decided whether % continues (REV-060, EU GMP 4.5).', NEW.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_production_pending';
    END IF;
    IF NEW.state NOT IN ('draft', 'cancel') AND NEW.mmr_snapshot IS NULL
       AND (TG_OP = 'INSERT' OR OLD.state IN ('draft', 'cancel')) THEN
        SELECT t.mmr_controlled INTO product
          FROM product_template t JOIN product_product p ON p.product_tmpl_id = t.id
         WHERE p.id = NEW.product_id;
        IF product.mmr_controlled THEN
            RAISE EXCEPTION 'Order % makes a controlled product and has no MMR snapshot (USE-010).', NEW.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_production_mmr_snapshot_required';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_production BEFORE INSERT OR UPDATE OR DELETE ON mrp_production
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_production();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_production
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate({{'rows.mrp_production'}});
