-- mrp_bpr_step: the steps of batches.

-- A weighing is verified while its lots are released (VER-030, 21 CFR 211.101(c)(1)). Also held in
-- models/record/step/signing.py.
CREATE FUNCTION mrp_mmr_guard_bpr_step_lot() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM mrp_bpr_entry e JOIN stock_lot l ON l.id = e.lot_id
         WHERE e.step_id = NEW.id AND e.kind = 'weight' AND l.mmr_status IS DISTINCT FROM 'released'
           AND NOT EXISTS (
                SELECT FROM mrp_bpr_entry c
                 WHERE c.supersedes_id = e.id AND (NOT c.to_sign OR EXISTS (
                    SELECT FROM mrp_esignature s WHERE s.res_model = 'mrp.bpr.entry' AND s.res_id = c.id)))) THEN
        RAISE EXCEPTION 'A lot of step % is no longer released (VER-030, 21 CFR 211.101(c)(1)).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_step_lot';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_bpr_step_lot BEFORE UPDATE ON mrp_bpr_step
    FOR EACH ROW WHEN (
        NEW.kind = 'weigh' AND OLD.verified_signature_id IS NULL AND NEW.verified_signature_id IS NOT NULL)
    EXECUTE FUNCTION mrp_mmr_guard_bpr_step_lot();

