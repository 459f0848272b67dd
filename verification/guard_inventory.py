"""The guards as a database has them: functions, triggers, constraints and unique indexes, each with its digest (AUD-080).

It reads a cursor alone and writes nothing. What an update of the addon made stands in the ledger, the digest of all of it in
each daily seal; verification compares what is there now with both, and with the files of this version.
"""

import re

from .. import guards
from ..domain.canonical import sha256
from ..domain.proofs import PROOFS

#: Names of everything that the addon made, as LIKE wants them.
_PREFIX = guards.PREFIX.replace('_', r'\_') + '%'
#: What PostgreSQL writes in one way when it is first told, and in another way after a restore.
_CAST = re.compile(r'::(?:character varying|text|numeric|integer|bigint)\b(?:\(\d+\))?(?:\[\])?')
_ATOM = re.compile(r"(?<![\w\"])\(((?:\w|\.|\"|-)+|'(?:[^']|'')*'|ARRAY\[[^][()]*\])\)")

_FUNCTIONS = """
    SELECT 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', pg_get_functiondef(p.oid)
      FROM pg_proc p WHERE p.proname LIKE %s AND p.prokind = 'f'"""
_TRIGGERS = """
    SELECT 'trigger ' || t.tgname || ' on ' || c.relname, pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE t.tgname LIKE %s AND NOT t.tgisinternal"""
#: Of the tables of the addon all of them; of those of Odoo what the addon added.
_CONSTRAINTS = r"""
    SELECT 'constraint ' || k.conname || ' on ' || c.relname,
           pg_get_constraintdef(k.oid) || CASE WHEN EXISTS (
               SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled <> 'O') THEN ' disabled' ELSE '' END
      FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
     WHERE k.contype IN ('c', 'u', 'x', 'f', 'p') AND c.relnamespace = 'public'::regnamespace
       AND (c.relname = ANY(%(own)s) OR c.relname = ANY(%(core)s) AND k.conname LIKE '%%\_mmr\_%%')"""
_INDEXES = r"""
    SELECT 'index ' || i.relname || ' on ' || c.relname,
           pg_get_indexdef(x.indexrelid) || CASE WHEN x.indisvalid THEN '' ELSE ' invalid' END
      FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
     WHERE x.indisunique AND c.relnamespace = 'public'::regnamespace
       AND (c.relname = ANY(%(own)s) OR c.relname = ANY(%(core)s) AND i.relname LIKE '%%\_mmr\_%%')"""
_REQUIRED = """
    SELECT 'column ' || a.attname || ' of ' || c.relname, 'NOT NULL'
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE a.attnum > 0 AND a.attnotnull AND c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%(own)s)"""


def tables():
    """Return the tables of the addon and those of Odoo that hold evidence as well."""
    found = {model.replace('.', '_') for model in PROOFS} | {trigger.table for trigger in guards.triggers()}
    core = {model.replace('.', '_') for model, proofs in PROOFS.items() if proofs.is_core}
    core |= {table for table in found if not table.startswith('mrp_') or table in (
        'mrp_routing_workcenter_dependencies_rel',)}
    return sorted(found - core), sorted(core)


def _plain(definition):
    """Return a definition in one form, whether PostgreSQL was just told it or read it from a dump."""
    text = _CAST.sub('', definition)
    while True:
        shorter = _ATOM.sub(r'\1', text)
        if shorter == text:
            return ' '.join(text.split())
        text = shorter


def read_inventory(cr):
    """Return the digest of each guard by what it is called, such as ``trigger mrp_mmr_guard_sop on mrp_sop``."""
    own, core = tables()
    found = {}
    for query in (_FUNCTIONS, _TRIGGERS):
        cr.execute(query, [_PREFIX])
        found.update(cr.fetchall())
    for query in (_CONSTRAINTS, _INDEXES, _REQUIRED):
        cr.execute(query, {'own': own, 'core': core})
        found.update(cr.fetchall())
    return {name: sha256(definition if name.startswith('function ') else _plain(definition))
            for name, definition in found.items()}


def inventory_digest(inventory):
    """Return the digest of all guards, as a seal has it."""
    return sha256({'schema': 'mrp_mmr/guards/1', 'guards': inventory})


def read_said(cr):
    """Return what each line of the ledger about the guards says of them: pairs of line and inventory, in order.

    The digest of a line is what the seals after it have. What is no list of guards is left out: its line is reported.
    """
    cr.execute("""SELECT id, "values"::text FROM mrp_audit_entry
                   WHERE res_model = 'res.company' AND kind = 'setting' AND "values"::text LIKE '{"guards":%%' ORDER BY id""")
    return cr.fetchall()
