"""Checks that records and guards are out of reach of the role that Odoo runs as, where they were put there (SEC-080)."""

from ..guards.bypasses import ROLE_SETTINGS, read_parameter_rights
from ..guards.hardening import (
    MIGHTY,
    MIGHTY_ROLES,
    OWNER_RIGHTS,
    RIGHTS,
    SCHEMA,
    SCHEMAS,
    STRANGERS,
    event_triggers,
    functions,
    read_last,
    read_relations,
)
from .evidence import EvidenceReader
from .ledger import REMARK, Finding

#: Each selects what is expected and what is found; %(owner)s, %(running)s and lists of names are put in.
PROBES = (
    # Owners.
    """SELECT 'database ' || d.datname || ' of ' || %(owner)s, 'of ' || pg_catalog.pg_get_userbyid(d.datdba)
         FROM pg_catalog.pg_database d
        WHERE d.datname = pg_catalog.current_database() AND pg_catalog.pg_get_userbyid(d.datdba) <> %(owner)s""",
    """SELECT 'schema ' || n.nspname || ' of ' || %(owner)s, 'of ' || pg_catalog.pg_get_userbyid(n.nspowner)
         FROM pg_catalog.pg_namespace n
        WHERE n.nspname = ANY(%(schemas)s) AND pg_catalog.pg_get_userbyid(n.nspowner) <> %(owner)s""",
    """SELECT 'table ' || c.relname || ' of ' || %(owner)s, 'of ' || pg_catalog.pg_get_userbyid(c.relowner)
         FROM pg_catalog.pg_class c
        WHERE (c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%(relations)s)
               OR c.relnamespace = pg_catalog.to_regnamespace(%(schema)s) AND c.relkind = 'r')
          AND pg_catalog.pg_get_userbyid(c.relowner) <> %(owner)s""",
    """SELECT 'function ' || p.proname || ' of ' || %(owner)s, 'of ' || pg_catalog.pg_get_userbyid(p.proowner)
         FROM pg_catalog.pg_proc p
        WHERE (p.proname LIKE 'mrp\\_mmr\\_%%' OR p.pronamespace = pg_catalog.to_regnamespace(%(schema)s))
          AND pg_catalog.pg_get_userbyid(p.proowner) <> %(owner)s""",
    # Rights.
    """SELECT 'nobody with ' || a.privilege_type || ' on ' || c.relname,
              CASE a.grantee WHEN 0 THEN 'everybody' ELSE pg_catalog.pg_get_userbyid(a.grantee) END
         FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
        WHERE a.grantee <> c.relowner AND (
              c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%(relations)s)
                  AND (a.privilege_type = ANY(%(owner_rights)s) OR a.is_grantable)
              OR c.relnamespace = pg_catalog.to_regnamespace(%(schema)s) AND a.privilege_type <> 'SELECT')""",
    """SELECT 'nobody who makes anything in the schema ' || n.nspname, pg_catalog.array_to_string(n.nspacl, ' ')
         FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) a
        WHERE n.nspname = %(schema)s AND a.grantee <> n.nspowner AND a.privilege_type = 'CREATE'""",
    """SELECT 'nobody with REFERENCES on a column of ' || c.relname, 'column ' || t.attname
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute t ON t.attrelid = c.oid, pg_catalog.aclexplode(t.attacl) a
        WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%(relations)s) AND a.grantee <> c.relowner
          AND a.privilege_type = 'REFERENCES'""",
    """SELECT 'the right of ' || %(running)s || ' to ' || p.name || ' of ' || c.relname, 'none'
         FROM pg_catalog.pg_class c, pg_catalog.unnest(%(rights)s) p (name), pg_catalog.pg_roles x
        WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%(relations)s) AND x.rolname = %(running)s
          AND NOT pg_catalog.has_table_privilege(x.oid, c.oid, p.name)""",
    """SELECT 'nobody who makes schemas and extensions in the database',
              CASE a.grantee WHEN 0 THEN 'everybody' ELSE %(running)s END
         FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a
        WHERE d.datname = pg_catalog.current_database() AND a.privilege_type = 'CREATE'
          AND (a.grantee = 0 OR pg_catalog.pg_get_userbyid(a.grantee) = %(running)s)""",
    # Roles.
    """SELECT 'the role ' || %(running)s, 'none' WHERE NOT EXISTS (
           SELECT FROM pg_catalog.pg_roles x WHERE x.rolname = %(running)s)""",
    f"""SELECT 'a role ' || m.running || ' that cannot become the owner or a superuser',
               CASE WHEN m.name = m.running THEN 'superuser, CREATEROLE or REPLICATION' ELSE 'a member of ' || m.name END
          FROM ({MIGHTY_ROLES}) m""",
    """SELECT 'an owner that nobody logs in as: ' || %(owner)s, 'LOGIN, SUPERUSER or CREATEROLE' FROM pg_catalog.pg_roles r
        WHERE r.rolname = %(owner)s AND (r.rolcanlogin OR r.rolsuper OR r.rolcreaterole)""",
    # Sessions without triggers, with other names or other rows.
    f"SELECT 'no ' || s.name, s.found FROM ({ROLE_SETTINGS}) s (name, found)",
    # What a guard would call, or what is called in place of it.
    f"SELECT 'only functions and operators of superusers and of the owner', s.* FROM ({STRANGERS}) s",
)


