-- How long a batch record is kept, and what a disposal removes of it (REC-010 to REC-040).

-- The last day on which a record is kept, or NULL where there is none yet (REC-010). Of 29 February a year later is
-- the 28th, which is the last day of that year.
CREATE FUNCTION mrp_mmr_retention_date(
    profile varchar, outcome varchar, decided date, expiry date, undated boolean, distributed date,
    certified date, exempt boolean, lifetime integer
) RETURNS date
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE WHEN k.until > '9999-12-31' THEN '9999-12-31' ELSE k.until END FROM (SELECT (CASE
        WHEN outcome = 'open' THEN NULL
        WHEN profile = 'P111' AND outcome = 'released' THEN CASE
            WHEN undated AND distributed IS NULL THEN NULL
            WHEN undated THEN GREATEST(expiry + interval '1 year', distributed + interval '2 years')
            ELSE expiry + interval '1 year' END
        WHEN profile = 'P111' THEN GREATEST(expiry + interval '1 year', decided + interval '2 years')
        WHEN profile = 'P211' AND outcome = 'released' THEN CASE
            WHEN undated AND (exempt IS NOT TRUE OR distributed IS NULL) THEN NULL
            WHEN undated THEN GREATEST(expiry + interval '1 year', distributed + interval '3 years')
            ELSE expiry + interval '1 year' END
        WHEN profile = 'P211' THEN GREATEST(expiry + interval '1 year', decided + interval '3 years')
        WHEN profile = 'PEU' AND outcome = 'released' THEN CASE
            WHEN certified IS NOT NULL THEN GREATEST(expiry + interval '1 year', certified + interval '5 years') END
        WHEN profile = 'PEU' THEN GREATEST(expiry + interval '1 year', decided + interval '5 years')
        WHEN profile = 'PDEV' AND (outcome <> 'released' OR lifetime > 0) THEN
            decided + make_interval(years => GREATEST(lifetime, 2))
    END)::date AS until) k
$$;

-- What the date of each of these batch records follows from, and the date (REC-010). Days are those of the company.
CREATE FUNCTION mrp_mmr_retention(wanted integer[]) RETURNS TABLE (
    bpr integer, until date, profile varchar, outcome varchar, decided date, expiry date, undated boolean,
    distributed date, certified date, exempt boolean, lifetime integer
)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT i.bpr, mrp_mmr_retention_date(i.profile, i.outcome, i.decided, i.expiry, i.undated, i.distributed,
                                         i.certified, i.exempt, i.lifetime),
           i.profile, i.outcome, i.decided, i.expiry, i.undated, i.distributed, i.certified, i.exempt, i.lifetime
      FROM (
        SELECT b.id AS bpr, p.code AS profile,
               (CASE WHEN b.state = 'cancel' AND b.release_state <> 'rejected' THEN 'cancelled'
                     WHEN b.release_state = 'rejected' OR b.packed_state = 'rejected' THEN 'rejected'
                     WHEN b.release_state = 'released' THEN 'released' ELSE 'open' END)::varchar AS outcome,
               mrp_mmr_company_day(
                    CASE WHEN b.state = 'cancel' AND b.release_state <> 'rejected' THEN b.cancelled_at
                         WHEN b.packed_state = 'rejected' THEN (
                            SELECT s.signed_at FROM mrp_esignature s WHERE s.id = b.packed_release_signature_id)
                         ELSE b.released_at END, b.company_id) AS decided,
               mrp_mmr_company_day(l.expiry, b.company_id) AS expiry, l.undated,
               mrp_mmr_company_day(
                    (SELECT max(d.date) FROM mrp_bpr_distribution d WHERE d.bpr_id = b.id AND d.kind = 'delivery'),
                    b.company_id) AS distributed,
               mrp_mmr_company_day(
                    (SELECT s.signed_at FROM mrp_esignature s WHERE s.id = b.certification_signature_id),
                    b.company_id) AS certified,
               t.mmr_otc_exempt AS exempt, t.mmr_lifetime_years AS lifetime
          FROM mrp_bpr b
          JOIN mrp_mmr_revision r ON r.id = b.mmr_revision_id
          JOIN mrp_mmr m ON m.id = r.mmr_id
          JOIN mrp_mmr_profile p ON p.id = m.profile_id
          JOIN product_product v ON v.id = b.product_id
          JOIN product_template t ON t.id = v.product_tmpl_id
         CROSS JOIN LATERAL (
            SELECT max(k.expiration_date) AS expiry, count(*) = 0 OR bool_or(k.expiration_date IS NULL) AS undated
              FROM stock_lot k WHERE k.mmr_bpr_id = b.id) l
         WHERE b.id = ANY(wanted)) i
