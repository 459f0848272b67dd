"""`dev/test-update`: a database that an earlier state of the addon made is updated, and no evidence of it is lost.

The old database, with demonstration data, and what it said are kept in .odoo/ by commit: the first run takes some
minutes, later ones about one. What is compared is read by plain SQL, so that it does not depend on either state.
"""
import argparse
import ast
import json
import subprocess
import sys
import zipfile

from common import LOG, MODULE, ROOT, STATE, Failure, Step, digest, output_of, remove, run, say, write
from environment import prepare
from testing import core_template

UPDATES = STATE / 'updates'
#: Whose rows are evidence, each column.
WHOLE = ('mrp_esignature', 'mrp_audit_entry', 'mrp_audit_seal')
#: Columns of other tables that say what was signed and where chains end.
COLUMNS = r'(sha256|digest|head_index|_signature_id$|^document$|^mmr_snapshot$)'
CHAINS = 'mrp_audit_chain'


def describe(old):
    """Return the full name of a commit and what it is called; Failure where there is none."""
    commit = output_of(['git', '-C', ROOT, 'rev-parse', '--verify', f'{old}^{{commit}}']).strip()
    return commit, output_of(['git', '-C', ROOT, 'log', '-1', '--format=%h of %cs, %s', commit]).strip()


def last_release():
    """Return the commit that has the pages of evidence of the version that was released last."""
    return output_of(['git', '-C', ROOT, 'log', '-1', '--format=%H', '--', 'docs/test_report.md']).strip()


# === THE OLD STATE === #

class OldState:
    """An earlier state of the addon: its files, a database that it made, and bundles of that."""

    def __init__(self, env, commit):
        self.env, self.folder = env, UPDATES / commit[:12]
        self.addons = self.folder / 'addons'
        self.database = f'update_{digest(commit, env.version)[:12]}'
        self.path = f'--addons-path={env.core_addons_path},{self.addons}'
        self.commit = commit

    def unpack(self):
        addon = self.addons / MODULE
        if addon.is_dir():
            return
        temporary = self.folder / 'new'
        remove(temporary)
        temporary.mkdir(parents=True)
        with subprocess.Popen(['git', '-C', ROOT, 'archive', self.commit], stdout=subprocess.PIPE) as archive:
            subprocess.run(['tar', '-x', '-C', temporary], stdin=archive.stdout, check=True)
        if archive.returncode:
            raise Failure(f'git could not read the files of {self.commit}.')
        self.addons.mkdir(exist_ok=True)
        temporary.rename(addon)

    def install(self, fresh):
        manifest = ast.literal_eval((self.addons / MODULE / '__manifest__.py').read_text())
        if fresh or self.database not in self.env.databases():
            remove(self.folder / 'bundles')
            core = core_template(self.env, True, manifest['depends'])
            self.env.create_database(self.database, [MODULE], demo=True, template=core, arguments=[self.path],
                                     title='Installing the old state with demonstration data (once)')

    def bundles(self, fresh):
        """Return ``(model, id, file)`` of bundles that the old code made."""
        listed = self.folder / 'bundles' / 'records.json'
        if not fresh and listed.is_file():
            return [tuple(row) for row in json.loads(listed.read_text())]
        remove(listed.parent)
        listed.parent.mkdir(parents=True)
        batch, master = self._choose()
        records = [(model, record_id, str(listed.parent / f'{model}.zip'))
                   for model, record_id in (('mrp.bpr', batch), ('mrp.mmr', master))]
        with Step('Making bundles with the old code'):
            make_bundles(self.env, self.database, records, self.path)
        write(listed, json.dumps(records))
        return records

    def _choose(self):
        """Return the ids of the released batch with most entries and of its master."""
        rows = self.env.sql("""
            SELECT b.id, r.mmr_id FROM mrp_bpr b JOIN mrp_production p ON p.id = b.production_id
              JOIN mrp_mmr_revision r ON r.id = p.mmr_revision_id JOIN mrp_bpr_entry e ON e.bpr_id = b.id
             WHERE b.release_state = 'released' GROUP BY b.id, r.mmr_id ORDER BY count(*) DESC, b.id LIMIT 1
        """, self.database)
        if not rows:
            raise Failure('The old state has no released batch in its demonstration data.')
        return [int(value) for value in rows[0]]


def make_bundles(env, database, records, *arguments):
    """Make bundles of ``(model, id, file)`` with the code on the addons path of ``arguments``."""
    log = LOG / 'test-update-bundles.log'
    with (ROOT / 'dev' / 'make_bundles.py').open() as script:
        code, tail = run(env.command('shell', '-d', database, '--no-http', *arguments), log, stdin=script, cwd=STATE,
                         env=env.environ(MRP_MMR_BUNDLES=json.dumps(records)))
    if code or any(not zipfile.is_zipfile(path) for _model, _id, path in records):
        raise Failure('The bundles could not be made:\n' + '\n'.join(tail[-6:]) + f'\nThe log is {log}.')


# === WHAT A DATABASE SAYS === #

def read_columns(env, database):
    """Return the columns of evidence by table."""
    tables = {}
    for table, column in env.sql(f"""
            SELECT c.table_name, c.column_name
              FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
             WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.column_name <> 'id'
               AND (c.table_name LIKE 'mrp\\_%' OR c.table_name LIKE 'stock\\_lot%')
               AND (c.table_name IN {WHOLE} OR c.column_name ~ '{COLUMNS}')
          ORDER BY 1, c.ordinal_position""", database):
        tables.setdefault(table, []).append(column)
    return tables


