-- mrp_deviation: deviations, from report to closure.

-- Whether a specification is not met: out of its limits, and no authorised retest showed that it is met. A yield
-- out of its band, or labels that do not add up, are departures from the MMR (21 CFR 111.113(a)(2)). A laboratory
-- result counts as met where the investigation found an error of the test and the approved retest meets its limits,
-- or was an error of the test itself, as the decision on its own deviation says.
CREATE FUNCTION mrp_mmr_specification_unmet(
    source varchar, entry integer, result integer, finding varchar
) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF result IS NOT NULL THEN
        RETURN finding IS DISTINCT FROM 'error' OR NOT EXISTS (
            SELECT FROM mrp_bpr_result f JOIN mrp_bpr_result n ON n.retest_of_id = f.id
             WHERE f.id = result AND f.retest_signature_id IS NOT NULL AND n.signature_id IS NOT NULL
               AND NOT EXISTS (SELECT FROM mrp_bpr_result c WHERE c.supersedes_id = n.id)
               AND (n.outcome = 'pass' OR EXISTS (
                    SELECT FROM mrp_deviation d WHERE d.result_id = n.id AND d.disposition = 'accept')));
    END IF;
    RETURN source = 'specification' AND NOT EXISTS (
        SELECT FROM mrp_bpr_entry e WHERE e.id = entry AND (e.kind IN ('yield', 'labels') OR EXISTS (
            SELECT FROM mrp_bpr_entry n JOIN mrp_bpr_step s ON s.id = n.step_id
             WHERE n.step_id = e.step_id AND n.kind = e.kind AND n.id > e.id AND n.outcome = 'pass'
               AND NOT n.to_sign AND s.retest_count > 0 AND NOT EXISTS (
                    SELECT FROM mrp_bpr_entry c WHERE c.supersedes_id = n.id AND NOT c.to_sign))));
END $$;

-- Whether a check of the addon is on for a profile; without one all are.
CREATE FUNCTION mrp_mmr_demanded(profile integer, rule varchar) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN profile IS NULL OR NOT EXISTS (
        SELECT FROM mrp_mmr_requirement r WHERE r.profile_id = profile AND r.check = rule AND NOT r.enabled);
END $$;

