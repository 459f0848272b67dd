-- mrp_bpr: batch production records.

-- A batch record is made by the release of its order, stays what it is, is issued before it is used, complete when
-- it is done, and kept (USE-030, USE-050, BPR-010, BPR-160, 21 CFR 111.255); on a revision that ended it goes on when
-- Quality Control decided so (REV-060). Also held in models/record/bpr.py and models/order/decision.py.
CREATE FUNCTION mrp_mmr_guard_bpr() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'Batch production records cannot be deleted (BPR-010, 21 CFR 111.255(a)).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_kept';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state NOT IN ('issue', 'ready') OR NEW.issue_signature_id IS NOT NULL OR NOT EXISTS (
            SELECT FROM mrp_production o
             WHERE o.id = NEW.production_id AND o.mmr_snapshot IS NOT NULL
               AND (o.company_id, o.mmr_revision_id, o.product_id)
                   IS NOT DISTINCT FROM (NEW.company_id, NEW.mmr_revision_id, NEW.product_id)) THEN
            RAISE EXCEPTION 'A batch production record can only be created by the release of its order (USE-030).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_released';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.production_id, NEW.company_id, NEW.mmr_revision_id, NEW.product_id, NEW.name, NEW.rules,
        NEW.plan_sha256, NEW.step_count)
       IS DISTINCT FROM (OLD.production_id, OLD.company_id, OLD.mmr_revision_id, OLD.product_id, OLD.name,
        OLD.rules, OLD.plan_sha256, OLD.step_count)
       OR (OLD.state IN ('done', 'cancel') AND NEW.state <> OLD.state)
       OR (OLD.issue_signature_id IS NOT NULL AND NEW.issue_signature_id IS DISTINCT FROM OLD.issue_signature_id)
       OR (OLD.started_at IS NOT NULL AND NEW.started_at IS DISTINCT FROM OLD.started_at)
       OR NEW.completed_at IS DISTINCT FROM OLD.completed_at
          AND (OLD.completed_at IS NOT NULL OR NEW.state <> 'done') THEN
        RAISE EXCEPTION 'The identity of % cannot be changed (USE-030, 21 CFR 111.255(c)).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_fixed';
    END IF;
    IF OLD.state = 'issue' AND NEW.state NOT IN ('issue', 'cancel') AND NOT EXISTS (
        SELECT FROM mrp_esignature s WHERE s.id = NEW.issue_signature_id AND s.meaning = 'issued'
           AND s.res_model = 'mrp.bpr' AND s.res_id = NEW.id) THEN
        RAISE EXCEPTION '% is not issued: its accuracy must first be checked and signed (BPR-160).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_issued';
    END IF;
    IF NEW.state = 'done' AND OLD.state <> 'done' AND EXISTS (
        SELECT FROM mrp_bpr_step s WHERE s.bpr_id = NEW.id AND s.state NOT IN ('done', 'not_done')) THEN
        RAISE EXCEPTION '% has open steps (USE-050, 21 CFR 111.255(c)).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_complete';
    END IF;
    IF (NEW.state = 'done' AND OLD.state <> 'done'
        OR NEW.release_state = 'released' AND OLD.release_state <> 'released')
       AND EXISTS (
            SELECT FROM mrp_production o WHERE o.id = NEW.production_id AND o.mmr_decision IN ('pending', 'stop')) THEN
        RAISE EXCEPTION 'Quality Control has not decided that % continues (REV-060, EU GMP 4.5).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_pending';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_bpr BEFORE INSERT OR UPDATE OR DELETE ON mrp_bpr
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_bpr();

-- Whether the signature of the production responsible has its place beside the review of a batch: before it, so that
-- the review is given on it (EU GMP 4.20(i)), or on it, where the batch was reviewed by an earlier version. A newer one
-- than the review waits for the next review. Also held in models/record/release_document.py.
CREATE FUNCTION mrp_mmr_production_signed(production integer, review integer, is_final boolean) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM mrp_esignature p LEFT JOIN mrp_esignature r ON r.id = review
         WHERE p.id = production
           AND (p.content ->> 'schema' = 'mrp_mmr/production/1' AND p.basis_signature_id = review
                OR p.content ->> 'schema' = 'mrp_mmr/production/2' AND (
                    r.basis_signature_id = p.id OR NOT is_final AND p.id > COALESCE(r.id, 0))))
