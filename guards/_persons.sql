-- Persons: who took part in what. A person is a partner, whichever users that partner has (21 CFR 111.12(b), 211.186(a)).

-- Whether two users are one person.
CREATE FUNCTION mrp_mmr_same_person(one integer, other integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT COALESCE(one = other OR EXISTS (
        SELECT FROM res_users a JOIN res_users b ON b.partner_id = a.partner_id WHERE a.id = one AND b.id = other), false)
$$;

-- Whether a person did a step: wrote any entry of it, or signed that it was performed or added (VER-100). Also held in
-- models/record/persons.py.
CREATE FUNCTION mrp_mmr_performed(step integer, person integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM mrp_bpr_entry e WHERE e.step_id = step AND mrp_mmr_same_person(e.user_id, person))
        OR EXISTS (SELECT FROM mrp_bpr_step t JOIN mrp_esignature s ON s.id IN (t.performed_signature_id, t.added_signature_id)
                    WHERE t.id = step AND (mrp_mmr_same_person(s.user_id, person)
                       OR s.partner_id = (SELECT u.partner_id FROM res_users u WHERE u.id = person)))
$$;

-- Whether a person took part in making a batch: wrote an entry of it, or signed a step or an entry as performed or verified
-- (VER-100, REL-020). Also held in models/record/persons.py.
CREATE FUNCTION mrp_mmr_took_part(bpr integer, person integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM mrp_bpr_entry e WHERE e.bpr_id = bpr AND mrp_mmr_same_person(e.user_id, person))
        OR EXISTS (
            SELECT FROM mrp_bpr_step t
              JOIN mrp_esignature s ON s.id IN (t.performed_signature_id, t.verified_signature_id, t.added_signature_id,
                                                t.addition_verified_signature_id)
             WHERE t.bpr_id = bpr AND (mrp_mmr_same_person(s.user_id, person)
                OR s.partner_id = (SELECT u.partner_id FROM res_users u WHERE u.id = person)))
        OR EXISTS (
            SELECT FROM mrp_bpr_entry e JOIN mrp_esignature s ON s.res_model = 'mrp.bpr.entry' AND s.res_id = e.id
             WHERE e.bpr_id = bpr AND mrp_mmr_same_person(s.user_id, person))
$$;