-- A step stays as planned, goes in its sequence, and is signed point by point by the persons that the plan asks for
-- (USE-030, USE-050, REV-060, VER-010 to VER-050, VER-100, CON-150, DEV-030, SIG-030, 21 CFR 111.210(h)(3), 111.255(c),
-- 111.260(j), 211.111). Also held in models/record/step/step.py and models/record/step/signing.py.
CREATE FUNCTION mrp_mmr_guard_bpr_step() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    point text;
    before text;
    signature integer;
    signer record;
    other record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'Steps of batches cannot be deleted (BPR-010, 21 CFR 111.255).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_step_kept';
    END IF;
    IF NEW.planned IS DISTINCT FROM OLD.planned THEN
        IF mrp_mmr_is_removal(TG_TABLE_NAME, OLD.bpr_id, to_jsonb(OLD), to_jsonb(NEW)) THEN
            RETURN NEW;     -- by a signed disposal (REC-040)
        END IF;
    END IF;
    IF (NEW.bpr_id, NEW.production_id, NEW.company_id, NEW.sequence, NEW.stage, NEW.number, NEW.name, NEW.kind,
        NEW.performer_role, NEW.verifier_role, NEW.is_critical, NEW.is_hold_point, NEW.points, NEW.planned, NEW.yield_mmr_id)
       IS DISTINCT FROM
       (OLD.bpr_id, OLD.production_id, OLD.company_id, OLD.sequence, OLD.stage, OLD.number, OLD.name, OLD.kind,
        OLD.performer_role, OLD.verifier_role, OLD.is_critical, OLD.is_hold_point, OLD.points, OLD.planned, OLD.yield_mmr_id)
       OR (OLD.started_at, OLD.started_by_id) IS DISTINCT FROM (NEW.started_at, NEW.started_by_id)
          AND OLD.started_at IS NOT NULL
       OR OLD.state IN ('done', 'not_done') AND (NEW.state <> OLD.state OR NEW.closed_at IS DISTINCT FROM OLD.closed_at)
       OR OLD.state = 'checking' AND NEW.state IN ('open', 'started')
       OR OLD.state = 'started' AND NEW.state = 'open'
       OR NEW.retest_count < OLD.retest_count
       OR NEW.precaution_acknowledged IS DISTINCT FROM OLD.precaution_acknowledged AND OLD.started_at IS NOT NULL THEN
        RAISE EXCEPTION 'The definition of step %, and what was done, cannot be changed (USE-030, 21 CFR 111.255(c)).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_step_fixed';
    END IF;
    IF OLD.state = 'open' AND NEW.state <> 'open' THEN
        IF NOT EXISTS (SELECT FROM mrp_bpr b WHERE b.id = NEW.bpr_id AND b.state IN ('ready', 'progress')) THEN
            RAISE EXCEPTION 'Step % cannot start: its record has not been issued, or is closed (BPR-160).', OLD.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_step_issued';
        END IF;
        IF EXISTS (
            SELECT FROM mrp_bpr_step p
             WHERE p.bpr_id = NEW.bpr_id AND p.state NOT IN ('done', 'not_done')
               AND (p.stage = NEW.stage AND p.number < NEW.number
                    OR NEW.planned -> 'stage' -> 'predecessors' @> to_jsonb(p.stage))) THEN
            RAISE EXCEPTION 'Step % cannot start before the preceding steps are closed (USE-050, 21 CFR 111.255(c)).', OLD.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_step_sequence';
        END IF;
    END IF;
    -- Pending or stopped: what was started is finished and recorded, and nothing else begins (REV-060, EU GMP 4.5).
    IF OLD.state = 'open' AND NEW.state IN ('started', 'checking', 'done') AND EXISTS (
        SELECT FROM mrp_production o WHERE o.id = NEW.production_id AND o.mmr_decision IN ('pending', 'stop')) THEN
        RAISE EXCEPTION 'Quality Control has not decided that the batch of step % continues (REV-060).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_step_pending';
    END IF;
    -- What QC rejected is worked on no more: nothing starts, and no point is signed. It can be closed as not done.
    IF (OLD.state = 'open' AND NEW.state IN ('started', 'checking', 'done')
        OR (NEW.performed_signature_id, NEW.verified_signature_id, NEW.added_signature_id,
            NEW.addition_verified_signature_id, NEW.hold_signature_id, NEW.retest_count)
           IS DISTINCT FROM
           (OLD.performed_signature_id, OLD.verified_signature_id, OLD.added_signature_id,
            OLD.addition_verified_signature_id, OLD.hold_signature_id, OLD.retest_count))
       AND EXISTS (SELECT FROM mrp_deviation d WHERE d.bpr_id = NEW.bpr_id AND d.disposition = 'reject') THEN
        RAISE EXCEPTION 'Quality Control rejected the material: work on step % cannot continue (DEV-030, 21 CFR 111.113).',
            OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_step_rejected';
    END IF;
    IF EXISTS (SELECT FROM jsonb_each_text(to_jsonb(NEW)) c
                WHERE c.key LIKE '%\_signature\_id' AND c.value IS DISTINCT FROM to_jsonb(OLD) ->> c.key
                  AND NOT NEW.points ? replace(c.key, '_signature_id', '')) THEN
        RAISE EXCEPTION 'Step % does not have this signature (VER-050, SIG-030, 21 CFR 11.70).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_step_signed';
    END IF;
    before := NULL;
    FOR point IN SELECT jsonb_array_elements_text(NEW.points) LOOP
        signature := (to_jsonb(NEW) ->> (point || '_signature_id'))::integer;
        IF (to_jsonb(OLD) ->> (point || '_signature_id')) IS NOT NULL THEN
            IF signature IS DISTINCT FROM (to_jsonb(OLD) ->> (point || '_signature_id'))::integer THEN
                RAISE EXCEPTION 'The signatures of step % cannot be changed (SIG-030, 21 CFR 11.70).', OLD.name
                    USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                          CONSTRAINT = 'mrp_mmr_bpr_step_signed';
            END IF;
        ELSIF signature IS NOT NULL THEN
            SELECT s.user_id, s.partner_id, s.id, s.signed_at INTO signer FROM mrp_esignature s
             WHERE s.id = signature AND s.res_model = 'mrp.bpr.step' AND s.res_id = NEW.id
               AND s.content ->> 'point' = point;
            IF signer.id IS NULL OR before IS NOT NULL AND (to_jsonb(NEW) ->> (before || '_signature_id')) IS NULL
            THEN
                RAISE EXCEPTION 'The signatures of step % must be made one by one, in their order (VER-050).', OLD.name
                    USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                          CONSTRAINT = 'mrp_mmr_bpr_step_signed';
            END IF;
            -- Whole seconds, as Odoo keeps times; a step on paper has its own times.
            IF before IS NULL AND signer.signed_at < NEW.started_at + make_interval(
                    secs => floor((NEW.planned ->> 'minimum_time')::numeric * 60)::double precision)
               AND NOT EXISTS (SELECT FROM mrp_bpr_transcription t
                                WHERE t.step_id = NEW.id AND t.state = 'verified') THEN
                RAISE EXCEPTION 'Step % cannot be signed before its minimum time has passed (CON-150, 21 CFR 211.111).',
                    OLD.name
                    USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                          CONSTRAINT = 'mrp_mmr_bpr_step_minimum_time';
            END IF;
            IF point IN ('verified', 'addition_verified') THEN
                SELECT s.user_id, s.partner_id INTO other FROM mrp_esignature s
                 WHERE s.id = (to_jsonb(NEW) ->> (before || '_signature_id'))::integer;
                IF other.user_id = signer.user_id OR other.partner_id = signer.partner_id
                   OR mrp_mmr_performed(NEW.id, signer.user_id) THEN
                    RAISE EXCEPTION 'Nobody can verify their own work: % (VER-010, VER-100, 21 CFR 111.210(h)(3)).', OLD.name
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                              CONSTRAINT = 'mrp_mmr_bpr_step_second_person';
                END IF;
            END IF;
        END IF;
        before := point;
    END LOOP;
    IF NEW.state = 'done' AND OLD.state <> 'done' AND (to_jsonb(NEW) ->> (before || '_signature_id')) IS NULL THEN
        RAISE EXCEPTION 'Step % is not signed completely (VER-020, 21 CFR 111.260(j)).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_step_signed';
    END IF;
    IF NEW.state = 'not_done' AND OLD.state <> 'not_done' AND NOT EXISTS (
        SELECT FROM mrp_deviation d WHERE d.step_id = NEW.id AND d.source = 'departure') THEN
        RAISE EXCEPTION 'Step % can only be closed as not done with a deviation (USE-050).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_step_not_done';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_bpr_step BEFORE UPDATE OR DELETE ON mrp_bpr_step
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_bpr_step();

