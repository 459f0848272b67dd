"""Settings of Odoo that records depend on, each with its digest: record rules, rights, jobs, views (AUD-080, AUD-090).

It reads a cursor alone and writes nothing. What an update of the addon left stands in the ledger, and so does what each change
in Odoo made of one since; verification compares what is there now with whichever came last.
"""

from ..domain.canonical import sha256
from ..domain.proofs import NO_EVIDENCE, PROOFS, RELIED_ON
from .ledger import parse

#: Models whose rules, rights and jobs matter.
MODELS = sorted({*PROOFS, *NO_EVIDENCE, *RELIED_ON})
#: Rows: id, name, what its digest is of. What Odoo changes by itself, such as the next time of a job, is no part of it; of a
#: view it is the text as it was written, not its translations.
QUERIES = {
    'ir.rule': """
        SELECT t.id, COALESCE(t.name, 'rule') || ' on ' || m.model, jsonb_build_array(
               m.model, t.domain_force, t.active, t.perm_read, t.perm_write, t.perm_create, t.perm_unlink, ARRAY(
                   SELECT g.group_id FROM rule_group_rel g WHERE g.rule_group_id = t.id ORDER BY 1))::text
          FROM ir_rule t JOIN ir_model m ON m.id = t.model_id WHERE m.model = ANY(%(models)s)""",
    'ir.model.access': """
        SELECT t.id, t.name || ' on ' || m.model, jsonb_build_array(
               m.model, t.group_id, t.active, t.perm_read, t.perm_write, t.perm_create, t.perm_unlink)::text
          FROM ir_model_access t JOIN ir_model m ON m.id = t.model_id WHERE m.model = ANY(%(models)s)""",
    'ir.cron': """
        SELECT t.id, a.name ->> 'en_US', jsonb_build_array(
               m.model, a.state, a.code, t.active, t.interval_number, t.interval_type)::text
          FROM ir_cron t JOIN ir_act_server a ON a.id = t.ir_actions_server_id LEFT JOIN ir_model m ON m.id = a.model_id
         WHERE EXISTS (SELECT FROM ir_model_data d
                        WHERE d.module = 'mrp_mmr' AND d.model = 'ir.cron' AND d.res_id = t.id)""",
    'ir.ui.view': """
        SELECT t.id, COALESCE(t.key, t.name), jsonb_build_array(
               t.type, t.model, t.key, t.inherit_id, t.mode, t.priority, t.active, t.arch_db ->> 'en_US')::text
          FROM ir_ui_view t
         WHERE t.id IN (WITH RECURSIVE own AS (
                SELECT d.res_id AS id FROM ir_model_data d WHERE d.module = 'mrp_mmr' AND d.model = 'ir.ui.view'
                 UNION SELECT v.id FROM own o JOIN ir_ui_view v ON v.inherit_id = o.id) SELECT id FROM own)""",
}
#: What a line about a setting calls its digest.
DIGEST = 'setting_sha256'


def read_settings(cr, model=None, ids=None):
    """Return name and digest of each setting, by what the ledger calls it, such as ``ir.rule,12``; of one model, or of all."""
    found = {}
    for name, query in QUERIES.items():
        if model in (None, name):
            condition = '' if ids is None else ' AND t.id = ANY(%(ids)s)'
            cr.execute(f"{query}{condition} ORDER BY t.id", {'models': MODELS, 'ids': list(ids or ())})
            found.update({f'{name},{row}': (title, sha256(content)) for row, title, content in cr.fetchall()})
    return found


def settings_digest(settings):
    """Return the digest of all settings, by what they are called, with the digest of each."""
    return sha256({'schema': 'mrp_mmr/settings/1', 'settings': settings})


def read_said_settings(cr):
    """Return what the ledger says last of settings: names to digests, None where one was deleted; and the bad lines.

    :return: None instead of the dict where no update noted settings yet; lines as pairs of id and what is wrong
    """
    cr.execute("""SELECT e.id, e.res_model, e.res_id, e."values"::text FROM mrp_audit_entry e
                   WHERE e.kind = 'setting' AND (
                         e.res_model = 'res.company' AND e."values"::text LIKE '{"settings":%%'
                         OR e.res_model = ANY(%s) AND e."values"::text LIKE '%%"setting_sha256":%%') ORDER BY e.id""",
               [list(QUERIES)])
    said, bad = None, []
    for line, model, res_id, text in cr.fetchall():
        try:
            values = parse(text)
            if model != 'res.company':
                if said is not None:
                    said[f'{model},{res_id}'] = values[DIGEST]['new']
            elif settings_digest(values['settings']['new']) == values['settings_sha256']['new']:
                said = dict(values['settings']['new'])
            else:
                bad.append((line, "another digest than that of its settings"))
        except (ValueError, TypeError, KeyError) as error:
            bad.append((line, f"no settings ({error})"))
    return said, bad