def read_evidence(env, database, tables):
    """Return ``{table: {id: values}}`` of the columns ``tables``; values are texts, in the order of the columns."""
    evidence = {}
    for table, columns in tables.items():
        values = ', '.join(f'"{column}"::text' for column in columns)
        rows = (json.loads(line) for line, in env.sql(f'SELECT json_build_array(id, {values}) FROM "{table}"', database))
        evidence[table] = {str(row[0]): row[1:] for row in rows}
    return evidence


def compare(table, columns, before, after):
    """Yield what is not as it was: rows that are missing, or values that are others."""
    for key, values in before.items():
        if key not in after:
            yield f'{table} {key} is missing'
        else:
            for column, old, new in zip(columns, values, after[key], strict=True):
                if old != new:
                    yield f'{table} {key}, {column}: {str(new)[:70]} instead of {str(old)[:70]}'


def check_heads(env, database, columns, heads):
    """Yield the heads of chains, as they were before, that are no lines of the ledger now."""
    lines = {tuple(row) for row in env.sql('SELECT chain_id::text, index::text, sha256 FROM mrp_audit_entry', database)}
    for chain, values in heads.items():
        row = dict(zip(columns, values, strict=True))
        if int(row['head_index']) and (chain, row['head_index'], row['head_sha256']) not in lines:
            yield f'chain {chain}: line {row["head_index"]}, {row["head_sha256"]}, is not in the ledger'


# === CHECKS === #

class Checks:
    """Prints a line for each check and counts those that failed."""

    def __init__(self):
        self.failed = 0

    def report(self, title, problems):
        problems = list(problems)
        self.failed += bool(problems)
        say(f'{"✗" if problems else "✓"} {title}')
        for problem in problems[:20]:
            say(f'    {problem}')
        if len(problems) > 20:
            say(f'    … and {len(problems) - 20} more')

    def succeed(self, title, command, **kwargs):
        """A command ends with status 0; what it printed is shown otherwise."""
        code, tail = run(command, LOG / 'test-update-checks.log', **kwargs)
        self.report(title, [f'exit status {code}', *tail[-15:]] if code else [])


def take_verifier(bundle, target):
    """Write the ``verify.py`` that came with a bundle to a file; return it."""
    with zipfile.ZipFile(bundle) as archive:
        target.write_bytes(archive.read('verify.py'))
    return target


def update(env, database):
    with Step('Updating to the present state') as step:
        remove(LOG / 'test-update.log')
        code = env.odoo('-d', database, '-u', MODULE, '--stop-after-init', '--no-http', '--max-cron-threads=0',
                        step=step, log='test-update.log')
        step.failed = bool(code or not env.installed(database, [MODULE]))
    return not step.failed


def check(env, old, fresh, checks):
    """Run all checks on a copy of the old database."""
    records = old.bundles(fresh)
    name = env.own_database('update')
    with env.lock, Step('Copying the old database'):
        env.clone_database(old.database, name)
    tables = read_columns(env, name)
    before = read_evidence(env, name, tables)
    if not update(env, name):
        checks.report('the update succeeds', [f'the log is {LOG / "test-update.log"}'])
        return
    checks.report('the update succeeds', [])
    present = read_columns(env, name)
    for table, columns in tables.items():
        missing = [f'{table} has no column {column}' for column in columns if column not in present.get(table, ())]
        after = {} if missing else read_evidence(env, name, {table: columns})[table]
        if table == CHAINS:
            # The ledger goes on: the line that was the last one is still there.
            checks.report(f'{table}: {len(before[table])} heads are lines of the ledger',
                          check_heads(env, name, columns, before[table]))
            continue
        title = f'{", ".join(columns[:3])}{" …" if columns[3:] else ""}'
        checks.report(f'{table}: {len(before[table])} rows as before ({title})',
                      missing or compare(table, columns, before[table], after))
    verify = env.command('mrp_mmr', 'verify', '-d', name)
    checks.succeed('mrp_mmr verify: no finding', [*verify, '--no-remarks'], env=env.environ(), cwd=STATE)
    again = [(model, record_id, str(old.folder / f'fresh-{model}.zip')) for model, record_id, _path in records]
    with Step('Making bundles of the same records with the present code'):
        make_bundles(env, name, again)
    verifiers = [(title, take_verifier(rows[0][2], old.folder / f'verify-{title}.py'))
                 for title, rows in (('old', records), ('new', again))]
    for age, rows in (('old', records), ('fresh', again)):
        for model, _id, path in rows:
            for title, verifier in verifiers:
                # An old verify.py may not know what a later state writes.
                if (age, title) != ('fresh', 'old'):
                    checks.succeed(f'{age} bundle of {model}: {title} verify.py', [sys.executable, verifier, path, '--quiet'])
            checks.succeed(f'{age} bundle of {model} in the database', [*verify, '--no-remarks', '--bundle', path],
                           env=env.environ(), cwd=STATE)


def main(args):
    parser = argparse.ArgumentParser(
        prog='dev/test-update',
        description='Installs an earlier state of the addon with demonstration data, updates that database to the present '
                    'state, and compares: documents, signatures, ends of chains, bundles. A line for each check; exit '
                    'status 0 when all passed.')
    parser.add_argument('commit', nargs='?', help='the earlier state (default: the one that was released last)')
    parser.add_argument('--fresh', action='store_true', help='install the earlier state again')
    options = parser.parse_args(args)
    commit, title = describe(options.commit or last_release())
    say(f'From {title}')
    checks = Checks()
    with prepare() as env:
        UPDATES.mkdir(exist_ok=True)
        old = OldState(env, commit)
        old.unpack()
        old.install(options.fresh)
        check(env, old, options.fresh, checks)
    say(f'\n{checks.failed} checks failed.' if checks.failed else '\nNothing was lost.')
    return 1 if checks.failed else 0
