"""Whether stock moves say what the record of a batch says (STK-040, 21 CFR 111.260(f), 211.192).

It reads a cursor alone and writes nothing. The valid entries of a record are found here a second time, in SQL; tests
hold them against those of the ORM.
"""

from decimal import Decimal
from typing import NamedTuple

#: What batches took out of stock, as their records and as the done lines of their orders say it, by product and lot; what they
#: made, likewise; and what stock holds of the lots that they made. Quantities are in the unit of the product.
DIFFERENCES = """
    WITH RECURSIVE batch AS (
        SELECT b.id, b.name, b.production_id, b.product_id AS made, o.product_uom_id, o.state
          FROM mrp_bpr b JOIN mrp_production o ON o.id = b.production_id
         WHERE b.id = ANY(%(bprs)s) AND b.disposal_id IS NULL AND o.state IN ('done', 'cancel')),
    entry AS (
        SELECT e.id, e.bpr_id, e.step_id, e.kind, e.position, e.lot_id, e.data, e.value, e.supersedes_id,
               CASE WHEN e.transcription_id IS NOT NULL THEN EXISTS (
                        SELECT FROM mrp_bpr_transcription t WHERE t.id = e.transcription_id AND t.state = 'verified')
                    WHEN NOT e.to_sign THEN TRUE
                    ELSE EXISTS (
                            SELECT FROM mrp_esignature g WHERE g.res_model = 'mrp.bpr.entry' AND g.res_id = e.id
                               AND g.content ->> 'point' = 'corrected')
                        AND (NOT (s.is_critical OR s.points ?| ARRAY['verified', 'addition_verified']) OR EXISTS (
                            SELECT FROM mrp_esignature g WHERE g.res_model = 'mrp.bpr.entry' AND g.res_id = e.id
                               AND g.content ->> 'point' = 'verified'))
               END AS is_signed
          FROM batch b JOIN mrp_bpr_entry e ON e.bpr_id = b.id JOIN mrp_bpr_step s ON s.id = e.step_id
         WHERE e.kind IN ('weight', 'material', 'yield')),
    replaced AS (
        SELECT supersedes_id AS id FROM entry WHERE is_signed AND supersedes_id IS NOT NULL
         UNION SELECT e.supersedes_id FROM replaced r JOIN entry e ON e.id = r.id WHERE e.supersedes_id IS NOT NULL),
    valid AS (
        SELECT e.*, s.planned FROM entry e JOIN mrp_bpr_step s ON s.id = e.step_id
         WHERE e.is_signed AND e.id NOT IN (SELECT id FROM replaced)),
    recorded AS (
        SELECT v.bpr_id, (v.planned #>> '{target,product,id}')::integer AS product_id, v.lot_id,
               (v.planned #>> '{target,unit_id}')::integer AS unit_id,
               CASE WHEN v.data ? 'stocked' THEN 0 ELSE (v.data ->> 'quantity')::numeric END
                   + COALESCE((v.data ->> 'scrapped')::numeric, 0) AS quantity,
               COALESCE((v.data ->> 'stocked')::numeric, 0) AS stocked
          FROM valid v WHERE v.kind = 'weight'
         UNION ALL
        SELECT v.bpr_id, (m.row #>> '{product,id}')::integer, v.lot_id, (m.row ->> 'unit_id')::integer,
               (v.data ->> 'used')::numeric + (v.data ->> 'destroyed')::numeric, 0
          FROM valid v CROSS JOIN jsonb_array_elements(v.planned #> '{pack,materials}') AS m(row)
         WHERE v.kind = 'material' AND (m.row ->> 'position')::integer = v.position AND v.data ? 'used'),
    used AS (
        SELECT r.bpr_id, r.product_id, r.lot_id,
               sum(r.stocked + r.quantity * u.factor::numeric / p.factor::numeric) AS quantity
          FROM recorded r JOIN uom_uom u ON u.id = r.unit_id
          JOIN product_product v ON v.id = r.product_id JOIN product_template t ON t.id = v.product_tmpl_id
          JOIN uom_uom p ON p.id = t.uom_id
         GROUP BY r.bpr_id, r.product_id, r.lot_id),
    taken AS (
        SELECT b.id AS bpr_id, l.product_id, l.lot_id, sum(l.quantity_product_uom::numeric) AS quantity
          FROM batch b JOIN stock_move m ON m.raw_material_production_id = b.production_id AND m.state = 'done'
          JOIN stock_move_line l ON l.move_id = m.id
         GROUP BY b.id, l.product_id, l.lot_id),
    yield AS (
        SELECT DISTINCT ON (v.bpr_id) v.bpr_id,
               v.value::numeric * COALESCE(u.factor, o.factor)::numeric / p.factor::numeric AS quantity
          FROM valid v JOIN batch b ON b.id = v.bpr_id
          JOIN product_product d ON d.id = b.made JOIN product_template t ON t.id = d.product_tmpl_id
          JOIN uom_uom p ON p.id = t.uom_id JOIN uom_uom o ON o.id = b.product_uom_id
          LEFT JOIN uom_uom u ON u.id = (v.planned #>> '{band,unit_id}')::integer
         WHERE v.kind = 'yield' AND v.planned ->> 'scope' = 'batch' ORDER BY v.bpr_id, v.id DESC),
    made AS (
        SELECT b.id AS bpr_id, sum(l.quantity_product_uom::numeric) AS quantity
          FROM batch b JOIN stock_move m ON m.production_id = b.production_id AND m.state = 'done' AND m.product_id = b.made
          JOIN stock_move_line l ON l.move_id = m.id
         GROUP BY b.id),
    lot AS (
        SELECT b.id AS bpr_id, t.id, t.product_id
          FROM batch b JOIN stock_lot t ON t.mmr_bpr_id = b.id
          JOIN product_product v ON v.id = t.product_id JOIN product_template p ON p.id = v.product_tmpl_id AND p.is_storable),
    moved AS (
        SELECT t.bpr_id, t.product_id, t.id AS lot_id, p.location_id, sum(p.quantity) AS quantity
          FROM lot t JOIN (
            SELECT lot_id, location_dest_id AS location_id, quantity_product_uom::numeric AS quantity
              FROM stock_move_line WHERE state = 'done'
             UNION ALL SELECT lot_id, location_id, -quantity_product_uom::numeric FROM stock_move_line WHERE state = 'done'
          ) p ON p.lot_id = t.id
          JOIN stock_location c ON c.id = p.location_id AND c.usage IN ('internal', 'transit')
         GROUP BY t.bpr_id, t.product_id, t.id, p.location_id),
    stocked AS (
        SELECT t.bpr_id, t.product_id, t.id AS lot_id, q.location_id, sum(q.quantity::numeric) AS quantity
          FROM lot t JOIN stock_quant q ON q.lot_id = t.id
          JOIN stock_location c ON c.id = q.location_id AND c.usage IN ('internal', 'transit')
         GROUP BY t.bpr_id, t.product_id, t.id, q.location_id)
    SELECT d.kind, b.id, b.name, d.product_id, COALESCE(p.name ->> 'en_US', ''), d.lot_id, t.name, c.complete_name,
           d.expected::text, d.found::text
      FROM (
        SELECT 'used' AS kind, COALESCE(u.bpr_id, t.bpr_id) AS bpr_id, COALESCE(u.product_id, t.product_id) AS product_id,
               COALESCE(u.lot_id, t.lot_id) AS lot_id, NULL::integer AS location_id,
               COALESCE(u.quantity, 0) AS expected, COALESCE(t.quantity, 0) AS found
          FROM used u FULL JOIN taken t ON t.bpr_id = u.bpr_id AND t.product_id = u.product_id
               AND COALESCE(t.lot_id, 0) = COALESCE(u.lot_id, 0)
         UNION ALL
        SELECT 'made', y.bpr_id, b.made, NULL, NULL, y.quantity, COALESCE(m.quantity, 0)
          FROM yield y JOIN batch b ON b.id = y.bpr_id LEFT JOIN made m ON m.bpr_id = y.bpr_id
         WHERE b.state = 'done'
         UNION ALL
        SELECT 'stock', COALESCE(m.bpr_id, s.bpr_id), COALESCE(m.product_id, s.product_id), COALESCE(m.lot_id, s.lot_id),
               COALESCE(m.location_id, s.location_id), COALESCE(m.quantity, 0), COALESCE(s.quantity, 0)
          FROM moved m FULL JOIN stocked s ON s.bpr_id = m.bpr_id AND s.lot_id = m.lot_id AND s.location_id = m.location_id
      ) d
      JOIN batch b ON b.id = d.bpr_id
      LEFT JOIN product_product v ON v.id = d.product_id LEFT JOIN product_template p ON p.id = v.product_tmpl_id
      LEFT JOIN stock_lot t ON t.id = d.lot_id LEFT JOIN stock_location c ON c.id = d.location_id
     WHERE round(d.expected, 9) <> round(d.found, 9)
     ORDER BY b.id, d.kind DESC, d.product_id, d.lot_id, d.location_id
"""


