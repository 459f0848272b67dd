-- mrp_bpr_entry: what was recorded at the steps of batches.

-- An entry is made at a started step, and signed by itself after it (AUD-020, BPR-110). Also held in
-- models/record/step/entry.py.
CREATE FUNCTION mrp_mmr_guard_bpr_entry() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    step record;
BEGIN
    SELECT s.bpr_id, s.company_id, s.state, s.performed_signature_id, s.added_signature_id, b.state AS bpr_state
      INTO step FROM mrp_bpr_step s JOIN mrp_bpr b ON b.id = s.bpr_id WHERE s.id = NEW.step_id;
    IF (step.bpr_id, step.company_id) IS DISTINCT FROM (NEW.bpr_id, NEW.company_id)
       OR step.state = 'open'
       OR NEW.is_late IS DISTINCT FROM (step.state IN ('done', 'not_done'))
       OR NEW.to_sign IS DISTINCT FROM (
            NEW.kind NOT IN ('comment', 'handover') AND step.state NOT IN ('started'))
       OR EXISTS (SELECT FROM mrp_bpr_entry e WHERE e.id IN (NEW.supersedes_id, NEW.about_id)
                     AND e.step_id <> NEW.step_id) THEN
        RAISE EXCEPTION 'An entry needs a started step; after the step is signed, it needs a signature of its own '
                        '(AUD-020, BPR-110).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_entry_at_step';
    END IF;
    -- A number in its canonical form (NUM-010; domain/numbers.py).
    IF NEW.value !~ '^-?(0|[1-9][0-9]{0,17})([.][0-9]{1,12})?$' OR NEW.value ~ '^-0([.]0+)?$' THEN
        RAISE EXCEPTION '% is not a number in its canonical form (NUM-010, 21 CFR 211.68(b)).', NEW.value
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_entry_canonical';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_bpr_entry BEFORE INSERT ON mrp_bpr_entry
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_bpr_entry();

-- Equipment is used calibrated and clean (IPC-070, BPR-040, 21 CFR 111.35(b)(2), 211.68(a)). Also held in
-- models/equipment/equipment.py (_mmr_check_usable): the same status, the same conditions.
CREATE FUNCTION mrp_mmr_guard_bpr_unit() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    unit record;
    status record;
    moment timestamp;
    product integer;
BEGIN
    -- Two batches that take one unit, or a batch and a calibration, follow each other: the second begins again.
    UPDATE maintenance_equipment SET write_date = write_date WHERE id = NEW.equipment_id;
    SELECT e.* INTO unit FROM maintenance_equipment e WHERE e.id = NEW.equipment_id;
    SELECT CASE WHEN NEW.to_sign THEN s.started_at ELSE NEW.at END, b.product_id INTO moment, product
      FROM mrp_bpr_step s JOIN mrp_bpr b ON b.id = s.bpr_id WHERE s.id = NEW.step_id;
    IF NEW.product_id IS DISTINCT FROM product THEN
        RAISE EXCEPTION 'A unit can only be used for the product of its batch (BPR-040, 21 CFR 211.182).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_unit_product';
    END IF;
    SELECT * INTO status FROM mrp_mmr_equipment_status(ARRAY[NEW.equipment_id], moment, NEW.bpr_id);
    IF unit.mmr_is_instrument AND (
            status.result IS DISTINCT FROM 'pass' OR status.due < mrp_mmr_company_day(moment, NEW.company_id)) THEN
        RAISE EXCEPTION '% has no valid calibration (IPC-070, 21 CFR 211.68(a)).', NEW.equipment_name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_unit_calibrated';
    END IF;
    IF unit.mmr_needs_cleaning AND (
            status.cleaning IS NULL OR NOT COALESCE(status.products, '{}') <@ ARRAY[product]
            OR unit.mmr_cleaning_hold > 0 AND NOT status.in_batch
               AND moment > status.cleaned_at + unit.mmr_cleaning_hold * interval '1 day') THEN
        RAISE EXCEPTION '% is not clean for this product (BPR-040, 21 CFR 111.35(b)(2)).', NEW.equipment_name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_unit_clean';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_bpr_unit BEFORE INSERT ON mrp_bpr_entry
    FOR EACH ROW WHEN (NEW.equipment_id IS NOT NULL) EXECUTE FUNCTION mrp_mmr_guard_bpr_unit();

