"""What the log says of equipment: the same as a plain reading of all lines, and no slower with the years."""

import random
import re
from datetime import datetime, timedelta

from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.mrp_mmr import guards

from ..common.rows import count_rows_read, explain, insert_copies, planned_as_large
from .test_equipment import EquipmentCommon

#: The rule told plainly: every line and every entry since the last full cleaning is looked at, each by itself.
PLAIN = """
    CREATE FUNCTION pg_temp.plain_signed(line mrp_equipment_log) RETURNS boolean LANGUAGE sql STABLE AS $$
        SELECT NOT COALESCE(line.needs_signature, FALSE)
            OR line.kind = 'calibration' AND line.result = 'fail'
            OR EXISTS (
                SELECT FROM mrp_esignature p
                 WHERE p.res_model = 'mrp.equipment.log' AND p.res_id = line.id
                   AND p.content ->> 'point' IN ('performed', 'reviewed')
                   AND (NOT COALESCE(line.needs_check, FALSE) OR EXISTS (
                        SELECT FROM mrp_esignature c
                         WHERE c.res_model = 'mrp.equipment.log' AND c.res_id = line.id
                           AND c.content ->> 'point' = 'checked'
                           AND c.user_id <> p.user_id AND c.partner_id <> p.partner_id)))
    $$;
    CREATE FUNCTION pg_temp.plain_counts(line mrp_equipment_log) RETURNS boolean LANGUAGE sql STABLE AS $$
        SELECT pg_temp.plain_signed(line) AND NOT EXISTS (
            SELECT FROM mrp_equipment_log c WHERE c.supersedes_id = line.id AND pg_temp.plain_signed(c))
    $$;
    CREATE FUNCTION pg_temp.plain_status(ids integer[], moment timestamp) RETURNS TABLE (
        equipment integer, calibration integer, result varchar, due date, calibrated_at timestamp, cleaning integer,
        cleaned_at timestamp, products integer[], batches integer[], used_at timestamp)
    LANGUAGE sql STABLE AS $$
    SELECT e.id, k.id, k.result, k.next_due, k.ended_at, c.id, c.ended_at, u.products, u.batches, u.used_at
      FROM unnest(ids) AS e(id)
      LEFT JOIN LATERAL (
        SELECT l.id, l.result, l.next_due, l.ended_at FROM mrp_equipment_log l
         WHERE l.equipment_id = e.id AND l.kind = 'calibration' AND l.ended_at <= moment AND pg_temp.plain_counts(l)
         ORDER BY l.ended_at DESC, l.id DESC LIMIT 1) k ON TRUE
      LEFT JOIN LATERAL (
        SELECT l.id, l.ended_at FROM mrp_equipment_log l
         WHERE l.equipment_id = e.id AND l.kind = 'cleaning' AND l.ended_at <= moment AND l.cleaning_kind = 'full'
           AND pg_temp.plain_counts(l)
         ORDER BY l.ended_at DESC, l.id DESC LIMIT 1) c ON TRUE
      LEFT JOIN LATERAL (
        SELECT array_agg(DISTINCT s.product) AS products, max(s.at) AS used_at,
               array_agg(DISTINCT s.batch) FILTER (WHERE s.batch IS NOT NULL) AS batches
          FROM (
            SELECT l.product_id AS product, l.bpr_id AS batch, l.ended_at AS at FROM mrp_equipment_log l
             WHERE l.equipment_id = e.id AND l.kind = 'use' AND l.ended_at BETWEEN c.ended_at AND moment
               AND pg_temp.plain_counts(l)
            UNION ALL
            SELECT b.product_id, b.id, n.at FROM mrp_bpr_entry n JOIN mrp_bpr b ON b.id = n.bpr_id
             WHERE n.equipment_id = e.id AND n.at BETWEEN c.ended_at AND moment AND NOT EXISTS (
                SELECT FROM mrp_bpr_entry o WHERE o.supersedes_id = n.id AND NOT o.to_sign)) s) u ON TRUE
    $$
    """
TABLES = ('mrp_equipment_log', 'mrp_bpr_entry', 'mrp_esignature', 'mrp_bpr')
BEGIN = datetime(2031, 1, 1)


