"""What the evidence is before and after a drill: nothing of it may have changed."""

from ...domain.canonical import sha256

#: Tables whose rows are never rewritten, and tables of records that people go on working with.
APPEND_ONLY = (
    'mrp_esignature', 'mrp_audit_entry', 'mrp_audit_seal', 'mrp_mmr_file', 'mrp_signer_acceptance', 'mrp_signer_key',
    'mrp_bpr_entry', 'mrp_bpr_copy', 'mrp_equipment_log', 'mrp_bpr_rework', 'mrp_bpr_sample')
RECORDS = (
    'mrp_mmr', 'mrp_mmr_revision', 'mrp_mmr_review', 'mrp_mmr_label', 'mrp_mmr_requirement', 'mrp_sop', 'mrp_bom',
    'mrp_bom_line', 'mrp_bom_byproduct', 'mrp_routing_workcenter', 'mrp_production', 'mrp_mmr_step', 'mrp_mmr_step_check',
    'mrp_mmr_specification', 'mrp_mmr_equipment', 'mrp_mmr_ingredient', 'mrp_mmr_pack', 'mrp_mmr_pack_line',
    'mrp_mmr_section', 'mrp_mmr_reference', 'mrp_mmr_answer', 'mrp_bpr', 'mrp_bpr_step', 'mrp_deviation',
    'mrp_deviation_contributor', 'mrp_deviation_batch', 'mrp_deviation_cause', 'mrp_capa', 'mrp_capa_action',
    'mrp_quality_review',
    'mrp_tamper_drill', 'mrp_mmr_profile', 'mrp_mmr_reviewer', 'mrp_qualification', 'mrp_bpr_transcription', 'mrp_terminal',
    'mrp_bpr_result', 'mrp_lot_destruction', 'stock_lot', 'maintenance_equipment', 'res_users', 'res_partner')


class Evidence:
    """What the evidence is at a moment: the version of every row, and the last line of every chain.

    A row of PostgreSQL bears the transaction that wrote it, so that its versions show every writing, and cheaply.
    """

    def __init__(self, cr, before=None):
        """Read the evidence; with ``before``, no more of it than there was then."""
        self.last, self.tables, self.records = {}, {}, {}
        for table in (*APPEND_ONLY, *RECORDS):
            limit = before.last[table] if before else None
            cr.execute(
                f"""SELECT count(*), COALESCE(max(id), 0), COALESCE(sum(hashtextextended(id || ':' || xmin, 0)), 0)::text
                      FROM "{table}" WHERE id <= %s OR %s IS NULL""", [limit, limit])
            rows, last, versions = cr.fetchone()
            self.last[table] = before.last[table] if before else last
            (self.tables if table in APPEND_ONLY else self.records)[table] = [rows, versions]
        if before:
            # The lines that were the last ones then; in the head, if no line was added.
            cr.execute(
                """SELECT e.chain_id, e.index, e.sha256
                     FROM unnest(%s::integer[], %s::integer[]) AS b (chain, index)
                     JOIN mrp_audit_entry e ON e.chain_id = b.chain AND e.index = b.index
                     JOIN mrp_audit_chain c ON c.id = e.chain_id
                    WHERE c.head_index > b.index OR (c.head_index, c.head_sha256) = (e.index, e.sha256)
                    ORDER BY 1""", [[row[0] for row in before.heads], [row[1] for row in before.heads]])
        else:
            cr.execute("SELECT id, head_index, head_sha256 FROM mrp_audit_chain WHERE head_index > 0 ORDER BY id")
        self.heads = [list(row) for row in cr.fetchall()]
        cr.execute("SELECT count(*) FROM mrp_audit_entry WHERE id > %s", [self.last['mrp_audit_entry']])
        self.lines_added = cr.fetchone()[0]

    def digest(self):
        return sha256({'tables': self.tables, 'heads': self.heads})

    def compare(self, after):
        """Return what the drill's record says about the evidence before and after."""
        written = sorted(table for table, versions in self.records.items() if after.records[table] != versions)
        return {
            'rows': sum(rows for rows, _versions in self.tables.values()), 'chains': len(self.heads),
            'sha256_before': self.digest(), 'sha256_after': after.digest(),
            'records_sha256_before': sha256(self.records), 'records_sha256_after': sha256(after.records),
            # Nothing of the drill is committed: what differs was written by people at work.
            'written_by_others': written, 'lines_by_others': after.lines_added,
        }