-- The steps of a batch are made by the release of its order, all of them at once, and looked at together (USE-030).
-- Also held in models/record/step/step.py.
CREATE FUNCTION mrp_mmr_guard_bpr_step_insert() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM inserted s
          LEFT JOIN mrp_bpr b ON b.id = s.bpr_id AND b.state IN ('issue', 'ready')
               AND (b.production_id, b.company_id) = (s.production_id, s.company_id)
               -- All of them are made at once, so that there is no place for another one.
               AND s.sequence BETWEEN 1 AND b.step_count
          LEFT JOIN mrp_mmr_revision r ON r.id = b.mmr_revision_id AND s.kind = 'yield'
         WHERE b.id IS NULL OR s.state IS DISTINCT FROM 'open' OR s.started_at IS NOT NULL
            OR s.yield_mmr_id IS DISTINCT FROM r.mmr_id
            OR COALESCE(s.performed_signature_id, s.verified_signature_id, s.added_signature_id,
                        s.addition_verified_signature_id, s.hold_signature_id) IS NOT NULL) THEN
        RAISE EXCEPTION 'The steps of a batch can only be created by the release of its order (USE-030).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_step_planned';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER mrp_mmr_guard_bpr_step_insert AFTER INSERT ON mrp_bpr_step
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_bpr_step_insert();

-- A step waits for the verification of its transcription, and its signature says that there is one (VER-050,
-- BPR-110, SIG-030). Also held in models/record/transcription.py.
CREATE FUNCTION mrp_mmr_guard_transcribed_step() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    signed integer[] := ARRAY(SELECT value::integer FROM jsonb_each_text(to_jsonb(NEW))
                               WHERE key LIKE '%_signature_id' AND value IS NOT NULL
                                 AND to_jsonb(OLD) ->> key IS NULL);
BEGIN
    IF (signed <> '{}' OR NEW.state = 'done' AND OLD.state <> 'done') AND EXISTS (
        SELECT FROM mrp_bpr_transcription t WHERE t.step_id = NEW.id AND t.state = 'open') THEN
        RAISE EXCEPTION 'A transcription of step % is waiting for its verification (VER-050).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = 'mrp_mmr_bpr_step_transcribed_verified';
    END IF;
    IF signed <> '{}' AND EXISTS (
            SELECT FROM mrp_bpr_transcription t WHERE t.step_id = NEW.id AND t.state = 'verified')
       AND EXISTS (SELECT FROM mrp_esignature g WHERE g.id = ANY(signed) AND g.content -> 'transcriptions' IS NULL)
    THEN
        RAISE EXCEPTION 'The signature of step % must state that the step was transcribed (BPR-110, SIG-030).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_step_transcribed_said';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_transcribed_step BEFORE UPDATE ON mrp_bpr_step
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_transcribed_step();

-- Frozen with the decision on its batch (REL-030; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_decided BEFORE UPDATE ON mrp_bpr_step
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_decided();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_bpr_step
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
