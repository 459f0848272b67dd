-- mrp_signer: who is suspended stays so until somebody else enrols the key.

-- Whether the suspension of a person ended: after it began, the key was enrolled by somebody other than who caused it, and
-- that key is in force (SIG-120, 21 CFR 11.300(b)). Who may enrol is held in mrp_esignature.sql. Also held in
-- models/people/signer_suspension.py, which asks it, and in models/people/signer_key.py (_check_enroller).
CREATE FUNCTION mrp_mmr_suspension_ended(person integer, since timestamp, cause integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT COALESCE((
        SELECT s.meaning = 'approved' AND s.signed_at >= since AND NOT mrp_mmr_same_person(s.user_id, cause)
          FROM mrp_signer_key k JOIN mrp_esignature s ON s.res_model = 'mrp.signer.key' AND s.res_id = k.id
         WHERE k.user_id = person ORDER BY s.id DESC LIMIT 1), false)
$$;

-- Whether a person caused the suspension of another: the lines of the ledger since the last enrolment say so, or since the
-- suspension before ended, where no key was enrolled yet; what the row says, code can change (SIG-120, 21 CFR 11.300(b)). Also
-- held in models/people/signer_key.py (_check_enroller), which asks it.
CREATE FUNCTION mrp_mmr_caused_suspension(person integer, enroller integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH lines AS (
        SELECT e.id, e.at, e."values" -> 'signing' ->> 'new' AS state, (e."values" -> 'suspended_by' ->> 'new')::integer AS cause
          FROM mrp_audit_entry e
         WHERE e.res_model = 'res.users' AND e.res_id = person AND e.kind = 'setting' AND e."values"::text LIKE '%"signing"%'),
    enrolled AS (
        SELECT max(s.signed_at) AS at
          FROM mrp_signer_key k JOIN mrp_esignature s ON s.res_model = 'mrp.signer.key' AND s.res_id = k.id
         WHERE k.user_id = person AND s.meaning = 'approved')
    SELECT EXISTS (
        SELECT FROM lines l, enrolled n
         WHERE l.state = 'suspended' AND mrp_mmr_same_person(l.cause, enroller) AND CASE
               WHEN n.at IS NOT NULL THEN l.at >= n.at
               ELSE l.id > COALESCE((SELECT max(a.id) FROM lines a WHERE a.state = 'active'), 0) END)
$$;

-- A suspension ends by an enrolment alone, and does not go with its row (SIG-120, 21 CFR 11.300(b)). Before anybody verified
-- who that is, and while no key of the database is enrolled, there is nothing to end. Also held in
-- models/people/signer_suspension.py.
CREATE FUNCTION mrp_mmr_guard_suspension() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.identity_verified_at IS NULL AND NOT EXISTS (SELECT FROM mrp_signer_key k WHERE k.user_id = OLD.user_id)
            OR NOT EXISTS (SELECT FROM mrp_esignature s WHERE s.res_model = 'mrp.signer.key' AND s.meaning = 'approved') THEN
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        -- The password was set again; or the key was enrolled.
        IF NEW.user_id = OLD.user_id AND (NEW.suspended_at >= OLD.suspended_at
                OR mrp_mmr_suspension_ended(OLD.user_id, OLD.suspended_at, OLD.suspended_by_id)) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'A suspension only ends when a security administrator who did not cause it enrols the key '
                    '(SIG-120, 21 CFR 11.300(b)).'
        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_signer_suspended';
END $$;
CREATE TRIGGER mrp_mmr_guard_suspension BEFORE UPDATE ON mrp_signer
    FOR EACH ROW WHEN (OLD.suspended_at IS NOT NULL AND (
        NEW.suspended_at IS DISTINCT FROM OLD.suspended_at OR NEW.suspended_by_id IS DISTINCT FROM OLD.suspended_by_id
        OR NEW.user_id IS DISTINCT FROM OLD.user_id))
    EXECUTE FUNCTION mrp_mmr_guard_suspension();
CREATE TRIGGER mrp_mmr_guard_suspension_kept BEFORE DELETE ON mrp_signer
    FOR EACH ROW WHEN (OLD.suspended_at IS NOT NULL) EXECUTE FUNCTION mrp_mmr_guard_suspension();
CREATE TRIGGER mrp_mmr_guard_suspension_truncate BEFORE TRUNCATE ON mrp_signer
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate('t.identity_verified_at IS NOT NULL');

-- What decides whether a person may sign is what the last line about it in the ledger says, at the end of each transaction:
-- no change of it goes without its line (SIG-070, SIG-080, AUD-080, 21 CFR 11.10(e)). Also held in
-- models/people/signer_known.py and verification/check_people.py.
CREATE FUNCTION mrp_mmr_guard_signer_known() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    live jsonb := (SELECT to_jsonb(s) FROM mrp_signer s WHERE s.id = NEW.id);
    said jsonb;
    name text;
    value text;
BEGIN
    IF live IS NULL OR live ->> 'identity_verified_at' IS NULL
       AND (TG_OP = 'INSERT' OR OLD.identity_verified_at IS NULL) THEN
        RETURN NULL;
    END IF;
    SELECT e."values"::jsonb -> 'signer' -> 'new' INTO said
      FROM mrp_audit_entry e
     WHERE e.res_model = 'res.users' AND e.res_id = NEW.user_id AND e.kind = 'setting' AND e."values"::jsonb ? 'signer'
     ORDER BY e.id DESC LIMIT 1;
    FOREACH name IN ARRAY ARRAY[
            'identity_document', 'identity_verified_at', 'identity_verified_by_id', 'is_shared', 'locked_at', 'unlocked_at',
            'suspended_at', 'suspended_by_id', 'reset_by_id', 'password_changed_at', 'is_password_own', 'signing_password',
            'signing_password_at', 'enrolment_until'] LOOP
        value := NULLIF(NULLIF(live ->> name, 'false'), '');
        IF name = 'signing_password' THEN
            value := encode(sha256(convert_to(to_json(value)::text, 'UTF8')), 'hex');
        ELSIF name LIKE '%\_at' OR name LIKE '%\_until' THEN
            value := value || 'Z';
        END IF;
        IF value IS DISTINCT FROM said ->> name THEN
            RAISE EXCEPTION 'What is known about signer % can only change together with its line in the ledger: % '
                            '(SIG-070, AUD-080).',
                NEW.user_id, name
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_signer_known';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER mrp_mmr_guard_signer_known AFTER INSERT OR UPDATE OF user_id, identity_document,
        identity_verified_at, identity_verified_by_id, is_shared, locked_at, unlocked_at, suspended_at, suspended_by_id,
        reset_by_id, password_changed_at, is_password_own, signing_password, signing_password_at, enrolment_until
    ON mrp_signer DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_signer_known();
