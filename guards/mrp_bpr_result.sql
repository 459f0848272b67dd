-- mrp_bpr_result: results of the laboratory.

-- A result stays as it was entered, is approved by a signature, and tested again only where another person of
-- Quality Control authorised it (BPR-090, IPC-030, AUD-020, VER-100, 21 CFR 211.192,
-- 211.194(a)(8)). Also held in models/record/result.py and
-- models/record/persons.py.
CREATE FUNCTION mrp_mmr_guard_bpr_result() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'Results cannot be deleted (BPR-090, AUD-030).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_result_kept';
    END IF;
    IF TG_OP = 'INSERT' THEN
        -- A number, a bound or a finding in its canonical form (NUM-010, NUM-040; domain/results.py).
        IF NEW.kind = 'value' AND NEW.value !~ ('^([<>≤≥]?-?(0|[1-9][0-9]{0,17})([.][0-9]{1,12})?|(not )?detected'
                                                || '|(absent|present) in [0-9.]+ [^[:cntrl:]]+)$')
           OR NEW.value ~ '^[<>≤≥]?-0([.]0+)?$' THEN
            RAISE EXCEPTION '% is not a result in its canonical form (NUM-010, 21 CFR 211.68(b)).', NEW.value
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_result_canonical';
        END IF;
        IF NEW.signature_id IS NOT NULL OR NEW.retest_signature_id IS NOT NULL OR EXISTS (
            SELECT FROM mrp_bpr_result r WHERE r.id = NEW.supersedes_id
               AND ((r.bpr_id, r.position) <> (NEW.bpr_id, NEW.position) OR r.outcome = 'fail'
                    OR r.retest_of_id IS DISTINCT FROM NEW.retest_of_id)) THEN
            RAISE EXCEPTION 'A result can only be approved after it was entered; one out of specification cannot be corrected '
                            '(BPR-090, 21 CFR 211.192).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_result_entered';
        END IF;
        IF NEW.supersedes_id IS NULL AND EXISTS (
            SELECT FROM mrp_bpr_result r WHERE (r.bpr_id, r.position) = (NEW.bpr_id, NEW.position))
           AND NOT EXISTS (
            SELECT FROM mrp_bpr_result r WHERE r.id = NEW.retest_of_id AND r.outcome = 'fail'
               AND (r.bpr_id, r.position) = (NEW.bpr_id, NEW.position) AND r.retest_signature_id IS NOT NULL) THEN
            RAISE EXCEPTION 'A test that has a result can only be repeated if Quality Control authorised its retest '
                            '(BPR-090, IPC-030, 21 CFR 211.192).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_result_retested';
        END IF;
        RETURN NEW;
    END IF;
    IF mrp_mmr_is_removal(TG_TABLE_NAME, OLD.bpr_id, to_jsonb(OLD), to_jsonb(NEW)) THEN
        RETURN NEW;     -- by a signed disposal (REC-040)
    END IF;
    IF OLD.retest_signature_id IS NULL AND NEW.retest_signature_id IS NOT NULL AND (
        NEW.outcome IS DISTINCT FROM 'fail' OR NOT EXISTS (
            SELECT FROM mrp_esignature s JOIN res_users u ON u.id = NEW.user_id
             WHERE s.id = NEW.retest_signature_id AND s.res_model = 'mrp.bpr.result' AND s.res_id = NEW.id
               AND s.content ->> 'schema' = 'mrp_mmr/retest/1' AND s.meaning = 'approved'
               AND s.user_id <> u.id AND s.partner_id <> u.partner_id)) THEN
        RAISE EXCEPTION 'A retest must be authorised by a signature of another member of Quality Control '
                        '(BPR-090, IPC-030, 21 CFR 211.192).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_result_retested';
    END IF;
    IF (to_jsonb(NEW) - '{signature_id,retest_signature_id,write_date,write_uid}'::text[])
       IS DISTINCT FROM (to_jsonb(OLD) - '{signature_id,retest_signature_id,write_date,write_uid}'::text[])
       OR OLD.signature_id IS NOT NULL AND NEW.signature_id IS DISTINCT FROM OLD.signature_id
       OR OLD.retest_signature_id IS NOT NULL AND NEW.retest_signature_id IS DISTINCT FROM OLD.retest_signature_id
       OR NEW.signature_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM mrp_esignature s, jsonb_array_elements(s.content -> 'results') r
             WHERE s.id = NEW.signature_id AND s.res_model = 'mrp.bpr' AND s.res_id = NEW.bpr_id
               AND s.content ->> 'schema' IN ('mrp_mmr/results/1', 'mrp_mmr/results/2')
               AND (r ->> 'id')::integer = NEW.id AND r ->> 'value' IS NOT DISTINCT FROM NEW.value
               AND r ->> 'compared' IS NOT DISTINCT FROM NEW.compared
               AND r ->> 'outcome' IS NOT DISTINCT FROM NEW.outcome) THEN
        RAISE EXCEPTION 'A result cannot be changed after it was entered, and must be approved by a signature '
                        '(BPR-090, AUD-020).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_result_fixed';
    END IF;
    IF OLD.signature_id IS NULL AND NEW.signature_id IS NOT NULL AND EXISTS (
        WITH RECURSIVE history AS (
            SELECT NEW.user_id, NEW.supersedes_id
             UNION ALL SELECT r.user_id, r.supersedes_id FROM history h JOIN mrp_bpr_result r ON r.id = h.supersedes_id)
        SELECT FROM history h JOIN mrp_esignature s ON s.id = NEW.signature_id
         WHERE mrp_mmr_same_person(h.user_id, s.user_id)) THEN
        RAISE EXCEPTION 'Nobody can approve their own result: % (VER-100, 21 CFR 211.194(a)(8)).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_result_second_person';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_bpr_result BEFORE INSERT OR UPDATE OR DELETE ON mrp_bpr_result
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_bpr_result();

-- Frozen with the decision on its batch (REL-030; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_decided BEFORE INSERT OR UPDATE ON mrp_bpr_result
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_decided();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_bpr_result
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
