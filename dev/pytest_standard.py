"""A pytest plugin: of Odoo's tests, keep those that Odoo itself would run by default."""
import sys


def _is_standard(item):
    tags = getattr(item.cls, 'test_tags', {'standard'})
    # Odoo runs the files that the package `tests` imports, and only the classes they define
    package, _dot, name = item.module.__name__.rpartition('.')
    imported = hasattr(sys.modules.get(package), name)
    return imported and 'standard' in tags and item.cls.__module__ == item.module.__name__


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if not _is_standard(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