$$;

-- A batch is signed by production where the profile asks for it, reviewed, certified and released by signatures, in
-- this order, when nothing is open; its record stays as it is then (REL-020, REL-030, VER-100, BPR-130, BPR-200, PKG-010,
-- EU GMP 4.20(i), 21 CFR 11.70, 111.127).
-- Also held in models/record/release.py and models/record/release_issues.py.
CREATE FUNCTION mrp_mmr_guard_bpr_release() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    decision record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.release_state <> 'none' OR NEW.document IS NOT NULL OR COALESCE(
            NEW.review_signature_id, NEW.production_signature_id, NEW.certification_signature_id,
            NEW.release_signature_id, NEW.packed_release_signature_id) IS NOT NULL THEN
            RAISE EXCEPTION 'A batch cannot be released before it was made (REL-030).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_released_late';
        END IF;
        RETURN NEW;
    END IF;
    -- The order of a batch that was rejected while it ran is cancelled.
    IF OLD.release_state IN ('released', 'rejected')
       AND NOT (OLD.state = 'progress' AND NEW.state = 'cancel'
                AND to_jsonb(NEW) - '{state,write_date,write_uid}'::text[]
                    = to_jsonb(OLD) - '{state,write_date,write_uid}'::text[])
       AND (to_jsonb(NEW) - '{packed_state,packed_release_signature_id,quantity_released,write_date,write_uid,
                              retain_until,legal_hold,disposal_id,making_hours,release_hours,
                              is_right_first_time,right_first_time,yield_percent}'::text[]
            - CASE WHEN NEW.disposal_id IS NOT NULL THEN 'document' ELSE '' END)
           IS DISTINCT FROM
           (to_jsonb(OLD) - '{packed_state,packed_release_signature_id,quantity_released,write_date,write_uid,
                              retain_until,legal_hold,disposal_id,making_hours,release_hours,
                              is_right_first_time,right_first_time,yield_percent}'::text[]
            - CASE WHEN NEW.disposal_id IS NOT NULL THEN 'document' ELSE '' END)
       OR NEW.quantity_released IS DISTINCT FROM OLD.quantity_released
          AND NEW.release_state = OLD.release_state AND NEW.packed_state IS NOT DISTINCT FROM OLD.packed_state
       OR OLD.packed_state IS NOT NULL
       AND (NEW.packed_state, NEW.packed_release_signature_id, NEW.quantity_released)
           IS DISTINCT FROM (OLD.packed_state, OLD.packed_release_signature_id, OLD.quantity_released) THEN
        RAISE EXCEPTION 'Quality Control decided on %: its record cannot be changed (REL-030, 21 CFR 11.70).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_frozen';
    END IF;
    -- The review is a signature of its own, and gives way to a later one alone.
    IF NEW.review_signature_id IS DISTINCT FROM OLD.review_signature_id AND (
            OLD.review_signature_id >= COALESCE(NEW.review_signature_id, 0) OR NOT EXISTS (
                SELECT FROM mrp_esignature s WHERE s.id = NEW.review_signature_id AND s.meaning = 'reviewed'
                   AND s.res_model = 'mrp.bpr' AND s.res_id = NEW.id)) THEN
        RAISE EXCEPTION 'The review of % needs a signature of its own (REL-020, REL-030, SIG-030, 21 CFR 11.70).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_reviewed';
    END IF;
    IF NEW.release_state = 'none' AND OLD.release_state <> 'none'
       OR NEW.release_state <> 'none' AND NEW.state <> 'done' AND NOT (
            NEW.release_state = 'rejected' AND NEW.state IN ('progress', 'cancel') AND EXISTS (
                SELECT FROM mrp_deviation d WHERE d.bpr_id = NEW.id AND d.disposition = 'reject'))
       OR NEW.release_state = 'none' AND NEW.document IS NOT NULL
       OR NEW.release_state IN ('approved', 'certified', 'released') AND NOT EXISTS (
            SELECT FROM mrp_esignature s WHERE s.id = NEW.review_signature_id AND s.meaning = 'reviewed'
               AND s.res_model = 'mrp.bpr' AND s.res_id = NEW.id)
       OR NEW.production_signature_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM mrp_esignature s WHERE s.id = NEW.production_signature_id AND s.meaning = 'approved'
               AND s.res_model = 'mrp.bpr' AND s.res_id = NEW.id
               AND mrp_mmr_production_signed(
                    s.id, NEW.review_signature_id, NEW.release_state IN ('certified', 'released')))
       OR (NEW.release_state = 'certified' OR NEW.certification_signature_id IS NOT NULL) AND NOT EXISTS (
            SELECT FROM mrp_esignature s WHERE s.id = NEW.certification_signature_id AND s.meaning = 'certified'
               AND s.res_model = 'mrp.bpr' AND s.res_id = NEW.id
               AND s.basis_signature_id = NEW.review_signature_id) THEN
        RAISE EXCEPTION '% must be reviewed, certified and released by signatures, in this order (REL-030, BPR-130).',
                        OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_decided';
    END IF;
    IF NEW.production_signature_id IS NULL
       AND (NEW.review_signature_id IS NOT NULL AND NEW.review_signature_id IS DISTINCT FROM OLD.review_signature_id
            OR NEW.release_state = 'released' AND OLD.release_state <> 'released')
       AND mrp_mmr_demanded((SELECT m.profile_id FROM mrp_mmr_revision r JOIN mrp_mmr m ON m.id = r.mmr_id
                              WHERE r.id = NEW.mmr_revision_id), 'production_signature') THEN
        RAISE EXCEPTION 'The Production Responsible must sign % before Quality Control (BPR-130, EU GMP 4.20(i)).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_production_first';
    END IF;
    -- Whoever performed or verified takes part, and neither reviews nor releases (REL-020, VER-100).
    IF (NEW.review_signature_id IS DISTINCT FROM OLD.review_signature_id
        OR NEW.release_state = 'released' AND OLD.release_state <> 'released'
        OR NEW.packed_state = 'released' AND OLD.packed_state IS NULL)
       AND mrp_mmr_demanded((SELECT m.profile_id FROM mrp_mmr_revision r JOIN mrp_mmr m ON m.id = r.mmr_id
                              WHERE r.id = NEW.mmr_revision_id), 'releaser')
       AND EXISTS (
            SELECT FROM mrp_esignature s
             WHERE s.id IN (CASE WHEN NEW.review_signature_id IS DISTINCT FROM OLD.review_signature_id
                                 THEN NEW.review_signature_id END,
                            CASE WHEN OLD.release_state <> 'released' AND NEW.release_state = 'released'
                                 THEN NEW.release_signature_id END,
                            CASE WHEN OLD.packed_state IS NULL THEN NEW.packed_release_signature_id END)
               AND mrp_mmr_took_part(NEW.id, s.user_id)) THEN
        RAISE EXCEPTION 'A person who worked on % can neither review nor release it (REL-020, VER-100).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_second_person';
    END IF;
    IF NEW.release_state IN ('released', 'rejected') AND OLD.release_state <> NEW.release_state THEN
        SELECT s.partner_id, s.signed_at INTO decision FROM mrp_esignature s
         WHERE s.id = NEW.release_signature_id AND s.meaning = NEW.release_state
           AND s.res_model = 'mrp.bpr' AND s.res_id = NEW.id
           AND s.content ->> 'schema' = 'mrp_mmr/release/1' AND s.content ->> 'purpose' = 'batch'
           AND s.content ->> 'status' = NEW.release_state
           AND s.content ->> 'document_sha256' = NEW.document_sha256
           AND (NEW.release_state = 'rejected' OR s.basis_signature_id = NEW.review_signature_id);
        IF decision IS NULL OR NEW.document IS NULL
           OR NEW.released_at IS DISTINCT FROM decision.signed_at
           OR NEW.release_state = 'released' AND (
                EXISTS (SELECT FROM mrp_deviation d WHERE d.bpr_id = NEW.id
                           AND (d.state <> 'closed' OR d.disposition = 'reject'))
                OR EXISTS (SELECT FROM mrp_bpr_result r WHERE r.bpr_id = NEW.id
                              AND NOT EXISTS (SELECT FROM mrp_bpr_result n WHERE n.supersedes_id = r.id)
                              AND (r.signature_id IS NULL OR r.outcome = 'fail' AND NOT EXISTS (
                                SELECT FROM mrp_bpr_result n WHERE n.retest_of_id = r.id)))
                OR EXISTS (SELECT FROM mrp_bpr_step s WHERE s.bpr_id = NEW.id
                              AND s.state NOT IN ('done', 'not_done'))
                -- Worksheets are used or void (BPR-200).
                OR EXISTS (SELECT FROM mrp_bpr_copy c WHERE c.bpr_id = NEW.id AND c.void_at IS NULL AND NOT EXISTS (
                                SELECT FROM mrp_bpr_transcription t WHERE t.copy_id = c.id AND t.state <> 'rejected'))
                -- Materials and labels of each pack are accounted for, late where the step was left out (PKG-010).
                OR EXISTS (SELECT FROM mrp_bpr_step s WHERE s.bpr_id = NEW.id AND s.kind IN ('label', 'material')
                              AND NOT EXISTS (
                                SELECT FROM mrp_bpr_entry e WHERE e.step_id = s.id
                                   AND e.kind = CASE s.kind WHEN 'label' THEN 'labels' ELSE 'material' END))
                OR NEW.certification_signature_id IS NULL AND EXISTS (
                    SELECT FROM mrp_mmr_revision r JOIN mrp_mmr m ON m.id = r.mmr_id
                      JOIN mrp_mmr_profile p ON p.id = m.profile_id
                     WHERE r.id = NEW.mmr_revision_id AND p.code = 'PEU')) THEN
            RAISE EXCEPTION '% cannot be released: a signature, a step or a deviation is open (REL-030).', OLD.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_decided';
        END IF;
    ELSIF NEW.release_state NOT IN ('released', 'rejected')
          AND (NEW.document IS NOT NULL OR NEW.document_sha256 IS NOT NULL OR NEW.release_signature_id IS NOT NULL
               OR NEW.released_at IS NOT NULL OR NEW.quantity_released <> '') THEN
        RAISE EXCEPTION '% is frozen by its release, and not earlier (REL-030).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_decided';
    END IF;
    IF (NEW.packed_state IS NULL) <> (NEW.packed_release_signature_id IS NULL)
       OR NEW.packed_state IS NOT NULL AND OLD.packed_state IS NULL AND (
            NEW.release_state <> 'released' OR NOT EXISTS (
                SELECT FROM mrp_esignature s
                 WHERE s.id = NEW.packed_release_signature_id AND s.meaning = NEW.packed_state
                   AND s.res_model = 'mrp.bpr' AND s.res_id = NEW.id
                   AND s.content ->> 'schema' = 'mrp_mmr/release/1' AND s.content ->> 'purpose' = 'packed'
                   AND s.content ->> 'status' = NEW.packed_state
                   AND s.basis_signature_id = NEW.release_signature_id)) THEN
        RAISE EXCEPTION 'The packaged lot of % can only be decided on after its batch (BPR-130, 21 CFR 111.127).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_packed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_bpr_release BEFORE INSERT OR UPDATE ON mrp_bpr
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_bpr_release();