-- A deviation is kept as it was reported, decided and closed by signatures of Quality Control; what does not meet
-- its specification is not accepted (DEV-010 to DEV-050, VER-100, 21 CFR 111.113, 111.140(b)(3), 211.192). Also held in
-- models/deviation/deviation.py and models/deviation/material_review.py.
CREATE FUNCTION mrp_mmr_guard_deviation() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    -- What the ORM notes beside the record.
    free CONSTANT text[] := ARRAY['write_uid', 'write_date', 'message_main_attachment_id'];
    -- What the investigation writes until the deviation is closed, and the signatures.
    open CONSTANT text[] := ARRAY[
        'severity', 'state', 'disposition', 'decision_signature_id', 'closing_signature_id', 'investigator_id',
        'due_date', 'cause_id', 'cause', 'quality_effect', 'label_effect', 'correction', 'material_fate',
        'scientific_reason', 'procedure_id', 'identity_result', 'test_finding', 'capa_id', 'no_capa_reason'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'Deviations cannot be deleted (DEV-010, 21 CFR 111.113, 211.192).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_deviation_kept';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open'
           OR num_nonnulls(NEW.disposition, NEW.decision_signature_id, NEW.closing_signature_id) > 0 THEN
            RAISE EXCEPTION 'A deviation starts as open (DEV-010, 21 CFR 111.113(a)).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_deviation_decided';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'closed' AND to_jsonb(NEW) - free <> to_jsonb(OLD) - free
       OR to_jsonb(NEW) - free - open <> to_jsonb(OLD) - free - open THEN
        RAISE EXCEPTION 'The report of %, and what was closed, cannot be changed (DEV-010).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_deviation_fixed';
    END IF;
    IF OLD.capa_id IS NOT NULL AND NEW.capa_id IS DISTINCT FROM OLD.capa_id AND EXISTS (
        SELECT FROM mrp_capa c WHERE c.id = OLD.capa_id AND c.state <> 'draft') THEN
        RAISE EXCEPTION '% cannot leave a CAPA that was started (DEV-090).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_deviation_capa';
    END IF;
    IF (NEW.disposition, NEW.decision_signature_id) IS DISTINCT FROM (OLD.disposition, OLD.decision_signature_id)
       OR NEW.state <> OLD.state AND NEW.state <> 'closed' THEN
        IF NEW.state <> 'decided' OR OLD.disposition = 'reject' OR NOT EXISTS (
            SELECT FROM mrp_esignature s
             WHERE s.id = NEW.decision_signature_id AND s.res_model = 'mrp.deviation' AND s.res_id = NEW.id
               AND s.meaning = CASE NEW.disposition WHEN 'reject' THEN 'rejected' ELSE 'approved' END
               AND s.content #>> '{decision,disposition}' = NEW.disposition
               AND NOT EXISTS (
                    SELECT FROM mrp_bpr_step t
                     WHERE t.id IN (NEW.step_id, (SELECT e.step_id FROM mrp_bpr_entry e WHERE e.id = NEW.entry_id))
                       AND mrp_mmr_performed(t.id, s.user_id))
               AND NOT EXISTS (
                    SELECT FROM mrp_bpr_result r WHERE r.id = NEW.result_id AND mrp_mmr_same_person(r.user_id, s.user_id))) THEN
            RAISE EXCEPTION '% can only be decided by a signature of Quality Control (DEV-030, 21 CFR 111.113(c)).',
                OLD.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_deviation_decided';
        END IF;
        IF NEW.disposition = 'accept'
                AND mrp_mmr_specification_unmet(NEW.source, NEW.entry_id, NEW.result_id, NEW.test_finding)
                AND mrp_mmr_demanded(NEW.profile_id, 'deviation_accept')
           OR NEW.disposition <> 'reject' AND NEW.identity_result = 'failed'
                AND mrp_mmr_demanded(NEW.profile_id, 'deviation_identity') THEN
            RAISE EXCEPTION 'Material that does not meet its specification cannot be accepted: % (DEV-040, DEV-050).', OLD.name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_deviation_disposition';
        END IF;
    END IF;
    IF NEW.disposition = 'accept' AND OLD.disposition = 'accept'
       AND NEW.test_finding IS DISTINCT FROM OLD.test_finding THEN
        RAISE EXCEPTION 'The finding on the test of % was signed with its decision (DEV-040, SIG-030).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_deviation_disposition';
    END IF;
    IF NEW.disposition <> 'reject' AND NEW.identity_result = 'failed'
       AND OLD.identity_result IS DISTINCT FROM 'failed'
       AND mrp_mmr_demanded(NEW.profile_id, 'deviation_identity') THEN
        RAISE EXCEPTION 'A component that fails its identity test must be rejected: % (DEV-050).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_deviation_disposition';
    END IF;
    IF (NEW.state = 'closed') <> (NEW.closing_signature_id IS NOT NULL)
       OR NEW.state = 'closed' AND OLD.state <> 'closed' AND (OLD.state <> 'decided' OR NOT EXISTS (
        SELECT FROM mrp_esignature s
         WHERE s.id = NEW.closing_signature_id AND s.res_model = 'mrp.deviation' AND s.res_id = NEW.id
           AND s.meaning = 'approved' AND s.content ->> 'closure' IS NOT NULL
           AND NOT (NEW.step_id IS NOT NULL AND mrp_mmr_performed(NEW.step_id, s.user_id))
           AND s.content #>> '{decision,disposition}' = NEW.disposition)) THEN
        RAISE EXCEPTION '% can only be closed by a signature of Quality Control (DEV-020, 21 CFR 111.140(b)(3)).', OLD.name
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_deviation_closed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_deviation BEFORE INSERT OR UPDATE OR DELETE ON mrp_deviation
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_deviation();

-- Its lots are held when the transaction ends (DEV-100; _holds.sql).
CREATE CONSTRAINT TRIGGER mrp_mmr_guard_lots_held
    AFTER INSERT OR UPDATE OF severity, state, lot_id, bpr_id ON mrp_deviation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_lots_held();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_deviation
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
