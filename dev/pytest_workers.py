"""A pytest plugin: each process that shares the tests has files of its own, as it has a database of its own.

pytest-odoo lets the processes share the files of the database that theirs are copies of. What one of them cleans up, such
as the assets of a page that it made anew, the others still need.
"""
import contextlib
import os
import shutil

import pytest_odoo

import odoo.tools


@contextlib.contextmanager
def _own_filestore(original, name):
    source, target = (os.path.join(odoo.tools.config['data_dir'], 'filestore', database) for database in (original, name))
    if name == original:
        yield
        return
    shutil.rmtree(target, ignore_errors=True)
    if os.path.isdir(source):
        # Odoo never changes a file, so that links do.
        shutil.copytree(source, target, copy_function=os.link)
    try:
        yield
    finally:
        shutil.rmtree(target, ignore_errors=True)


pytest_odoo._shared_filestore = _own_filestore
