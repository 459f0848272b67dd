"""``odoo-bin mrp_mmr verify``: verify the evidence of a database or a bundle without a running server (AUD-040, REC-060)."""

import argparse
import sys
import time

from odoo.cli.command import Command
from odoo.tools import config


class MrpMmr(Command):
    """ Verify audit trail, signatures, documents, snapshots and files of a database or a bundle """

    name = 'mrp_mmr'

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        verify = self.parser.add_subparsers(dest='subcommand', required=True).add_parser(
            'verify', help="recompute all evidence",
            description="Recomputes all evidence and prints every finding. It only reads: a database user with no other "
                        "right than SELECT will do. With a bundle and a database, both are verified and what the bundle "
                        "holds is looked for in the database. Exit status: 0 all intact, 1 findings, 2 it could not be "
                        "verified.")
        verify.add_argument('-c', '--config', help="configuration file of Odoo")
        verify.add_argument('-d', '--database', help="name of the database")
        verify.add_argument('--db_host')
        verify.add_argument('--db_port')
        verify.add_argument('-r', '--db_user', help="database user; one that may only read is enough")
        verify.add_argument('-j', '--jobs', type=_positive, default=1, metavar='N',
                            help="verify with N processes, each with its own connection (default: 1)")
        verify.add_argument('-b', '--bundle', metavar='FILE', help="verify a bundle; without -d only that")
        verify.add_argument('-m', '--manifest', metavar='SHA256',
                            help="digest of the bundle's manifest, as the audit trail or a paper has it")
        verify.add_argument('--no-remarks', action='store_true', help="print findings only")

    def run(self, cmdargs):
        arguments = self.parser.parse_args(cmdargs)
        options = ['--no-http', '--log-level=warn']
        for option, value in (('-c', arguments.config), ('-d', arguments.database), ('--db_host', arguments.db_host),
                              ('--db_port', arguments.db_port), ('-r', arguments.db_user)):
            if value:
                options += [option, value]
        config.parse_config(options, setup_logging=True)
        checker = None
        if arguments.bundle:
            status, checker = self.verify_bundle(arguments.bundle, arguments.manifest)
            if status or not arguments.database:
                sys.exit(status)
        if len(config['db_name']) != 1:
            self.parser.error("name one database: -d DB")
        sys.exit(self.verify_database(config['db_name'][0], arguments.jobs, not arguments.no_remarks, checker))

    def verify_bundle(self, path, manifest=None, out=None):
        """Verify a bundle by itself; return the exit status and the checker that ran."""
        from odoo.addons.mrp_mmr.verification import verify
        return verify.check(path, out or sys.stdout, quiet=True, manifest=manifest)

    def verify_database(self, name, jobs=1, remarks=True, checker=None):
        """Verify the database ``name``, also against the bundle that ``checker`` read, and return the exit status."""
        # Late, as it needs Odoo's configuration.
        from psycopg2 import Error

        from odoo.sql_db import db_connect

        from odoo.addons.mrp_mmr.verification.compare import Comparison
        from odoo.addons.mrp_mmr.verification.parallel import ParallelVerification
        from odoo.addons.mrp_mmr.verification.records import Verification
        try:
            status = 0
            if jobs > 1:
                status = self.print_findings(ParallelVerification(name, jobs), f"database {name}", remarks)
            # Not Odoo's read-only pool, which is for replicas with an address of their own.
            with db_connect(name).cursor() as cr:
                cr.execute("SET TRANSACTION READ ONLY")
                if jobs == 1:
                    status = self.print_findings(Verification(cr), f"database {name}", remarks)
                if checker:
                    title = f"bundle {checker.manifest['name']} in database {name}"
                    status |= self.print_findings(Comparison(cr, checker), title, remarks)
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


def _positive(text):
    if not text.isdigit() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 64")
    return int(text)
