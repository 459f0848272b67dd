"""The table of the payloads and their JSON Schemas: complete, strict, and true about the code."""

import ast
import unittest

from jsonschema import Draft202012Validator

from odoo.addons.mrp_mmr.domain.redline import compare
from odoo.addons.mrp_mmr.domain.schemas import BY_CODE, COMMON, FOLDER, PAYLOADS, SCHEMAS, load_schema
from odoo.addons.mrp_mmr.domain.step_plan import plan_steps

from ..common.document import rich_document
from ..common.payloads import find_faults, registry_of

ROOT = FOLDER.parent
#: Rooms whose code makes payloads; what verification and tests know of them they were told.
MAKERS = ('domain', 'models', 'reports', 'wizards', 'verification')


def nodes_of(schema, path=''):
    """Yield each object of a schema with its path."""
    if isinstance(schema, dict):
        yield path, schema
    for key, value in schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ():
        yield from nodes_of(value, f'{path}/{key}')


class TestSchemas(unittest.TestCase):

    def test_files(self):
        """SIG-030, REC-050: each schema of the table is there, says what it is about and finds what it refers to."""
        self.assertEqual({path.name for path in FOLDER.glob('*.schema.json')}, {f'{name}.schema.json' for name in SCHEMAS})
        schemas = {name: load_schema(name) for name in SCHEMAS}
        registry = registry_of(schemas.values())
        self.assertEqual(len({schema['$id'] for schema in schemas.values()}), len(schemas))
        for name, schema in schemas.items():
            with self.subTest(schema=name):
                Draft202012Validator.check_schema(schema)
                self.assertTrue(schema['title'] and schema['description'])
                resolver = registry.resolver(schema['$id'])
                references = [node['$ref'] for _path, node in nodes_of(schema) if '$ref' in node]
                for reference in references:
                    resolver.lookup(reference)

    def test_codes(self):
        """SIG-030: the schema of a payload asks for its code, and no other payload has it."""
        unknown = 'mrp_mmr/nothing/1'
        self.assertEqual(find_faults({'schema': unknown}), [f"{unknown} is not in domain/schemas.py"])
        self.assertEqual(len(BY_CODE), sum(payload.code is not None for payload in PAYLOADS))
        for payload in BY_CODE.values():
            with self.subTest(payload=payload.code):
                name, _separator, pointer = payload.schema.partition('#/')
                schema = load_schema(name)
                for key in filter(None, pointer.split('/')):
                    schema = schema[key]
                said = schema['properties']['schema']
                self.assertIn(payload.code, said.get('enum', [said.get('const')]))
                self.assertNotEqual(find_faults({'schema': payload.code}), [], "a code alone is no content")

    def test_strict(self):
        """SIG-030: an object of a schema allows no key that it does not describe."""
        count = 0
        for name in SCHEMAS:
            for path, node in nodes_of(load_schema(name)):
                if 'properties' in node and not path.endswith('/properties') and 'oneOf' not in path:
                    count += 1
                    with self.subTest(schema=name, path=path):
                        # The report of a deviation is closed by whoever refers to it.
                        is_open = (name, path) == (COMMON, '/$defs/deviation_document')
                        closed = node.get('additionalProperties') is False or node.get('unevaluatedProperties') is False
                        self.assertNotEqual(is_open, closed)
        self.assertGreater(count, 100)

    def test_code_is_in_the_table(self):
        """SIG-030: whatever the code makes with a key 'schema' is in the table."""
        found = {
            node.value for room in MAKERS for path in (ROOT / room).rglob('*.py')
            for node in ast.walk(ast.parse(path.read_text(encoding='utf-8')))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            and node.value.startswith('mrp_mmr/') and node.value.rpartition('/')[2].isdecimal()}
        self.assertGreater(len(found), 30)
        self.assertEqual(found - {payload.code for payload in PAYLOADS if payload.code}, set())

    def test_pure(self):
        """USE-030, APR-060: what is made without a database fits: document, plan with all rules, differences."""
        document = rich_document()
        for section, code in zip(document['sections'], ('device', 'service'), strict=True):
            section['code'] = code
        self.assertEqual(find_faults(document), [])
        for rules in ((), ('BPR-170', 'VER-060', 'YLD-030')):
            plan = [row['planned'] for row in plan_steps(document, rules)]
            self.assertGreater(len(plan), 5)
            self.assertEqual(find_faults(plan, 'plan'), [])
        after = dict(document, revision=document['revision'] + 1, formulation="Another", components=document['components'][:1])
        for before in (None, document):
            redline = compare(before, after)
            self.assertTrue(redline['changes'])
            self.assertEqual(find_faults(redline), [])
        self.assertNotEqual(find_faults(dict(document, price="1.00")), [], "a key that nobody described")
        self.assertNotEqual(find_faults(dict(document, revision="1")), [])