-- A batch record is kept until its date has passed, nobody holds it and a disposal is signed; what is left of it
-- then stays (REC-040, 21 CFR 11.10(c), 111.605(b), 211.180(d)). Also held in models/retention/batch.py and
-- models/retention/disposal.py.
CREATE FUNCTION mrp_mmr_guard_retention() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF COALESCE(NEW.disposal_id::text, NEW.cancelled_at::text, NEW.retain_until::text) IS NOT NULL THEN
            RAISE EXCEPTION 'A new batch record cannot have a date of disposal (REC-040).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_retained';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.disposal_id IS NOT NULL
       AND to_jsonb(NEW) - '{write_date,write_uid,legal_hold}'::text[]
           <> to_jsonb(OLD) - '{write_date,write_uid,legal_hold}'::text[] THEN
        RAISE EXCEPTION '% was disposed of: what remains of it cannot be changed (REC-040, 21 CFR 11.10(c)).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_stub';
    END IF;
    IF NEW.cancelled_at IS DISTINCT FROM OLD.cancelled_at
       AND (OLD.cancelled_at IS NOT NULL OR NEW.state <> 'cancel') THEN
        RAISE EXCEPTION 'The cancellation time of % cannot be changed (REC-040).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_retained';
    END IF;
    IF COALESCE(NEW.legal_hold, false) <> COALESCE(OLD.legal_hold, false)
       AND COALESCE(NEW.legal_hold, false) <> mrp_mmr_on_hold(NEW.id) THEN
        RAISE EXCEPTION 'A hold on % can only be set and lifted by a signature of Quality Control (REC-040).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_held';
    END IF;
    IF NEW.document IS NULL AND OLD.document IS NOT NULL AND NEW.disposal_id IS NULL THEN
        RAISE EXCEPTION 'The record of % must be kept (REC-040, 21 CFR 111.605(b), 211.180(d)).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_retained';
    END IF;
    IF NEW.disposal_id IS NOT NULL AND OLD.disposal_id IS NULL AND (
        NOT mrp_mmr_may_dispose(NEW.id) OR NEW.document IS NOT NULL OR NOT EXISTS (
            SELECT FROM mrp_record_disposal d JOIN mrp_esignature s ON s.id = d.signature_id
             CROSS JOIN jsonb_array_elements(s.content -> 'batches') k
             WHERE d.id = NEW.disposal_id AND (k ->> 'id')::integer = NEW.id
               AND k ->> 'document_sha256' IS NOT DISTINCT FROM OLD.document_sha256)) THEN
        RAISE EXCEPTION '% can only be disposed of after its date, without a hold, by a signature (REC-040).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_retained';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_retention BEFORE INSERT OR UPDATE ON mrp_bpr
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_retention();

