"""``odoo-bin mrp_mmr``: what whoever administers the server does there, without a running server.

``verify`` verifies the evidence of a database or a bundle (AUD-040, REC-060); ``harden`` takes it out of reach of the role that
Odoo runs as (SEC-080); ``recover`` lets one security administrator enrol the own key where nobody can enrol any more (SIG-120).
"""

import argparse
import getpass
import os
import sys
import time
from contextlib import closing

from odoo.cli.command import Command
from odoo.tools import config


class MrpMmr(Command):
    """ Verify the evidence of a database or a bundle; harden a database; open the enrolment of a lost key """

    name = 'mrp_mmr'
    #: Environment variable with the connection of a superuser, where the command line does not name it.
    ADMIN = 'MRP_MMR_ADMIN'
    OWNER = 'mrp_mmr_owner'

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        subparsers = self.parser.add_subparsers(dest='subcommand', required=True)
        self._add_harden(subparsers)
        verify = subparsers.add_parser(
            'verify', help="recompute all evidence",
            description="Recomputes all evidence and prints every finding. It only reads: a database user with the "
                        "SELECT right only is sufficient. With a bundle and a database, both are verified, and the content "
                        "of the bundle is searched for in the database. Exit status: 0 all intact, 1 findings, "
                        "2 it could not be verified.")
        self.add_database(verify, "database user; read access is sufficient")
        verify.add_argument('-j', '--jobs', type=_positive, default=1, metavar='N',
                            help="verify with N processes, each with its own connection (default: 1)")
        verify.add_argument('-b', '--bundle', metavar='FILE', help="verify a bundle; without -d only that")
        verify.add_argument('-m', '--manifest', metavar='SHA256',
                            help="digest of the bundle's manifest, as shown in the audit trail or given on paper")
        verify.add_argument('--no-remarks', action='store_true', help="print findings only")
        recover = subparsers.add_parser(
            'recover', help="let a security administrator enrol their own key when nobody can enrol any more",
            description="For a database in which no security administrator has a usable key: revoked, suspended, archived. "
                        "One person, whom you see, makes and enrols their own key once, within some hours; the person gets "
                        "the role if nobody has it any more. Refused while a security administrator has a usable key in "
                        "force. The audit trail, the key and each verification show it. Exit status: 0 opened, 2 refused.")
        self.add_database(recover, "database user")
        recover.add_argument('-l', '--login', required=True, help="user name of the person")
        recover.add_argument('--reason', required=True, help="why nobody can enrol any more, and who decided this")
        recover.add_argument('--hours', type=int, default=24, help="for how long, 1 to 72 (default: 24)")
        recover.add_argument('--identity', metavar='DOCUMENT',
                             help="with which you verified the identity, if nobody did so in Odoo")

    @staticmethod
    def add_database(parser, user):
        """Add the arguments that name a database."""
        parser.add_argument('-c', '--config', help="configuration file of Odoo")
        parser.add_argument('-d', '--database', help="name of the database")
        parser.add_argument('--db_host')
        parser.add_argument('--db_port')
        parser.add_argument('-r', '--db_user', help=user)

    def _add_harden(self, commands):
        harden = commands.add_parser(
            'harden', help="take records and guards out of reach of the role that Odoo runs as",
            description="Gives records, guards, schema and database to a role without login, and protects guards on "
                        "Odoo's own tables by event triggers. It needs the connection of a superuser of PostgreSQL, which is "
                        "not stored. Exit status: 0 done, or in force; 1 not in force; 2 it could not be done.")
        self.add_database(harden, "role that Odoo runs as (default: that of the configuration)")
        harden.add_argument('--owner', default=self.OWNER, help=f"owner role, created if it does not exist ({self.OWNER})")
        harden.add_argument('--admin', metavar='CONNECTION', default=os.environ.get(self.ADMIN),
                            help=f"connection of a superuser, as libpq writes it: 'user=postgres host=…' (or ${self.ADMIN}; a "
                                 "password belongs in $PGPASSWORD or a password file)")
        what = harden.add_mutually_exclusive_group()
        what.add_argument('--check', action='store_true', help="only report what is missing; read access is sufficient")
        what.add_argument('--release', action='store_true', help="give everything back to the running role, before an update")
        what.add_argument('--restore', action='store_true', help="harden again after an update, with the same roles")

    def run(self, cmdargs):
        arguments = self.parser.parse_args(cmdargs)
        options = ['--no-http', '--log-level=warn']
        for option, value in (('-c', arguments.config), ('-d', arguments.database), ('--db_host', arguments.db_host),
                              ('--db_port', arguments.db_port), ('-r', arguments.db_user)):
            if value:
                options += [option, value]
        config.parse_config(options, setup_logging=True)
        if arguments.subcommand == 'recover':
            sys.exit(self.recover(self.get_database(), arguments))
        if arguments.subcommand == 'harden':
            sys.exit(self.harden_database(self.get_database(), arguments))
        checker = None
        if arguments.bundle:
            status, checker = self.verify_bundle(arguments.bundle, arguments.manifest)
            if status or not arguments.database:
                sys.exit(status)
        sys.exit(self.verify_database(self.get_database(), arguments.jobs, not arguments.no_remarks, checker))

    def get_database(self):
        """Return the name of the one database that the configuration names."""
        if len(config['db_name']) != 1:
            self.parser.error("name one database: -d DB")
        return config['db_name'][0]

    def recover(self, name, arguments, out=None):
        """Open the enrolment of one key in the database ``name`` (SIG-120), and return the exit status."""
        from odoo import SUPERUSER_ID, api
        from odoo.modules.registry import Registry
        with Registry(name).cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            return self.open_recovery(env, arguments, out or sys.stdout)

    @staticmethod
    def open_recovery(env, arguments, out):
        """Open it in an environment of the superuser, and say what to do next."""
        from odoo.exceptions import UserError

        from odoo.addons.mrp_mmr.domain.sessions import server_command
        user = env['res.users'].search([('login', '=', arguments.login)])
        if not user:
            sys.stderr.write(f"No active user has the user name {arguments.login}.\n")
            return 2
        try:
            with env.cr.savepoint(), server_command():
                end = env['mrp.signer.key']._open_recovery(
                    user, arguments.hours, arguments.reason, getpass.getuser(), arguments.identity)
        except UserError as error:
            sys.stderr.write(f"{error.args[0]}\n")
            return 2
        out.write(f"Until {end} UTC {user.login} makes a key (Preferences, GMP Signature, My Key) and enrols it "
                  f"(Settings, Users, Keys of Signers). Verification remarks on it from now on.\n")
        return 0

    def verify_bundle(self, path, manifest=None, out=None):
        """Verify a bundle by itself; return the exit status and the checker that ran."""
        from odoo.addons.mrp_mmr.verification import verify
        return verify.check(path, out or sys.stdout, quiet=True, manifest=manifest)

    def verify_database(self, name, jobs=1, remarks=True, checker=None):
        """Verify the database ``name``, also against the bundle that ``checker`` read, and return the exit status."""
        # Late, as it needs Odoo's configuration.
        from psycopg2 import Error

        from odoo.sql_db import db_connect

        from odoo.addons.mrp_mmr.guards.hardening import read_last
        from odoo.addons.mrp_mmr.verification.check_hardening import find_remarks
        from odoo.addons.mrp_mmr.verification.compare import Comparison
        from odoo.addons.mrp_mmr.verification.parallel import ParallelVerification
        from odoo.addons.mrp_mmr.verification.records import Verification
        from odoo.addons.mrp_mmr.verification.session import TRUST
        try:
            status = 0
            if jobs > 1:
                status = self.print_findings(ParallelVerification(name, jobs), f"database {name}", remarks)
            # Not Odoo's read-only pool, which is for replicas with an address of their own.
            with db_connect(name).cursor() as cr:
                cr.execute(TRUST)
                cr.execute("SET TRANSACTION READ ONLY")
                if jobs == 1:
                    status = self.print_findings(Verification(cr), f"database {name}", remarks)
                if checker:
                    title = f"bundle {checker.manifest['name']} in database {name}"
                    status |= self.print_findings(Comparison(cr, checker), title, remarks)
                if remarks and not read_last(cr):
                    for remark in find_remarks(cr):
                        sys.stdout.write(f"{remark}\n")
            return status
        except (Error, ValueError) as error:
            sys.stderr.write(f"{name} cannot be verified: {error}\n")
            return 2

    def print_findings(self, verification, title, remarks=True, out=None):
        """Print every finding of a verification and return the exit status."""
        from odoo.addons.mrp_mmr.verification.ledger import FINDING
        out = out or sys.stdout
        began, findings = time.monotonic(), 0
        for finding in verification:
            findings += finding.severity == FINDING
            if remarks or finding.severity == FINDING:
                # Names come from the database: nothing in them steers the terminal.
                out.write(''.join(char if char.isprintable() else '?' for char in str(finding)) + '\n')
                out.flush()
        counts = ', '.join(f"{count} {name}" for name, count in verification.counts.items())
        seconds = time.monotonic() - began
        out.write(f"{'FAILED' if findings else 'PASSED'} {title}: {findings} findings in {counts}; {seconds:.1f} s\n")
        out.flush()
        return 1 if findings else 0

    # === HARDENING === #

    def harden_database(self, name, arguments):
        """Harden, release, restore or check the database ``name`` and return the exit status (SEC-080)."""
        import psycopg2

        from odoo.sql_db import db_connect

        from odoo.addons.mrp_mmr.guards.hardening.command import HardeningError
        from odoo.addons.mrp_mmr.verification.session import TRUST
        try:
            if arguments.check:
                with db_connect(name).cursor() as cr:
                    cr.execute(TRUST)
                    cr.execute("SET TRANSACTION READ ONLY")
                    return self.print_hardening(cr, name, arguments.config and config['db_user'])
            if not arguments.admin:
                raise HardeningError(f"a superuser's connection is needed: --admin 'user=postgres host=…' or ${self.ADMIN}")
            # Nothing in the database gets in between before its names are looked at.
            with closing(psycopg2.connect(
                    arguments.admin, dbname=name, options='-c search_path=pg_catalog,pg_temp')) as connection:
                with connection, connection.cursor() as cr:
                    self._change_hardening(cr, arguments)
                with connection, connection.cursor() as cr:
                    self._warn_trusted(cr)
                    if arguments.release:
                        sys.stdout.write(f"RELEASED database {name}; after the update: mrp_mmr harden -d {name} --restore\n")
                        return 0
                    return self.print_hardening(cr, name)
        except (psycopg2.Error, HardeningError, ValueError) as error:
            sys.stderr.write(f"{name} is left as it was: {str(error).strip()}\n")
            return 2

    @staticmethod
    def _change_hardening(cr, arguments):
        from odoo.addons.mrp_mmr.guards.hardening import RELEASED, read_last
        from odoo.addons.mrp_mmr.guards.hardening.command import Hardening, HardeningError
        last = read_last(cr)
        if arguments.release or arguments.restore:
            if not last or not last.is_here or arguments.restore and last.event != RELEASED:
                raise HardeningError(f"it was not {'released' if arguments.restore else 'hardened'}, see --check")
            hardening = Hardening(cr, last.running, last.owner)
        else:
            hardening = Hardening(cr, arguments.db_user or config['db_user'] or '', arguments.owner)
        (hardening.release if arguments.release else hardening.harden)()

    @staticmethod
    def _warn_trusted(cr):
        """Say where PostgreSQL takes everybody for who they say they are: then nobody needs to drop a guard."""
        cr.execute("SELECT line_number::text FROM pg_catalog.pg_hba_file_rules WHERE auth_method = 'trust' "
                   "AND NOT 'replication' = ANY(database) ORDER BY line_number")
        if lines := ', '.join(line for line, in cr.fetchall()):
            sys.stdout.write(f"REMARK pg_hba.conf (lines {lines}) takes connections without a password (trust): whoever runs "
                             "code in Odoo may connect as another role\n")

    def print_hardening(self, cr, name, server_role=None):
        """Print what is missing of the hardening and return the exit status."""
        from odoo.addons.mrp_mmr.guards.hardening import read_last
        from odoo.addons.mrp_mmr.verification.check_hardening import find_gaps, find_remarks
        last = read_last(cr)
        if not last or not last.is_in_force:
            for remark in find_remarks(cr):
                sys.stdout.write(f"{remark}\n")
            return 1
        gaps = list(find_gaps(cr, last, server_role))
        for expected, found in gaps:
            sys.stdout.write(f"MISSING expected {expected}; found {found}\n")
        sys.stdout.write(f"{'BROKEN' if gaps else 'HARDENED'} database {name}: Odoo runs as {last.running}, {last.owner} owns; "
                         f"{last.event} by {last.by} at {last.at}\n")
        return 1 if gaps else 0


def _positive(text):
    if not text.isdigit() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 64")
    return int(text)
