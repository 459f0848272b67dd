"""Checks that the guards of PostgreSQL are those of this version, all of them, and in force (AUD-030, AUD-080, 11.10(c))."""

from .. import guards
from .check_bypasses import GUARD, BypassChecks
from .guard_inventory import inventory_digest, read_inventory, read_said
from .ledger import Finding, parse

#: What ``tgenabled`` says.
STATES = {'O': "enabled", 'D': "disabled", 'R': "enabled for replicas only", 'A': "enabled always"}


def _finding(name, expected, found):
    return Finding(GUARD, None, name, expected, found)


class GuardChecks(BypassChecks):
    """Functions, triggers, constraints and unique indexes, against this version, the last update and the seals.

    They belong to no company: they are checked with the whole, or with what belongs to none.
    """

    def _check_guards(self):
        if self._is_verified(None):
            yield from self._check_functions()
            yield from self._check_triggers()
            yield from self._check_bypasses()
            yield from self._check_inventory()

    def _check_functions(self):
        """The body of each function is the one in the files; none is missing, none has another search path."""
        wanted = guards.bodies()
        self.cr.execute("""SELECT proname, prosrc, array_to_string(proconfig, ';') FROM pg_proc
                            WHERE proname LIKE %s AND prokind = 'f'""", [guards.PREFIX.replace('_', r'\_') + '%'])
        found = {}
        for name, body, settings in self.cr.fetchall():
            found.setdefault(name, []).append((body, settings))
        path = guards.SEARCH_PATH.removeprefix('SET ').replace(' = ', '=')
        for name, body in wanted.items():
            title, versions = f'function {name}', found.pop(name, [])
            if not versions:
                yield _finding(title, "the function of this version", "none: it was dropped")
            elif len(versions) > 1:
                yield _finding(title, "one function of this name", f"{len(versions)} functions")
            elif versions[0][0] != body:
                yield _finding(title, "the body in the files of this version", "another body")
            elif versions[0][1] != path:
                yield _finding(title, path, f"{versions[0][1]}")
        for name in found:
            yield _finding(f'function {name}', "none of this name in this version", "a function")

    def _check_triggers(self):
        """Each trigger of the files is there, calls its function and is in force."""
        self.cr.execute(
            """SELECT c.relname, t.tgname, p.proname, t.tgenabled::text
                 FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
                WHERE t.tgname LIKE %s AND NOT t.tgisinternal""", [guards.PREFIX.replace('_', r'\_') + '%'])
        found = {(table, name): (function, state) for table, name, function, state in self.cr.fetchall()}
        for table, name, function in guards.triggers():
            title = f'trigger {name} on {table}'
            called, state = found.pop((table, name), (None, None))
            if called is None:
                yield _finding(title, "the trigger of this version", "none: it was dropped")
            elif called != function:
                yield _finding(title, f"the function {function}", f"{called}")
            elif state != 'O':
                yield _finding(title, STATES['O'], STATES.get(state, state))
        for table, name in found:
            yield _finding(f'trigger {name} on {table}', "none of this name in this version", "a trigger")

    def _check_inventory(self):
        """What is there is what the last update made; each seal has a digest that an update had left."""
        digests, last = set(), None
        for line, text in read_said(self.cr):
            try:
                values = parse(text)
                last = dict(values['guards']['new'])
                digest = values['guards_sha256']['new']
            except (ValueError, TypeError, KeyError) as error:
                yield Finding('mrp.audit.entry', line, "guards", "the guards that an update made", f"none ({error})")
                continue
            if inventory_digest(last) != digest:
                yield Finding('mrp.audit.entry', line, "guards", f"digest {inventory_digest(last)} of its guards", digest)
            digests.add(digest)
        if last is None:
            return
        found = read_inventory(self.cr)
        for name in sorted({*last, *found}):
            if last.get(name) != found.get(name):
                yield _finding(name, f"digest {last[name]}, as the last update made it" if name in last else
                               "none, as the last update left it", found.get(name) or "none: it was dropped")
        self.cr.execute("SELECT id, index, guards_sha256 FROM mrp_audit_seal WHERE guards_sha256 <> ALL(%s) ORDER BY id",
                        [sorted(digests)])
        for seal, index, digest in self.cr.fetchall():
            yield Finding('mrp.audit.seal', seal, f"seal {index}", "guards as an update had left them",
                          f"others, with digest {digest}, when it was made")
