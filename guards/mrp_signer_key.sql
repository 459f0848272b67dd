-- mrp_signer_key: public keys of signers, which one is in force, and until when others sign.

-- Written once (SIG-110, AUD-030; _shared.sql).
CREATE TRIGGER mrp_mmr_append_only BEFORE UPDATE OR DELETE ON mrp_signer_key
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_append_only();
CREATE TRIGGER mrp_mmr_append_only_truncate BEFORE TRUNCATE ON mrp_signer_key
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_append_only();

-- Until when keys that nobody enrolled yet sign, for who signed before the update; NULL: they do not (SIG-120). The
-- line of the ledger that the update wrote says so; one that is younger than the first key says nothing. Also held in
-- models/people/signer_update.py.
CREATE FUNCTION mrp_mmr_key_transition() RETURNS timestamp
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT (e."values" -> 'key_transition' ->> 'new')::timestamp
      FROM mrp_audit_entry e
     WHERE e.res_model = 'res.company' AND e.kind = 'setting' AND e."values"::text LIKE '%"key_transition"%'
       AND NOT EXISTS (SELECT FROM mrp_signer_key k WHERE k.made_at < e.at)
     ORDER BY e.id LIMIT 1
$$;

-- The key that signs for a person: the last signature over any of the person's keys enrolled it (SIG-120, 21 CFR
-- 11.100(b)). Also held in models/people/signer_key.py (_get_in_force).
CREATE FUNCTION mrp_mmr_key_in_force(person integer) RETURNS integer
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE WHEN l.meaning = 'approved' THEN l.key END FROM (
        SELECT k.id AS key, s.meaning
          FROM mrp_signer_key k JOIN mrp_esignature s ON s.res_model = 'mrp.signer.key' AND s.res_id = k.id
         WHERE k.user_id = person ORDER BY s.id DESC LIMIT 1) l
$$;

-- A key is what its fingerprint says, and makes no claim of an update that was not (SIG-110, SIG-120, 21 CFR 11.70).
-- Also held in models/people/signer_key.py (_make).
CREATE FUNCTION mrp_mmr_guard_signer_key() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    raw bytea;
BEGIN
    IF NEW.algorithm = 'ed25519' AND NEW.public_key ~ '^ed25519:[A-Za-z0-9+/]{43}=$' THEN
        raw := decode(split_part(NEW.public_key, ':', 2), 'base64');
        raw := convert_to('ed25519', 'UTF8') || int4send(length(raw)) || raw;
    END IF;
    IF raw IS NULL OR NEW.fingerprint <> encode(sha256(raw), 'hex') THEN
        RAISE EXCEPTION 'The fingerprint of a key is the SHA-256 of the key (SIG-110, 21 CFR 11.70).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_signer_key_fingerprint';
    END IF;
    IF NEW.reason = 'update' AND (COALESCE(mrp_mmr_key_transition() < NEW.made_at, true) OR EXISTS (
            SELECT FROM mrp_signer_key k WHERE k.user_id = NEW.user_id)) THEN
        RAISE EXCEPTION 'Only the first key of a person is made after an update, and in its time (SIG-120, 21 CFR 11.100(b)).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_signer_key_update';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_signer_key BEFORE INSERT ON mrp_signer_key
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_signer_key();
