-- What a hardened database refuses, whoever asks: commands of the running role that would pass the guards by (SEC-080).

-- Written by the command alone: who hardened, released and restored this database, and when. A copy of the database is
-- known by its number.
CREATE TABLE IF NOT EXISTS mrp_mmr_hardening.log (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamp with time zone NOT NULL DEFAULT now(),
    event text NOT NULL CHECK (event IN ('hardened', 'released', 'restored')),
    running text NOT NULL,
    owner text NOT NULL,
    by text NOT NULL DEFAULT session_user,
    -- To whom database and schema are given back.
    database_owner text NOT NULL,
    schema_owner text NOT NULL,
    server text NOT NULL,
    database oid NOT NULL
);

-- What protects the records, as it was when the database was hardened: a row for each line of find_protection().
CREATE TABLE IF NOT EXISTS mrp_mmr_hardening.protection (
    kind text NOT NULL,
    name text NOT NULL,
    definition text NOT NULL,
    PRIMARY KEY (kind, name)
);

-- What protects the records at this moment (SEC-080, 21 CFR 11.10(c)): functions and triggers of the guards; of each guarded
-- table, whoever owns it, all triggers, rules, policies and relatives, its form, its columns, and what the addon demands of
-- its columns.
CREATE OR REPLACE FUNCTION mrp_mmr_hardening.find_protection(OUT kind text, OUT name text, OUT definition text)
    RETURNS SETOF record LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH guarded AS (
        SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, c.relkind, c.relpersistence, c.relrowsecurity,
               c.relforcerowsecurity, c.reloftype, pg_get_userbyid(c.relowner) AS owner
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid IN (SELECT t.tgrelid FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgname LIKE 'mrp\_mmr\_%'))
    SELECT 'function', p.oid::regprocedure::text,
           md5(pg_get_functiondef(p.oid))
      FROM pg_proc p WHERE p.proname LIKE 'mrp\_mmr\_%' AND p.prokind IN ('f', 'p')
     UNION ALL
    SELECT 'trigger', format('%s %I', g.name, t.tgname),
           concat_ws(' ', pg_get_triggerdef(t.oid), t.tgfoid::regprocedure, t.tgenabled)
      FROM guarded g JOIN pg_trigger t ON t.tgrelid = g.oid AND NOT t.tgisinternal
     UNION ALL
    SELECT 'rule', format('%s %I', g.name, r.rulename), concat_ws(' ', pg_get_ruledef(r.oid), r.ev_enabled)
      FROM guarded g JOIN pg_rewrite r ON r.ev_class = g.oid
     UNION ALL
    SELECT 'policy', format('%s %I', g.name, p.polname), p.polcmd::text
      FROM guarded g JOIN pg_policy p ON p.polrelid = g.oid
     UNION ALL
    SELECT 'relative', format('%s %s', i.inhrelid::regclass, i.inhparent::regclass), 'inherits'
      FROM pg_inherits i WHERE i.inhrelid IN (SELECT g.oid FROM guarded g) OR i.inhparent IN (SELECT g.oid FROM guarded g)
     UNION ALL
    SELECT 'table', g.name, concat_ws(' ', g.relkind, g.relpersistence, g.relrowsecurity, g.relforcerowsecurity, g.reloftype, 'of', g.owner)
      FROM guarded g
     UNION ALL
    SELECT 'column', format('%s %I', g.name, a.attname),
           concat_ws(' ', a.attnum, format_type(a.atttypid, a.atttypmod), a.attcollation::regcollation, a.attgenerated, a.attidentity)
      FROM guarded g JOIN pg_attribute a ON a.attrelid = g.oid AND a.attnum > 0 AND NOT a.attisdropped
     UNION ALL
    SELECT 'constraint', format('%s %I', g.name, k.conname),
           concat_ws(' ', pg_get_constraintdef(k.oid), k.convalidated)
      FROM guarded g JOIN pg_constraint k ON k.conrelid = g.oid AND k.contype <> 't'
     WHERE k.conname LIKE '%mmr%' OR EXISTS (
        SELECT FROM pg_attribute a
         WHERE a.attrelid = g.oid AND a.attnum = ANY (k.conkey) AND (a.attname LIKE 'mmr\_%' OR a.attname LIKE 'gmp\_%'))
     UNION ALL
    SELECT 'index', i.indexrelid::regclass::text, concat_ws(' ', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready)
      FROM guarded g JOIN pg_index i ON i.indrelid = g.oid AND i.indisunique
     WHERE i.indexrelid::regclass::text LIKE '%mmr%'
$$;

