"""What of PostgreSQL could pass guards or verification by, whoever made it: the queries that find it (AUD-080, SEC-080).

Hardening refuses to begin with it, verification names it. Every query selects what is found and what it is; ``%(tables)s`` are
the tables of evidence and those with guards. Names are qualified, as they are read before anybody's path is trusted.
"""

from . import PREFIX

#: Before names are looked up: PostgreSQL's own first, temporary tables last, and nothing that a role or a database has set.
TRUSTED_PATH = 'pg_catalog, public, pg_temp'
_PREFIXED = PREFIX.replace('_', r'\_') + '%%'
#: Schemas that are PostgreSQL's own, or of one session.
_OWN_SCHEMAS = r"""(n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast') OR n.nspname LIKE 'pg\_temp\_%%'
                    OR n.nspname LIKE 'pg\_toast\_temp\_%%')"""
#: Whether an object came with an extension and belongs to a superuser, as what trusted extensions bring does.
_EXTENDED = """EXISTS (
    SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_roles r ON r.oid = %s
     WHERE d.classid = '%s'::regclass AND d.objid = %s AND d.deptype = 'e' AND r.rolsuper)"""

#: Triggers, rules, policies and descendants that none of the guards is: they fire, or stand in front of rows.
STRANGE_PARTS = f"""
    WITH guarded AS (
        SELECT c.oid, c.relname FROM pg_catalog.pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%(tables)s))
    SELECT 'trigger ' || t.tgname || ' on ' || g.relname, 'a trigger of nobody''s guards'
      FROM guarded g JOIN pg_catalog.pg_trigger t ON t.tgrelid = g.oid
     WHERE NOT t.tgisinternal AND t.tgname NOT LIKE '{_PREFIXED}'
     UNION ALL
    SELECT 'rule ' || r.rulename || ' on ' || g.relname, 'a rule, which changes what statements do'
      FROM guarded g JOIN pg_catalog.pg_rewrite r ON r.ev_class = g.oid WHERE r.rulename <> '_RETURN'
     UNION ALL
    SELECT 'policy ' || p.polname || ' on ' || g.relname, 'a policy, which hides rows'
      FROM guarded g JOIN pg_catalog.pg_policy p ON p.polrelid = g.oid
     UNION ALL
    SELECT 'inheritance of ' || g.relname,
           'the table ' || CASE WHEN i.inhparent = g.oid THEN i.inhrelid ELSE i.inhparent END::regclass
      FROM guarded g JOIN pg_catalog.pg_inherits i ON g.oid IN (i.inhparent, i.inhrelid)
     ORDER BY 1, 2"""

#: Row security of whatever table of Odoo's: Odoo has none, and what it hides guards do not see either.
ROW_SECURITY = """
    SELECT 'row security of ' || c.relname, CASE WHEN c.relforcerowsecurity THEN 'enabled and forced' ELSE 'enabled' END
      FROM pg_catalog.pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND (c.relrowsecurity OR c.relforcerowsecurity) ORDER BY 1"""

#: Tables of evidence that are no plain ones, or would be empty after a crash.
FORMS = """
    SELECT 'table ' || c.relname, CASE WHEN c.relkind <> 'r' THEN 'a view or another relation of kind ' || c.relkind::text
                                       ELSE 'one that is not logged: it is empty after a crash' END
      FROM pg_catalog.pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%(tables)s) AND c.relname <> ALL(%(notes)s)
       AND (c.relkind <> 'r' OR c.relpersistence <> 'p') ORDER BY 1"""

#: Relations that are named like PostgreSQL's own catalogue, and could be read in place of it.
NAMESAKES = fr"""
    SELECT 'relation ' || n.nspname || '.' || c.relname, 'a relation of ' || pg_catalog.pg_get_userbyid(c.relowner)
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT {_OWN_SCHEMAS} AND (EXISTS (
            SELECT FROM pg_catalog.pg_class k WHERE k.relname = c.relname AND k.relnamespace = 'pg_catalog'::regnamespace)
         OR c.relname LIKE 'pg\_%%' AND NOT {_EXTENDED % ('c.relowner', 'pg_class', 'c.oid')})
     ORDER BY 1"""