$$;

-- Whether a batch record, or its master, is held (REC-040).
CREATE FUNCTION mrp_mmr_on_hold(wanted integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM mrp_bpr b JOIN mrp_mmr_revision r ON r.id = b.mmr_revision_id
          JOIN mrp_legal_hold h ON h.bpr_id = b.id OR h.mmr_id = r.mmr_id
         WHERE b.id = wanted AND h.signature_id IS NOT NULL AND h.lift_signature_id IS NULL)
$$;

-- Whether the date of a batch record has passed where its company is, and nobody holds it (REC-040, DAY-010). The
-- clock is that of PostgreSQL.
CREATE FUNCTION mrp_mmr_may_dispose(wanted integer) RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT COALESCE((SELECT until FROM mrp_mmr_retention(ARRAY[wanted]))
                    < (SELECT mrp_mmr_company_today(b.company_id) FROM mrp_bpr b WHERE b.id = wanted), false)
           AND NOT mrp_mmr_on_hold(wanted)
$$;

-- A content without its words and numbers: lists are empty, what is not an identity is null.
CREATE FUNCTION mrp_mmr_emptied(content jsonb, kept text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT COALESCE(jsonb_object_agg(e.key, CASE
        WHEN e.key = 'predecessors' THEN e.value
        WHEN jsonb_typeof(e.value) = 'array' THEN '[]'::jsonb
        WHEN e.key <> ALL (kept) THEN 'null'::jsonb
        WHEN jsonb_typeof(e.value) = 'object' THEN mrp_mmr_emptied(e.value, kept)
        ELSE e.value END), '{}'::jsonb)
      FROM jsonb_each(content) e
$$;

-- Whether a change of a row takes out what a signed disposal of its batch removes, and nothing else (REC-040). What
-- that is stands in domain/retention.py.
CREATE FUNCTION mrp_mmr_is_removal(source text, wanted integer, before jsonb, after jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone text[] := CASE source WHEN 'mrp_bpr_step' THEN ARRAY[{{'removed.mrp_bpr_step'}}]
                               WHEN 'mrp_bpr_entry' THEN ARRAY[{{'removed.mrp_bpr_entry'}}]
                               WHEN 'mrp_bpr_result' THEN ARRAY[{{'removed.mrp_bpr_result'}}]
                               WHEN 'mrp_production' THEN '{mmr_snapshot}' END;
BEGIN
    RETURN gone IS NOT NULL
       AND EXISTS (SELECT FROM mrp_bpr b WHERE b.id = wanted AND b.disposal_id IS NOT NULL)
       AND before - gone - '{write_date,write_uid}'::text[] = after - gone - '{write_date,write_uid}'::text[]
       AND NOT EXISTS (
            SELECT FROM unnest(gone) name
             WHERE after -> name <> 'null' AND NOT CASE name
                WHEN 'planned' THEN after -> name = mrp_mmr_emptied(before -> name, ARRAY[{{'kept.mrp_bpr_step'}}])
                WHEN 'mmr_snapshot' THEN
                    after -> name = mrp_mmr_emptied(before -> name, ARRAY[{{'kept.mrp_production'}}])
                WHEN 'reason' THEN after ->> name = {{'gone'}}
                WHEN 'reference' THEN after ->> name = {{'gone'}}
                WHEN 'text' THEN source = 'mrp_bpr_result' AND after ->> name = {{'gone'}}
                WHEN 'value' THEN source = 'mrp_bpr_result' AND after ->> name = {{'gone'}}
                ELSE false END);
END $$;

-- Whether a signed disposal removes a file; other records that use it restrict that (REC-040).
CREATE FUNCTION mrp_mmr_is_disposed_file(wanted integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM mrp_record_disposal d JOIN mrp_esignature s ON s.id = d.signature_id
         CROSS JOIN jsonb_array_elements(s.content -> 'files') f WHERE (f ->> 'id')::integer = wanted)
$$;
