-- mrp_signer_session: continuous sessions at terminals, in which a PIN signs.

-- Whether a row with this xmin was stored by the present transaction, its savepoints included: whatever is seen of another
-- one has ended.
CREATE FUNCTION mrp_mmr_is_of_transaction(stored xid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH now AS (SELECT pg_current_xact_id()::text::numeric AS id),
    full_id AS (SELECT div(n.id, 4294967296) * 4294967296 + stored::text::numeric AS id, n.id AS now FROM now n)
    SELECT pg_xact_status((CASE WHEN f.id > f.now + 2147483648 THEN f.id - 4294967296 ELSE f.id END)::text::xid8)
           = 'in progress' FROM full_id f
$$;

-- A session begins with a signature of its person at its terminal, in the same transaction, and goes on with each further
-- one: nobody puts one there, moves it, or makes it last longer (SIG-130, 21 CFR 11.200(a)(1)(i)-(ii)). What is wrapped is
-- sealed with person, key, session and terminal, which PIN and half of its browser alone open. Also held in
-- models/people/signer_session.py.
CREATE FUNCTION mrp_mmr_guard_signer_session() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    signature mrp_esignature;
    stored xid;
    said jsonb;
    is_right boolean := false;
BEGIN
    SELECT s.* INTO signature FROM mrp_esignature s WHERE s.user_id = NEW.user_id ORDER BY s.id DESC LIMIT 1;
    SELECT s.xmin INTO stored FROM mrp_esignature s WHERE s.id = signature.id;
    IF TG_OP = 'UPDATE' THEN
        is_right := (to_jsonb(NEW) - '{used_at,failures,write_uid,write_date}'::text[])
                    = (to_jsonb(OLD) - '{used_at,failures,write_uid,write_date}'::text[])
            AND NEW.failures >= OLD.failures
            AND (NEW.used_at = OLD.used_at OR NEW.used_at = signature.signed_at AND mrp_mmr_is_of_transaction(stored));
    ELSIF NEW.signature_id = signature.id AND mrp_mmr_is_of_transaction(stored) THEN
        SELECT e."values"::jsonb INTO said FROM mrp_audit_entry e
         WHERE e.res_model = signature.res_model AND e.res_id = signature.res_id AND e.kind = 'sign'
           AND e.user_id = signature.user_id ORDER BY e.id DESC LIMIT 1;
        SELECT k.fingerprint = signature.key_fingerprint AND k.user_id = NEW.user_id AND k.credential_id IS NULL
               AND k.id = mrp_mmr_key_in_force(NEW.user_id)
               AND NEW.wrapped::jsonb ->> 'owner' = 'res.users,' || NEW.user_id
               AND NEW.wrapped::jsonb ->> 'key' = k.public_key
               AND NEW.wrapped::jsonb -> 'place' = jsonb_build_object(
                    'token', NEW.token, 'terminal', NEW.terminal_sha256, 'session', NEW.session_sha256)
          INTO is_right FROM mrp_signer_key k WHERE k.id = NEW.key_id;
        is_right := is_right AND NEW.failures = 0 AND NEW.used_at = signature.signed_at
            AND (said -> 'signature_id' ->> 'new')::integer = signature.id
            AND (said -> 'authenticated' -> 'new' ->> 'first')::boolean
            AND said -> 'session_sha256' ->> 'new' = NEW.session_sha256
            AND said -> 'terminal_sha256' ->> 'new' = NEW.terminal_sha256
            AND EXISTS (SELECT FROM mrp_terminal t JOIN res_company c ON c.id = t.company_id
                         WHERE t.id = NEW.terminal_id AND t.active AND t.key_sha256 = NEW.terminal_sha256
                           AND t.company_id = NEW.company_id AND c.mmr_pin);
    END IF;
    IF is_right IS NOT TRUE THEN
        RAISE EXCEPTION 'A continuous session begins with a signature of its person at its terminal, and is not changed (SIG-130, 21 CFR 11.200(a)(1)).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_signer_session';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_signer_session BEFORE INSERT OR UPDATE ON mrp_signer_session
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_signer_session();

-- Beginning and end are lines of the ledger, at the end of the transaction (SIG-130, AUD-010, 21 CFR 11.10(e)). Also held in
-- models/people/signer_session.py.
CREATE FUNCTION mrp_mmr_guard_signer_session_said() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    session mrp_signer_session := COALESCE(NEW, OLD);
BEGIN
    IF NOT EXISTS (
            SELECT FROM mrp_audit_entry e
             WHERE e.res_model = 'mrp.signer.session' AND e.res_id = session.id AND CASE TG_OP
                   WHEN 'INSERT' THEN e.kind = 'create' AND e.user_id = session.user_id
                        AND e."values" -> 'token' ->> 'new' = session.token
                   ELSE e.kind = 'unlink' AND e."values" -> 'token' ->> 'old' = session.token END) THEN
        RAISE EXCEPTION 'A continuous session begins and ends with its line in the ledger (SIG-130, AUD-010).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_signer_session_said';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER mrp_mmr_guard_signer_session_said AFTER INSERT OR DELETE ON mrp_signer_session
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_signer_session_said();
CREATE TRIGGER mrp_mmr_guard_signer_session_truncate BEFORE TRUNCATE ON mrp_signer_session
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