@tagged('post_install', '-at_install')
class TestEquipmentStatus(EquipmentCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bprs = [cls._release().bpr_id for _number in range(4)]
        cls.products = cls.product | cls.component_a | cls.component_b
        line = cls._clean(cls.blender)
        cls.template = {'mrp_equipment_log': line.id, 'mrp_esignature': line.esignature_ids[:1].id}
        step = cls.bprs[0].step_ids.sorted('sequence')[0].with_user(cls.operator)
        step.action_start(acknowledged=True)
        step.action_record('comment', {'text': "Begun."})
        cls.template['mrp_bpr_entry'] = step.entry_ids[:1].id
        cls.env.flush_all()

    # === HISTORIES === #

    def _copy(self, table, *changes):
        return insert_copies(self.env.cr, table, self.template[table], changes)

    def _batches(self):
        """Return pairs of batch and product; the guards are off, and the batches are of different products."""
        batches = [(bpr.id, self.products[number % 3].id) for number, bpr in enumerate(self.bprs)]
        for bpr, product in batches:
            self.env.cr.execute(SQL("UPDATE mrp_bpr SET product_id = %s WHERE id = %s", product, bpr))
        return batches

    def _write_history(self, chance, unit, batches):
        """Write a random history of a unit: uses, cleanings, calibrations, entries, signed or not, and corrections."""
        lines, entries = {}, []
        nothing = {'needs_signature': False, 'needs_check': False, 'supersedes_id': None, 'bpr_id': None, 'product_id': None,
                   'cleaning_kind': None, 'result': None, 'next_due': None, 'reason': "Misread", 'started_at': None,
                   'as_found': "1000 g", 'performed_by': "Lab", 'equipment_id': unit}
        for _event in range(chance.randint(5, 30)):
            # Few moments, so that some are the same.
            at = BEGIN + timedelta(hours=chance.randint(0, 20))
            bpr, product = chance.choice(batches)
            if chance.random() < 0.3:
                entries += self._copy('mrp_bpr_entry', {
                    'bpr_id': bpr, 'equipment_id': unit, 'product_id': product, 'at': at, 'reason': "Misread", 'token': None,
                    'supersedes_id': chance.choice(entries) if entries and chance.random() < 0.4 else None,
                    'to_sign': chance.random() < 0.4})
                continue
            kind = chance.choice(('use', 'use', 'cleaning', 'cleaning', 'calibration', 'maintenance'))
            earlier = lines.setdefault(kind, [])
            values = {
                'use': {'product_id': product, 'bpr_id': chance.choice((bpr, None)), 'started_at': at},
                'cleaning': {'cleaning_kind': chance.choice(('full', 'full', 'minor'))},
                'calibration': {'result': chance.choice(('pass', 'pass', 'fail')), 'next_due': at.date()},
                'maintenance': {},
            }[kind]
            [line] = self._copy('mrp_equipment_log', {
                **nothing, **values, 'kind': kind, 'ended_at': at, 'needs_signature': kind != 'use' or chance.random() < 0.1,
                'needs_check': chance.random() < 0.5,
                'supersedes_id': chance.choice(earlier) if earlier and chance.random() < 0.3 else None})
            earlier.append(line)
            people = chance.choice(([], [self.operator], [self.operator] * 2, [self.operator, self.user_qc]))
            for point, person in zip((chance.choice(('performed', 'reviewed')), 'checked'), people, strict=False):
                self._copy('mrp_esignature', {
                    'res_id': line, 'content': {'point': point}, 'user_id': person.id, 'partner_id': person.partner_id.id,
                    'key_number': None, 'key_fingerprint': None})

    def test_random_histories(self):
        """BPR-040, IPC-070, PRF-010: the status of units is what a plain reading of their whole history says, at any time."""
        self.env.cr.execute(PLAIN)
        units = self.env['maintenance.equipment'].create([{'name': f"U-{number}"} for number in range(60)]).ids
        self.env.flush_all()
        said = set()
        with self._unguarded(*TABLES) as cr:
            batches = self._batches()
            for number, unit in enumerate(units):
                self._write_history(random.Random(number), unit, batches)
            for hour in range(-1, 22):
                for bpr, _product in batches:
                    cr.execute(
                        """SELECT n.equipment, (n.calibration, n.result, n.due, n.calibrated_at, n.cleaning, n.cleaned_at,
                                                n.products, n.used_at, n.in_batch)::text,
                                  (p.calibration, p.result, p.due, p.calibrated_at, p.cleaning, p.cleaned_at,
                                   p.products, p.used_at, COALESCE(%(bpr)s = ANY(p.batches), FALSE))::text
                             FROM mrp_mmr_equipment_status(%(ids)s, %(moment)s, %(bpr)s) n
                             JOIN pg_temp.plain_status(%(ids)s, %(moment)s) p USING (equipment)""",
                        {'ids': units, 'moment': BEGIN + timedelta(hours=hour, minutes=30 * (hour % 2)), 'bpr': bpr})
                    rows = cr.fetchall()
                    self.assertEqual(len(rows), len(units))
                    for unit, found, expected in rows:
                        self.assertEqual(found, expected, f"history {units.index(unit)}, hour {hour}, batch {bpr}")
                    said |= {row[1] for row in rows}
        # The histories say much: cleaned and not, used for one product and for several, in the batch and not.
        self.assertGreater(len(said), 300)
        self.assertTrue(any(text.endswith(',t)') for text in said))
        self.assertTrue(any(re.search(r'\{\d+,\d+,\d+\}', text) for text in said))

    def test_product_of_the_batch(self):
        """BPR-040, AUD-080: an entry that names a unit says the product of its batch; PostgreSQL refuses another one."""
        self._clean(self.scale)
        self._calibrate(self.scale)
        order = self._release()
        self._weigh(order, self.scale)
        entry = order.bpr_id.step_ids.entry_ids.filtered('equipment_id')[:1]
        self.assertEqual(entry.product_id, self.product)
        with self.assertRefused('mrp_mmr_bpr_unit_product'):
            insert_copies(self.env.cr, 'mrp_bpr_entry', entry.id, [{'token': None, 'product_id': self.component_a.id}])

    # === TIME === #

    def _use_often(self, number, batches):
        """Let the blender be used in batches and outside, and named by entries, for one product and another."""
        nothing = {'needs_signature': False, 'needs_check': False, 'cleaning_kind': None, 'procedure_id': None}
        moments = [datetime(2001, 1, 1) + timedelta(hours=hour) for hour in range(number)]
        self._copy('mrp_equipment_log', *({
            **nothing, 'kind': 'use', 'product_id': self.products[hour % 2].id, 'started_at': at, 'ended_at': at,
            'bpr_id': batches[0][0]} for hour, at in enumerate(moments)))
        self._copy('mrp_bpr_entry', *({
            'equipment_id': self.blender.id, 'product_id': self.products[hour % 2].id, 'at': at, 'bpr_id': batches[0][0],
            'token': None} for hour, at in enumerate(moments)))
        self._copy('mrp_equipment_log', *({
            'needs_signature': True, 'kind': 'cleaning', 'cleaning_kind': 'minor', 'ended_at': at} for at in moments))

    def test_uses_do_not_matter(self):
        """PRF-010: the status of a unit reads a few rows only, whether it was used 30 or 3,000 times since its cleaning."""
        with self._unguarded(*TABLES) as cr:
            batches = self._batches()
            # The one cleaning of the unit is older than all uses.
            cr.execute(
                "UPDATE mrp_equipment_log SET ended_at = '2000-12-31' WHERE id = %s", [self.template['mrp_equipment_log']])
            counts = []
            for number in (30, 3000):
                self._use_often(number, batches)
                with planned_as_large(cr, *TABLES):
                    found = []
                    counts.append(count_rows_read(cr, lambda found=found: found.append(self.env.execute_query(SQL(
                        "SELECT products, in_batch FROM mrp_mmr_equipment_status(%s, '2040-01-01', %s)",
                        [self.blender.id], batches[1][0])))))
                self.assertEqual(found, [[(sorted(self.products[:2].ids), False)]])
        # One way to a few rows or another: what matters is that it is not one for each use.
        self.assertLess(counts[1], 100)

    def test_plan(self):
        """PRF-010: each look-up of the status goes by its index."""
        body = guards.bodies()['mrp_mmr_equipment_status']
        query = re.search(r'RETURN QUERY(.*);\s*END', body, re.DOTALL)[1]
        for name, value in (('ids', 'ARRAY[%s]'), ('moment', "now()::timestamp"), ('batch', '%s')):
            query = re.sub(rf'(?<![.\w]){name}(?!\w)', value, query)
        with planned_as_large(self.env.cr, *TABLES):
            self.env.cr.execute("SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
            plan = explain(self.env.cr, SQL(query, self.blender.id, self.bprs[0].id, self.bprs[0].id))
        self.assertNotIn('Seq Scan', plan)
        for table, index in (('mrp_equipment_log', 'kind_idx'), ('mrp_equipment_log', 'full_cleaning_idx'),
                             ('mrp_equipment_log', 'use_idx'), ('mrp_bpr_entry', 'unit_idx')):
            self.assertRegex(plan, rf'using {table}_+{index}')