-- What is no more as it was when the database was hardened, and what was added that could pass a guard by.
CREATE OR REPLACE FUNCTION mrp_mmr_hardening.find_changes(OUT what text, OUT expected text, OUT found text)
    RETURNS SETOF record LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat_ws(' ', COALESCE(p.kind, f.kind), COALESCE(p.name, f.name)), COALESCE(p.definition, 'none'),
           COALESCE(f.definition, 'none')
      FROM mrp_mmr_hardening.protection p
      FULL JOIN mrp_mmr_hardening.find_protection() f ON f.kind = p.kind AND f.name = p.name
     WHERE p.definition IS DISTINCT FROM f.definition
       -- Other modules may add columns, constraints and indexes to tables of Odoo.
       AND (p.kind IS NOT NULL OR f.kind NOT IN ('column', 'constraint', 'index'))
     UNION ALL
    -- What is read in place of PostgreSQL's own catalogue where a role sets another path.
    SELECT format('relation %I.%I', n.nspname, c.relname), 'no name of the catalogue of PostgreSQL',
           concat_ws(' ', 'a relation of', pg_get_userbyid(c.relowner))
      FROM pg_class k JOIN pg_class c ON c.relname = k.relname JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE k.relnamespace = 'pg_catalog'::regnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
       AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
     ORDER BY 1
$$;

-- Whether the session is that of a superuser, who can do anything; SET ROLE makes nobody one.
CREATE OR REPLACE FUNCTION mrp_mmr_hardening.is_superuser() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = session_user
$$;

-- The running role makes tables, columns, indexes, sequences and views, as Odoo does, and nothing that could stand in a guard's
-- way (SEC-080, 21 CFR 11.10(c)): a trigger, a rule, or a function or operator that a guard would call instead of PostgreSQL's.
CREATE OR REPLACE FUNCTION mrp_mmr_hardening.refuse_command() RETURNS event_trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF mrp_mmr_hardening.is_superuser() OR tg_tag IN (
        'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE', 'DROP TABLE', 'CREATE INDEX', 'ALTER INDEX', 'DROP INDEX',
        'CREATE SEQUENCE', 'ALTER SEQUENCE', 'DROP SEQUENCE', 'CREATE VIEW', 'ALTER VIEW', 'DROP VIEW', 'CREATE MATERIALIZED VIEW',
        'ALTER MATERIALIZED VIEW', 'DROP MATERIALIZED VIEW', 'REFRESH MATERIALIZED VIEW', 'CREATE STATISTICS', 'ALTER STATISTICS',
        'DROP STATISTICS', 'COMMENT')
    THEN
        RETURN;
    END IF;
    RAISE EXCEPTION '% is refused in a hardened database (SEC-080, 21 CFR 11.10(c)).', tg_tag
        USING ERRCODE = 'insufficient_privilege', HINT = 'Before an update or an installation: mrp_mmr harden --release.';
END $$;

-- No command leaves the protection of the records other than it was (SEC-080, 21 CFR 11.10(c)).
CREATE OR REPLACE FUNCTION mrp_mmr_hardening.refuse_change() RETURNS event_trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    change record;
BEGIN
    IF mrp_mmr_hardening.is_superuser() THEN
        RETURN;
    END IF;
    SELECT c.what, c.expected, c.found INTO change FROM mrp_mmr_hardening.find_changes() c LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% would change what protects records (SEC-080, 21 CFR 11.10(c)): %.', tg_tag, change.what
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('Expected: %s. Found: %s.', change.expected, change.found),
                  HINT = 'Before an update or an installation: mrp_mmr harden --release.';
    END IF;
END $$;

-- No table of records is rewritten: what ALTER TABLE … USING puts into its rows is seen by no trigger of the rows
-- (SEC-080, 21 CFR 11.10(e)).
CREATE OR REPLACE FUNCTION mrp_mmr_hardening.refuse_rewrite() RETURNS event_trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT mrp_mmr_hardening.is_superuser() AND EXISTS (
        SELECT FROM pg_trigger t WHERE t.tgrelid = pg_event_trigger_table_rewrite_oid() AND t.tgname LIKE 'mrp\_mmr\_%')
    THEN
        RAISE EXCEPTION 'The rows of % are records and are not rewritten (SEC-080, 21 CFR 11.10(e)).',
            pg_event_trigger_table_rewrite_oid()::regclass
            USING ERRCODE = 'insufficient_privilege', HINT = 'Before an update or an installation: mrp_mmr harden --release.';
    END IF;
END $$;

CREATE EVENT TRIGGER mrp_mmr_hardening_command ON ddl_command_start EXECUTE FUNCTION mrp_mmr_hardening.refuse_command();
CREATE EVENT TRIGGER mrp_mmr_hardening_change ON ddl_command_end EXECUTE FUNCTION mrp_mmr_hardening.refuse_change();
CREATE EVENT TRIGGER mrp_mmr_hardening_rewrite ON table_rewrite EXECUTE FUNCTION mrp_mmr_hardening.refuse_rewrite();