#: Functions and operators likewise, that would be called in place of PostgreSQL's where their arguments fit better.
NAMESAKE_FUNCTIONS = fr"""
    SELECT 'function ' || p.oid::regprocedure, 'a function of ' || pg_catalog.pg_get_userbyid(p.proowner)
      FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     WHERE NOT {_OWN_SCHEMAS} AND NOT {_EXTENDED % ('p.proowner', 'pg_proc', 'p.oid')} AND EXISTS (
            SELECT FROM pg_catalog.pg_proc k WHERE k.proname = p.proname AND k.pronamespace = 'pg_catalog'::regnamespace)
     UNION ALL
    SELECT 'operator ' || o.oid::regoperator, 'an operator of ' || pg_catalog.pg_get_userbyid(o.oprowner)
      FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
     WHERE NOT {_OWN_SCHEMAS} AND NOT {_EXTENDED % ('o.oprowner', 'pg_operator', 'o.oid')} AND EXISTS (
            SELECT FROM pg_catalog.pg_operator k WHERE k.oprname = o.oprname AND k.oprnamespace = 'pg_catalog'::regnamespace)
     ORDER BY 1"""

#: What is named like a table of evidence, in a schema that somebody's path may name first.
DOUBLES = f"""
    SELECT 'relation ' || n.nspname || '.' || c.relname, 'a relation of ' || pg_catalog.pg_get_userbyid(c.relowner)
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT {_OWN_SCHEMAS} AND n.nspname <> 'public' AND c.relname = ANY(%(tables)s)
     UNION ALL
    SELECT 'function ' || n.nspname || '.' || p.proname, 'a function of ' || pg_catalog.pg_get_userbyid(p.proowner)
      FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     WHERE NOT {_OWN_SCHEMAS} AND n.nspname <> 'public' AND p.proname LIKE '{_PREFIXED}'
     ORDER BY 1"""

#: Settings that change what names, rows, guards or transactions are for a role that reads the ledger, or in this database.
#: Neither Odoo nor hardening makes any.
ROLE_SETTINGS = r"""
    SELECT 'setting ' || pg_catalog.split_part(s.setting, '=', 1)
           || CASE d.setrole WHEN 0 THEN '' ELSE ' of ' || pg_catalog.pg_get_userbyid(d.setrole) END, s.setting
      FROM pg_catalog.pg_db_role_setting d, pg_catalog.unnest(d.setconfig) s (setting)
     WHERE d.setdatabase IN (0, (
            SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = pg_catalog.current_database()))
       AND (s.setting ~ '^(search_path|role|row_security|session_replication_role|session_authorization)='
            OR s.setting LIKE 'default\_transaction\_%%')
       AND s.setting NOT IN ('session_replication_role=origin', 'row_security=on', 'default_transaction_read_only=on')
       AND (d.setrole = 0 OR EXISTS (
            SELECT FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass('public.mrp_audit_entry') AND (
                pg_catalog.has_table_privilege(d.setrole, c.oid, 'SELECT')
                OR pg_catalog.pg_has_role(d.setrole, c.relowner, 'MEMBER'))))
     ORDER BY 1"""

#: PostgreSQL 15 and later let superusers give the right to a setting.
PARAMETER_RIGHTS = """
    SELECT 'the setting session_replication_role for superusers only', pg_catalog.array_to_string(p.paracl, ' ')
      FROM pg_catalog.pg_parameter_acl p WHERE p.parname = 'session_replication_role'"""


def read_parameter_rights(cr):
    """Return pairs of what is expected of the rights to settings, and what is found; PostgreSQL 14 has none."""
    cr.execute("SELECT pg_catalog.to_regclass('pg_catalog.pg_parameter_acl') IS NOT NULL")
    if not cr.fetchone()[0]:
        return []
    cr.execute(PARAMETER_RIGHTS)
    return cr.fetchall()
