-- mrp_esignature: electronic signatures.

-- Written once (SIG-030, AUD-030; _shared.sql).
CREATE TRIGGER mrp_mmr_append_only BEFORE UPDATE OR DELETE ON mrp_esignature
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_append_only();
CREATE TRIGGER mrp_mmr_append_only_truncate BEFORE TRUNCATE ON mrp_esignature
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_append_only();

-- Whether a text is an assertion of a passkey over a content with this digest: made for it, at that address, by a person who
-- was present and verified (SIG-110, 21 CFR 11.70, 11.200(a)(2)). Of the key itself verification judges. Also held in
-- domain/passkeys.py.
CREATE FUNCTION mrp_mmr_is_assertion(made text, digest text, rp_id text, origin text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    client jsonb;
    authenticator bytea;
BEGIN
    client := convert_from(decode(made::jsonb ->> 'client_data', 'base64'), 'UTF8')::jsonb;
    authenticator := decode(made::jsonb ->> 'authenticator_data', 'base64');
    RETURN COALESCE(
        made::jsonb ? 'signature' AND client ->> 'type' = 'webauthn.get' AND client ->> 'origin' = origin
        AND client ->> 'challenge' = rtrim(translate(encode(decode(digest, 'hex'), 'base64'), '+/', '-_'), '=')
        AND COALESCE(client ->> 'crossOrigin', 'false') = 'false'
        AND length(authenticator) >= 37 AND substr(authenticator, 1, 32) = sha256(convert_to(rp_id, 'UTF8'))
        AND get_byte(authenticator, 32) & 5 = 5, false);
EXCEPTION
    WHEN data_exception THEN
        RETURN false;
END $$;

-- Each signature bears one of its signer's key, which is in force or waits in the time after an update, and follows the
-- signer's signature before (SIG-110, 21 CFR 11.70, 11.200(a)(2)). Of the key itself nobody but verification can judge the
-- signature. The first security administrator of a database enrols the own key, and one for whom the server opened it while
-- nobody could enrol; nobody else does (SIG-120, 21 CFR 11.100(b)). Whoever caused a suspension enrols no key of that person
-- (SIG-120, 21 CFR 11.300(b)). Also held in models/evidence/esignature.py, models/people/signer_key.py and
-- models/people/signer_recovery.py.
CREATE FUNCTION mrp_mmr_guard_esignature_key() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    key mrp_signer_key;
    signed mrp_signer_key;
    last_number integer := 0;
    last_digest text := repeat('0', 64);
    is_first boolean := false;
BEGIN
    SELECT * INTO key FROM mrp_signer_key k WHERE k.fingerprint = NEW.key_fingerprint AND k.user_id = NEW.user_id;
    IF key.id IS NULL OR key.credential_id IS NULL AND (
                NEW.key_nonce IS NOT NULL OR COALESCE(NEW.key_signature, '') !~ '^[A-Za-z0-9+/]{86}==$')
            OR key.credential_id IS NOT NULL AND (COALESCE(NEW.key_nonce, '') !~ '^[0-9a-f]{64}$'
                OR NOT mrp_mmr_is_assertion(NEW.key_signature, NEW.signature_sha256, key.rp_id, key.origin)) THEN
        RAISE EXCEPTION '% can only sign with their own key (SIG-110, 21 CFR 11.200(a)(2)).', NEW.signer_login
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_esignature_keyed';
    END IF;
    IF NEW.res_model = 'mrp.signer.key' THEN
        SELECT * INTO signed FROM mrp_signer_key k WHERE k.id = NEW.res_id;
        is_first := signed.id = key.id AND NEW.meaning = 'approved' AND (NOT EXISTS (
            SELECT FROM mrp_esignature s WHERE s.res_model = 'mrp.signer.key' AND s.meaning = 'approved')
            OR key.reason = 'recovery' AND COALESCE(mrp_mmr_key_recovery(key.user_id) >= NEW.signed_at, false)
               AND NOT mrp_mmr_has_enroller());
        IF signed.id IS NULL OR NEW.meaning NOT IN ('approved', 'retired')
                OR signed.user_id = NEW.user_id AND NEW.meaning = 'approved' AND NOT is_first THEN
            RAISE EXCEPTION 'Nobody can enrol their own key (SIG-120, 21 CFR 11.100(b)).'
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_esignature_enrolment';
        END IF;
    END IF;
    IF signed.id IS NOT NULL AND NEW.meaning = 'approved' AND mrp_mmr_caused_suspension(signed.user_id, NEW.user_id) THEN
        RAISE EXCEPTION '% caused the suspension of this person (SIG-120, 21 CFR 11.300(b)).', NEW.signer_login
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_esignature_suspended';
    END IF;
    IF mrp_mmr_key_in_force(NEW.user_id) IS DISTINCT FROM key.id AND NOT is_first
            AND NOT (key.reason = 'update' AND COALESCE(NEW.signed_at <= mrp_mmr_key_transition(), false) AND NOT EXISTS (
                SELECT FROM mrp_esignature s JOIN mrp_signer_key k ON k.id = s.res_id
                 WHERE s.res_model = 'mrp.signer.key' AND k.user_id = NEW.user_id)) THEN
        RAISE EXCEPTION 'The key of % is not in force (SIG-120, 21 CFR 11.100(b)).', NEW.signer_login
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_esignature_in_force';
    END IF;
    SELECT COALESCE(s.key_number, 0), s.signature_sha256::text INTO last_number, last_digest
      FROM mrp_esignature s WHERE s.user_id = NEW.user_id ORDER BY s.id DESC LIMIT 1;
    IF NEW.key_number IS DISTINCT FROM COALESCE(last_number, 0) + 1
            OR NEW.key_previous IS DISTINCT FROM COALESCE(last_digest, repeat('0', 64)) THEN
        RAISE EXCEPTION 'A signature of % must follow that person''s previous one (SIG-110, 21 CFR 11.70).', NEW.signer_login
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_esignature_sequence';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_esignature_key BEFORE INSERT ON mrp_esignature
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_esignature_key();

-- Whoever wrote an entry of a step does not verify a correction of it (VER-010, VER-050, VER-100, 21 CFR 111.260(j)). Also
-- held in models/record/step/entry.py.
CREATE FUNCTION mrp_mmr_guard_correction_verified() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM mrp_bpr_entry e WHERE e.id = NEW.res_id AND mrp_mmr_performed(e.step_id, NEW.user_id))
       OR EXISTS (SELECT FROM mrp_esignature s
                   WHERE s.res_model = NEW.res_model AND s.res_id = NEW.res_id AND s.id <> NEW.id
                     AND s.content ->> 'point' = 'corrected' AND mrp_mmr_same_person(s.user_id, NEW.user_id)) THEN
        RAISE EXCEPTION 'Nobody can verify their own entry (VER-010, VER-050, VER-100).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_entry_second_person';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_correction_verified BEFORE INSERT ON mrp_esignature
    FOR EACH ROW WHEN (NEW.res_model = 'mrp.bpr.entry' AND NEW.content ->> 'point' = 'verified')
    EXECUTE FUNCTION mrp_mmr_guard_correction_verified();