#: What done lines and stock say differently of lots that Quality Control decides on, by lot and place.
LOT_DIFFERENCES = """
    WITH moved AS (
        SELECT p.lot_id, p.location_id, sum(p.quantity) AS quantity
          FROM (
            SELECT lot_id, location_dest_id AS location_id, quantity_product_uom::numeric AS quantity
              FROM stock_move_line WHERE state = 'done' AND lot_id = ANY(%(lots)s)
             UNION ALL
            SELECT lot_id, location_id, -quantity_product_uom::numeric
              FROM stock_move_line WHERE state = 'done' AND lot_id = ANY(%(lots)s)
          ) p GROUP BY p.lot_id, p.location_id),
    stocked AS (
        SELECT q.lot_id, q.location_id, sum(q.quantity::numeric) AS quantity
          FROM stock_quant q WHERE q.lot_id = ANY(%(lots)s) GROUP BY q.lot_id, q.location_id)
    SELECT l.id, l.name, c.complete_name, COALESCE(m.quantity, 0), COALESCE(s.quantity, 0)
      FROM moved m FULL JOIN stocked s ON s.lot_id = m.lot_id AND s.location_id = m.location_id
      JOIN stock_lot l ON l.id = COALESCE(m.lot_id, s.lot_id)
      JOIN product_product v ON v.id = l.product_id JOIN product_template t ON t.id = v.product_tmpl_id AND t.is_storable
      JOIN stock_location c ON c.id = COALESCE(m.location_id, s.location_id) AND c.usage IN ('internal', 'transit')
     WHERE abs(COALESCE(m.quantity, 0) - COALESCE(s.quantity, 0)) >= 0.000001
     ORDER BY l.id, c.id
"""


