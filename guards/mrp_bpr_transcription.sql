-- mrp_bpr_transcription: values taken over from paper.

-- What was transcribed stays, and is compared with its scan by another person, who signs (BPR-110, VER-050,
-- AUD-020, 21 CFR 11.10(e), 111.605). Also held in models/record/transcription.py.
CREATE FUNCTION mrp_mmr_guard_transcription() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    point varchar;
    given integer;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM mrp_bpr b WHERE b.id = OLD.bpr_id AND b.disposal_id IS NOT NULL) THEN
            RETURN OLD;     -- by a signed disposal (REC-040)
        END IF;
        RAISE EXCEPTION 'Transcriptions cannot be deleted (AUD-030, 21 CFR 111.605).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_transcription_kept';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' OR COALESCE(NEW.transcribed_signature_id, NEW.decision_signature_id) IS NOT NULL
           OR NOT EXISTS (
                SELECT FROM mrp_bpr_step s JOIN mrp_bpr_copy c ON c.bpr_id = s.bpr_id
                 WHERE s.id = NEW.step_id AND c.id = NEW.copy_id AND c.void_at IS NULL AND s.state <> 'open'
                   AND (s.bpr_id, s.company_id) = (NEW.bpr_id, NEW.company_id)
                   AND NEW.to_sign = (s.state <> 'started') AND c.sequences @> to_jsonb(s.sequence)) THEN
            RAISE EXCEPTION 'A transcription needs a worksheet that contains its step (BPR-110).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_transcription_of';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.step_id, NEW.bpr_id, NEW.company_id, NEW.copy_id, NEW.scan_id, NEW.user_id, NEW.user_name, NEW.at,
        NEW.to_sign)
       IS DISTINCT FROM (OLD.step_id, OLD.bpr_id, OLD.company_id, OLD.copy_id, OLD.scan_id, OLD.user_id,
        OLD.user_name, OLD.at, OLD.to_sign)
       OR OLD.state <> 'open' AND (NEW.state, NEW.decision_signature_id, NEW.transcribed_signature_id)
          IS DISTINCT FROM (OLD.state, OLD.decision_signature_id, OLD.transcribed_signature_id)
       OR OLD.transcribed_signature_id IS NOT NULL
          AND NEW.transcribed_signature_id IS DISTINCT FROM OLD.transcribed_signature_id THEN
        RAISE EXCEPTION 'A transcription cannot be changed (AUD-020, 21 CFR 11.10(e)).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_transcription_fixed';
    END IF;
    FOR point, given IN VALUES ('transcribed', NEW.transcribed_signature_id),
                                   (NEW.state, NEW.decision_signature_id) LOOP
        IF (given IS NOT NULL OR point IN ('verified', 'rejected')) AND NOT EXISTS (
            SELECT FROM mrp_esignature g JOIN res_users u ON u.id = NEW.user_id
             WHERE g.id = given AND g.res_model = 'mrp.bpr.transcription' AND g.res_id = NEW.id
               AND g.content ->> 'point' = point
               AND CASE point WHEN 'transcribed' THEN g.user_id = u.id
                              WHEN 'verified' THEN g.user_id <> u.id AND g.partner_id <> u.partner_id
                              ELSE true END) THEN
            RAISE EXCEPTION 'A transcription must be compared with its scan and signed by another person (VER-050).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                      CONSTRAINT = 'mrp_mmr_transcription_second_person';
        END IF;
    END LOOP;
    IF NEW.state = 'verified' AND NEW.to_sign AND NEW.transcribed_signature_id IS NULL THEN
        RAISE EXCEPTION 'A late transcription must first be signed by its author (BPR-110).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_transcription_author';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_transcription BEFORE INSERT OR UPDATE OR DELETE ON mrp_bpr_transcription
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_transcription();

-- Frozen with the decision on its batch (REL-030; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_decided BEFORE INSERT OR UPDATE ON mrp_bpr_transcription
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_decided();

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON mrp_bpr_transcription
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
