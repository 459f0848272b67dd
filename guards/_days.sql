-- The days of a company (DAY-010): what is compared or counted as a day anywhere in PostgreSQL comes from here.

-- The day of a time, in UTC as Odoo stores it, where a company is (DAY-010, 21 CFR 111.260, 211.137, 211.188). Also
-- held in domain/days.py (day_of).
CREATE FUNCTION mrp_mmr_company_day(moment timestamp, company integer) RETURNS date
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    zone text := (SELECT NULLIF(c.mmr_tz::text, '') FROM res_company c WHERE c.id = company);
    day date;
BEGIN
    day := (moment AT TIME ZONE 'UTC' AT TIME ZONE COALESCE(zone, 'UTC'))::date;
    -- The last one that Odoo can read.
    RETURN CASE WHEN day > '9999-12-31' THEN '9999-12-31' ELSE day END;
EXCEPTION WHEN invalid_parameter_value THEN
    -- A zone that this server does not know, such as after a move to another one.
    RETURN moment::date;
END $$;

-- The day that it is where a company is, by the clock of PostgreSQL and as of the transaction (DAY-010). Also held in
-- models/base/days.py (_get_mmr_today).
CREATE FUNCTION mrp_mmr_company_today(company integer) RETURNS date
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT mrp_mmr_company_day(now() AT TIME ZONE 'UTC', company)
$$;
