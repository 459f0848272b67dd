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

-- Whether a security administrator, active and not suspended, has a key in force whose secret is there (SIG-120, 21 CFR
-- 11.300(b)-(c)). Also held in models/people/signer_recovery.py, which asks it.
CREATE FUNCTION mrp_mmr_has_enroller() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH RECURSIVE giving(id) AS (
        SELECT x.res_id FROM ir_model_data x
         WHERE x.module = 'mrp_mmr' AND x.name = 'group_mmr_security' AND x.model = 'res.groups'
        UNION SELECT i.gid FROM res_groups_implied_rel i JOIN giving g ON g.id = i.hid)
    SELECT EXISTS (
        SELECT FROM giving g JOIN res_groups_users_rel r ON r.gid = g.id JOIN res_users u ON u.id = r.uid AND u.active
          JOIN mrp_signer_secret t ON t.key_id = mrp_mmr_key_in_force(u.id)
         WHERE NOT EXISTS (SELECT FROM mrp_signer s WHERE s.user_id = u.id AND (s.suspended_at IS NOT NULL OR s.is_shared)))
$$;

-- Until when a person may enrol the own key, because the server opened it while nobody else could enrol: the last line of
-- the ledger that opened such a way says so (SIG-120, 21 CFR 11.300(b)-(c)). Also held in models/people/signer_recovery.py.
CREATE FUNCTION mrp_mmr_key_recovery(person integer) RETURNS timestamp
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE WHEN l.res_id = person THEN l.until END FROM (
        SELECT e.res_id, (e."values" -> 'key_recovery' ->> 'new')::timestamp AS until
          FROM mrp_audit_entry e
         WHERE e.res_model = 'res.users' AND e.kind = 'setting' AND e."values"::text LIKE '%"key_recovery"%'
         ORDER BY e.id DESC LIMIT 1) l
$$;

-- A key is what its fingerprint says, and makes no claim of an update or a way back that was not (SIG-110, SIG-120, 21 CFR 11.70).
-- Also held in models/people/signer_key.py (_make).
CREATE FUNCTION mrp_mmr_guard_signer_key() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    raw bytea;
    part text;
BEGIN
    IF NEW.public_key ~ '^(ed25519:[A-Za-z0-9+/]{43}=|es256(:[A-Za-z0-9+/]{43}=){2}|rs256(:[A-Za-z0-9+/]+={0,2}){2})$'
            AND NEW.algorithm = split_part(NEW.public_key, ':', 1) THEN
        raw := convert_to(NEW.algorithm, 'UTF8');
        FOREACH part IN ARRAY (string_to_array(NEW.public_key, ':'))[2:] LOOP
            raw := raw || int4send(length(decode(part, 'base64'))) || decode(part, 'base64');
        END LOOP;
    END IF;
    IF raw IS NULL OR NEW.fingerprint <> encode(sha256(raw), 'hex') THEN
        RAISE EXCEPTION 'The fingerprint of a key must be the SHA-256 of the key (SIG-110, 21 CFR 11.70).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_signer_key_fingerprint';
    END IF;
    -- What a secret opens is Ed25519; a passkey says where it signs.
    IF num_nonnulls(NEW.credential_id, NEW.rp_id, NEW.origin) NOT IN (0, 3)
            OR NEW.credential_id IS NULL AND NEW.algorithm <> 'ed25519' THEN
        RAISE EXCEPTION 'A key must be opened by a secret, or be a passkey with credential, server and address '
                        '(SIG-110, 21 CFR 11.70).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_signer_key_kind';
    END IF;
    IF NEW.reason = 'update' AND (COALESCE(mrp_mmr_key_transition() < NEW.made_at, true) OR EXISTS (
            SELECT FROM mrp_signer_key k WHERE k.user_id = NEW.user_id)) THEN
        RAISE EXCEPTION 'Only a person''s first key can be made after an update, and only within its time '
                        '(SIG-120, 21 CFR 11.100(b)).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_signer_key_update';
    END IF;
    IF NEW.reason = 'recovery' AND (COALESCE(mrp_mmr_key_recovery(NEW.user_id) < NEW.made_at, true) OR mrp_mmr_has_enroller()) THEN
        RAISE EXCEPTION 'The server has not opened self-enrolment for this person, or somebody else can enrol '
                        '(SIG-120, 21 CFR 11.300(b)-(c)).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_signer_key_recovery';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mrp_mmr_guard_signer_key BEFORE INSERT ON mrp_signer_key
    FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_signer_key();
