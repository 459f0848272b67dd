"""Holds what the tests digest and sign against the JSON Schemas of the payloads (domain/schemas.py)."""

import functools
from contextlib import contextmanager
from unittest.mock import patch

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from odoo.addons.mrp_mmr.domain import canonical
from odoo.addons.mrp_mmr.domain.schemas import BY_CODE, SCHEMAS, load_schema
from odoo.addons.mrp_mmr.models.evidence.esignature import MrpEsignature


def registry_of(schemas):
    """Return the registry in which these schemas find one another by their identifiers."""
    return Registry().with_resources((schema['$id'], Resource.from_contents(schema)) for schema in schemas)


@functools.cache
def _registry():
    return registry_of(map(load_schema, SCHEMAS))


@functools.cache
def validator(reference):
    """Return the validator of a payload's ``schema``, which may be a part of a file."""
    name, _separator, pointer = reference.partition('#')
    identifier = load_schema(name)['$id'] + (f'#{pointer}' if pointer else '')
    return Draft202012Validator({'$ref': identifier}, registry=_registry())


def find_faults(content, reference=None):
    """Return what in ``content`` its schema does not allow, as texts.

    :param str reference: the payload's ``schema``, where the content does not name its kind
    """
    if reference is None:
        payload = BY_CODE.get(content.get('schema'))
        if not payload:
            return [f"{content.get('schema')} is not in domain/schemas.py"]
        reference = payload.schema
    return [f"{reference}: {error.json_path}: {error.message[:300]}" for error in validator(reference).iter_errors(content)]


def check_signatures():
    """Return a patch of the one place in which signatures are stored: what one is given for has to fit its schema.

    :raise AssertionError: where a signature is stored for content that its schema does not allow
    """
    create = MrpEsignature.create

    @functools.wraps(create)
    def checked(self, vals_list):
        # As Odoo's create does, this takes one record as well as many.
        for vals in [vals_list] if isinstance(vals_list, dict) else vals_list:
            faults = find_faults(vals['content']) if vals.get('content') else []
            faults += find_faults(vals['annex'], 'annex') if vals.get('annex') else []
            assert not faults, f"{vals.get('res_model')}: {faults}"
        return create(self, vals_list)

    return patch.object(MrpEsignature, 'create', checked)


@contextmanager
def collect_digested():
    """Yield a list that takes whatever is digested meanwhile, each content once, in its order."""
    digested, seen, encode = [], set(), canonical.canonical_json

    def collecting(content):
        text = encode(content)
        if text not in seen:
            seen.add(text)
            digested.append(content)
        return text

    with patch.object(canonical, 'canonical_json', collecting):
        yield digested