-- A lot is used released, in its time, and weighed to the target of its assay (USE-060, USE-070, 21 CFR 211.84(a),
-- 211.101(a)). Also held in models/record/step/record.py and models/record/step/potency.py.
CREATE FUNCTION mrp_mmr_guard_bpr_lot() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM stock_lot l WHERE l.id = NEW.lot_id AND l.mmr_status = 'released'
           AND (l.expiration_date IS NULL OR mrp_mmr_company_day(l.expiration_date, NEW.company_id)
                                             >= mrp_mmr_company_day(NEW.at, NEW.company_id))
           AND (l.mmr_retest_date IS NULL OR l.mmr_retest_date > mrp_mmr_company_day(NEW.at, NEW.company_id))) THEN
        RAISE EXCEPTION 'Lot % is not released, or has expired or is due for retest (USE-060, 21 CFR 211.84(a)).', NEW.lot_name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_lot_released';
    END IF;
    -- The target of the weighing was calculated with the assay that was released.
    IF EXISTS (
        SELECT FROM mrp_bpr_step s, stock_lot l
         WHERE s.id = NEW.step_id AND l.id = NEW.lot_id AND s.planned #> '{target,assay}' IS NOT NULL
           AND (NEW.data #>> '{adjusted,assay,value}')::numeric IS DISTINCT FROM l.mmr_assay::numeric) THEN
        RAISE EXCEPTION 'The target for lot % does not match its assay (USE-070, 21 CFR 211.101(a)).', NEW.lot_name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_lot_assay';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_bpr_lot BEFORE INSERT ON mrp_bpr_entry
    FOR EACH ROW WHEN (NEW.kind IN ('weight', 'material') AND NEW.lot_id IS NOT NULL AND NOT NEW.to_sign)
    EXECUTE FUNCTION mrp_mmr_guard_bpr_lot();

-- A step is recorded at the terminals of its work center (SEC-040, 21 CFR 11.10(h)). Also held in
-- models/record/step/terminal.py.
CREATE FUNCTION mrp_mmr_guard_bpr_terminal() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM mrp_bpr_step s JOIN mrp_workorder w ON w.id = s.workorder_id
          JOIN mrp_workcenter_terminal_rel r ON r.mrp_workcenter_id = w.workcenter_id
          JOIN mrp_terminal t ON t.id = r.mrp_terminal_id
         WHERE s.id = NEW.step_id
        HAVING NOT bool_or(t.active AND t.name IS NOT DISTINCT FROM NEW.device)) THEN
        RAISE EXCEPTION 'This step can only be recorded at other terminals (SEC-040, 21 CFR 11.10(h)).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_terminal';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_bpr_terminal BEFORE INSERT ON mrp_bpr_entry
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_bpr_terminal();

-- A transcribed entry says who wrote it when, on which worksheet (BPR-110). Also held in
-- models/record/transcription.py.
CREATE FUNCTION mrp_mmr_guard_transcribed_entry() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.transcription_id IS NULL AND COALESCE(NEW.paper_time, NEW.paper_by, NEW.paper_verified_by) IS NOT NULL
       OR NEW.transcription_id IS NOT NULL AND (
            COALESCE(trim(NEW.paper_time), '') = '' OR COALESCE(trim(NEW.paper_by), '') = ''
            OR COALESCE(trim(NEW.reason), '') = '' OR NOT EXISTS (
                SELECT FROM mrp_bpr_transcription t
                 WHERE t.id = NEW.transcription_id AND t.step_id = NEW.step_id AND t.user_id = NEW.user_id
                   AND t.state = 'open' AND t.transcribed_signature_id IS NULL)) THEN
        RAISE EXCEPTION 'A transcribed entry must state who wrote it, when, and on which worksheet (BPR-110).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_entry_transcribed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_transcribed_entry BEFORE INSERT ON mrp_bpr_entry
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_transcribed_entry();

-- Written once (SIG-030, AUD-030; _shared.sql).
CREATE TRIGGER mrp_mmr_append_only BEFORE UPDATE OR DELETE ON mrp_bpr_entry
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_append_only();
CREATE TRIGGER mrp_mmr_append_only_truncate BEFORE TRUNCATE ON mrp_bpr_entry
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_append_only();

-- Frozen with the decision on its batch (REL-030; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_decided BEFORE INSERT OR UPDATE ON mrp_bpr_entry
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_decided();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_bpr_entry
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