-- How long a record is kept follows from profile, lots and distribution (REC-010). After the change, so that it is
-- judged by what the record now is. Also held in models/retention/batch.py, which computes it.
CREATE FUNCTION mrp_mmr_guard_retain_until() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.retain_until IS DISTINCT FROM OLD.retain_until
       AND NEW.retain_until IS DISTINCT FROM (SELECT until FROM mrp_mmr_retention(ARRAY[NEW.id])) THEN
        RAISE EXCEPTION 'The retention of % is determined by its profile, lots and distribution (REC-010).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_retain_until';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER mrp_mmr_guard_retain_until AFTER UPDATE OF retain_until ON mrp_bpr
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_retain_until();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_bpr
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();

-- A batch that runs is cancelled by a signature with its reason, or because Quality Control rejected it (BPR-200,
-- 21 CFR 111.260). Also held in models/record/cancellation.py.
CREATE FUNCTION mrp_mmr_guard_bpr_cancel() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.release_state <> 'rejected' AND NOT EXISTS (
        SELECT FROM mrp_esignature s
         WHERE s.res_model = 'mrp.bpr' AND s.res_id = NEW.id AND s.content ->> 'schema' = 'mrp_mmr/cancel/1'
           AND s.content ->> 'bpr' = NEW.name AND trim(s.comment) <> '') THEN
        RAISE EXCEPTION '% is in progress: cancelling it needs a signature with a reason (BPR-200, 21 CFR 111.260).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_cancel_signed';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER mrp_mmr_guard_bpr_cancel BEFORE UPDATE ON mrp_bpr FOR EACH ROW
    WHEN (OLD.state = 'progress' AND NEW.state = 'cancel') EXECUTE FUNCTION mrp_mmr_guard_bpr_cancel();