def find_gaps(cr, last, server_role=None):
    """Yield pairs of what is expected of a hardened database, and what is found (SEC-080).

    :param cr: cursor of any role that may read
    :param last: what the database was hardened with, as :class:`..guards.hardening.Event`
    :param str server_role: the role that Odoo runs as now, where that is known
    """
    values = {
        'owner': last.owner, 'running': last.running, 'schema': SCHEMA, 'schemas': list(SCHEMAS),
        'relations': read_relations(cr), 'rights': list(RIGHTS), 'owner_rights': list(OWNER_RIGHTS), 'mighty': list(MIGHTY)}
    for probe in PROBES:
        cr.execute(probe, values)
        yield from cr.fetchall()
    yield from read_parameter_rights(cr)
    if server_role and server_role != last.running:
        yield f"Odoo that runs as {last.running}, as the database was hardened for", f"{server_role}"
    is_whole = True
    for expected, found in _find_lost_functions(cr):
        is_whole = False
        yield expected, found
    if is_whole:
        cr.execute("SELECT c.what || ': ' || c.expected, c.found FROM mrp_mmr_hardening.find_changes() c")
        yield from cr.fetchall()


def _find_lost_functions(cr):
    """Yield event triggers, and functions that they call, which are not those of this version, or not in force."""
    cr.execute(
        "SELECT p.proname, p.prosrc, p.proconfig, p.prosecdef FROM pg_catalog.pg_proc p "
        "WHERE p.pronamespace = pg_catalog.to_regnamespace(%s)", [SCHEMA])
    found = {name: (source, config, definer) for name, source, config, definer in cr.fetchall()}
    for name, source in functions().items():
        if found.get(name) != (source, ['search_path=pg_catalog, pg_temp'], False):
            yield f"the function {SCHEMA}.{name} of this version", "another one" if name in found else "none"
    cr.execute(
        """SELECT e.evtname, e.evtevent, e.evtfoid::regproc::text, e.evtenabled, e.evttags, r.rolsuper
             FROM pg_catalog.pg_event_trigger e JOIN pg_catalog.pg_roles r ON r.oid = e.evtowner""")
    found = {row[0]: row for row in cr.fetchall()}
    for name, event, function in event_triggers():
        row = found.get(name)
        if row is None:
            yield f"the event trigger {name}", "none"
        elif row[1:3] != (event, function) or row[3] not in ('O', 'A') or row[4] or not row[5]:
            yield f"the event trigger {name}, enabled, of a superuser", f"{row[1:]}"


def find_remarks(cr):
    """Yield a :class:`Finding` that is a remark, where the database is not hardened: it says why, and since when."""
    last = read_last(cr)
    if last and last.is_in_force:
        return
    if not last:
        found = "the role that Odoo runs as can drop them (mrp_mmr harden)"
    elif not last.is_here:
        found = f"a copy of a database that was {last.event} at {last.at}"
    else:
        found = f"released by {last.by} since {last.at} (mrp_mmr harden --restore)"
    yield Finding('database', None, "hardening", "records and guards that belong to another role than Odoo's", found,
                  severity=REMARK)


class HardeningChecks(EvidenceReader):
    """A database that was hardened is hardened, until it is released (SEC-080, 21 CFR 11.10(c))."""

    def _check_hardening(self):
        if self._is_verified(None):
            last = read_last(self.cr)
            if last and last.is_in_force:
                # The server verifies company by company, as the role that it runs as; the command, as whoever reads.
                server_role = None
                if self.company is not None:
                    self.cr.execute("SELECT session_user")
                    server_role, = self.cr.fetchone()
                for expected, found in find_gaps(self.cr, last, server_role):
                    yield Finding('database', None, "hardening", expected, found)
            elif last:
                yield from find_remarks(self.cr)