#: Released lots of products under control that no batch record made, that were not moved before the product came under control,
#: and that nobody sold to the company (REL-070).
WITHOUT_ORIGIN = """
    SELECT l.id, l.name, t.name ->> 'en_US'
      FROM stock_lot l JOIN product_product p ON p.id = l.product_id
      JOIN product_template t ON t.id = p.product_tmpl_id AND t.mmr_controlled
     WHERE l.mmr_status = 'released' AND l.mmr_bpr_id IS NULL AND NOT EXISTS (
        SELECT FROM stock_move_line m JOIN stock_location s ON s.id = m.location_id
          JOIN stock_location d ON d.id = m.location_dest_id
         WHERE m.lot_id = l.id AND m.product_id = l.product_id AND m.state = 'done' AND m.quantity > 0
           AND (m.create_date < (
                    SELECT max(e.at) FROM mrp_audit_entry e
                     WHERE e.res_model = 'product.template' AND e.res_id = t.id AND e.kind = 'setting'
                       AND e."values" #>> '{mmr_controlled,new}' = 'true')
                OR d.usage IN ('internal', 'transit')
                   AND (s.usage = 'supplier' OR s.usage = 'transit' AND s.company_id IS NULL)))
"""


#: Lots that batches made of which there is, or left, more than their batch made: by what counts and moves
#: without an order brought (REL-070, STK-020). What was taken apart, destroyed or scrapped is not part of it.
SURPLUS = """
    SELECT l.id, l.name, b.name, (COALESCE(sum(x.made), 0))::text, (COALESCE(sum(x.brought), 0))::text
      FROM stock_lot l JOIN mrp_bpr b ON b.id = l.mmr_bpr_id
      JOIN LATERAL (
        SELECT CASE WHEN m.production_id = b.production_id THEN n.quantity_product_uom::numeric ELSE 0 END AS made,
               CASE WHEN s.usage NOT IN ('inventory', 'production') AND d.usage = 'inventory' THEN
                        CASE WHEN m.is_inventory AND NOT EXISTS (
                                 SELECT FROM mrp_lot_destruction y WHERE y.move_id = m.id)
                             THEN -n.quantity_product_uom::numeric ELSE 0 END
                    WHEN d.usage NOT IN ('inventory', 'production') AND (
                         s.usage = 'inventory' OR s.usage = 'production' AND m.production_id IS NULL AND m.unbuild_id IS NULL)
                    THEN n.quantity_product_uom::numeric ELSE 0 END AS brought
          FROM stock_move_line n LEFT JOIN stock_move m ON m.id = n.move_id
          JOIN stock_location s ON s.id = n.location_id JOIN stock_location d ON d.id = n.location_dest_id
         WHERE n.lot_id = l.id AND n.state = 'done') x ON TRUE
     WHERE l.id > %(after)s AND {company}
     GROUP BY l.id, l.name, b.name HAVING round(COALESCE(sum(x.brought), 0), 6) > 0 ORDER BY l.id
"""


class Difference(NamedTuple):
    """One quantity of a batch that is not the same everywhere; both in the unit of the product."""
    kind: str           # used: record and moves; made: yield and moves; stock: moves and stock
    bpr_id: int
    bpr: str
    product_id: int
    product: str
    lot_id: int
    lot: str
    place: str
    expected: Decimal
    found: Decimal


def find_differences(cr, bprs):
    """Return what record, moves and stock of completed and cancelled batches say differently.

    :param list bprs: ids of batch records; queries do not grow with them
    :return: list of :class:`Difference`
    """
    cr.execute(DIFFERENCES, {'bprs': list(bprs)})
    # As text: Odoo's cursor would make floats of exact numbers.
    return [Difference(*row, Decimal(expected), Decimal(found)) for *row, expected, found in cr.fetchall()]


def find_lot_differences(cr, lots):
    """Return what done lines and stock say differently of lots (REL-070).

    :param list lots: ids of lots
    :return: list of ``(id, name, place, moved, on stock)``
    """
    cr.execute(LOT_DIFFERENCES, {'lots': list(lots)})
    return cr.fetchall()


def plain(number):
    """Return a number as people read it."""
    text = format(number, 'f')
    return text.rstrip('0').rstrip('.') if '.' in text else text
