"""What SQL says about records of each model: how they are called, whose they are, which of them are evidence."""

from ..domain.columns import RECORD_ROWS, ROW_TABLES
from ..domain.proofs import CHAIN_COLUMNS

#: Rows of a bill of materials.
OF_BOM = ('mrp.bom.line', 'mrp.bom.byproduct', 'mrp.routing.workcenter')
_REVISION = """(SELECT m.name || ' revision ' || r.revision FROM mrp_mmr_revision r JOIN mrp_mmr m ON m.id = r.mmr_id
                 WHERE r.id = %s)"""
_COMPANY = '(SELECT m.company_id FROM mrp_mmr_revision r JOIN mrp_mmr m ON m.id = r.mmr_id WHERE %s)'
#: Models of Odoo whose records may be older than their part in the evidence: the ledger begins with a change, and says no more.
PARTLY_LOGGED = ('mrp.bom', 'stock.lot', 'maintenance.equipment')

#: Rows that are a part of another record, which may be deleted while it is a draft: column and table of that one.
PARTS = {**dict.fromkeys((table.replace('_', '.') for table in ROW_TABLES), ('revision_id', 'mrp_mmr_revision')),
         **dict.fromkeys(OF_BOM, ('bom_id', 'mrp_bom'))}

#: What a record is called in findings.
NAMES = {
    'mrp.mmr': 't.name', 'mrp.mmr.label': "t.code || ' v. ' || t.version", 'mrp.production': 't.name',
    'mrp.mmr.revision': "(SELECT m.name FROM mrp_mmr m WHERE m.id = t.mmr_id) || ' revision ' || t.revision",
    'mrp.mmr.review': 't.name', 'mrp.sop': "t.code || ' v. ' || t.version", 'mrp.mmr.profile': 't.code',
    'mrp.mmr.requirement': 't.code', 'mrp.mmr.reviewer': 't.name', 'mrp.bpr': 't.name', 'mrp.deviation': 't.name',
    'mrp.capa': 't.name', 'mrp.capa.action': 't.name', 'mrp.bpr.rework': 't.lot_name',
    'mrp.deviation.contributor': "(SELECT d.name FROM mrp_deviation d WHERE d.id = t.deviation_id) || ', contributor'",
    'mrp.deviation.batch': "(SELECT d.name FROM mrp_deviation d WHERE d.id = t.deviation_id) || ', related batch'",
    'mrp.bpr.step': "t.stage || '.' || t.number || ' ' || t.name",
    'mrp.bpr.entry': "(SELECT b.name FROM mrp_bpr b WHERE b.id = t.bpr_id) || ', ' || t.kind",
    'mrp.qualification': "(SELECT u.login FROM res_users u WHERE u.id = t.user_id) || ', ' || t.kind",
    'mrp.signer.key': "t.user_login || ', key ' || left(t.fingerprint, 16)",
    'mrp.tamper.drill': 't.name', 'mrp.quality.review': 't.name', 'mrp.lot.destruction': 't.name',
    'mrp.legal.hold': 't.name', 'mrp.record.disposal': 't.name',
    'mrp.bpr.distribution': "(SELECT b.name FROM mrp_bpr b WHERE b.id = t.bpr_id) || ', ' || t.lot_name",
    'mrp.bpr.sample': "(SELECT b.name FROM mrp_bpr b WHERE b.id = t.bpr_id) || ', ' || t.kind",
    'mrp.bpr.result': "(SELECT b.name FROM mrp_bpr b WHERE b.id = t.bpr_id) || ', ' || t.name",
    'mrp.bpr.copy': "(SELECT b.name FROM mrp_bpr b WHERE b.id = t.bpr_id) || ', copy ' || t.number",
    'mrp.bpr.transcription': "(SELECT b.name FROM mrp_bpr b WHERE b.id = t.bpr_id) || ', transcription'",
    'mrp.equipment.log': """(SELECT e.name ->> 'en_US' FROM maintenance_equipment e WHERE e.id = t.equipment_id)
                              || ', ' || t.kind""",
    'maintenance.equipment': "t.name ->> 'en_US'", 'stock.lot': 't.name', 'mrp.terminal': 't.name',
    'mrp.deviation.cause': "t.name ->> 'en_US'",
    **dict.fromkeys((table.replace('_', '.') for table in ROW_TABLES), _REVISION % 't.revision_id'),
    **dict.fromkeys(OF_BOM, _REVISION % '(SELECT r.id FROM mrp_mmr_revision r WHERE r.bom_id = t.bom_id)'),
    'mrp.bom': _REVISION % '(SELECT r.id FROM mrp_mmr_revision r WHERE r.bom_id = t.id)',
}

#: Which company a record belongs to.
COMPANIES = {
    **dict.fromkeys(CHAIN_COLUMNS, 't.company_id'), 'mrp.mmr.profile': 'NULL::integer',
    'mrp.mmr.revision': '(SELECT m.company_id FROM mrp_mmr m WHERE m.id = t.mmr_id)',
    'mrp.mmr.review': """(SELECT m.company_id FROM mrp_mmr_revision r JOIN mrp_mmr m ON m.id = r.mmr_id
                           WHERE r.id = t.revision_id)""",
    **dict.fromkeys((table.replace('_', '.') for table in ROW_TABLES), _COMPANY % 'r.id = t.revision_id'),
    **dict.fromkeys(OF_BOM, _COMPANY % 'r.bom_id = t.bom_id'), 'mrp.bom': _COMPANY % 'r.bom_id = t.id',
}

#: The companies that use a file: they share one copy.
FILE_COMPANIES = """
    SELECT u.company_id FROM mrp_mmr_label u WHERE u.file_id = t.id
    UNION ALL SELECT u.company_id FROM mrp_sop u WHERE u.file_id = t.id
    UNION ALL SELECT u.company_id FROM mrp_qualification u WHERE u.file_id = t.id
    UNION ALL SELECT u.company_id FROM mrp_bpr_entry u WHERE u.file_id = t.id
    UNION ALL SELECT u.company_id FROM mrp_bpr_result u WHERE u.file_id = t.id
    UNION ALL SELECT u.company_id FROM mrp_tamper_drill u WHERE u.file_id = t.id
    UNION ALL SELECT u.company_id FROM mrp_deviation u WHERE u.file_id = t.id
    UNION ALL SELECT m.company_id FROM mrp_mmr_step u JOIN mrp_mmr_revision r ON r.id = u.revision_id
                                       JOIN mrp_mmr m ON m.id = r.mmr_id WHERE u.file_id = t.id
    UNION ALL SELECT m.company_id FROM mrp_mmr_section u JOIN mrp_mmr_revision r ON r.id = u.revision_id
                                       JOIN mrp_mmr m ON m.id = r.mmr_id WHERE u.file_id = t.id"""

#: Orders are records from their release on: these have a snapshot, or had one. Steps follow from the snapshot until somebody
#: works on them.
CONDITIONS = {
    **{model: RECORD_ROWS[model.replace('.', '_')] for model in (*OF_BOM, 'mrp.bom')},
    'stock.lot': """(t.mmr_status IS NOT NULL OR EXISTS (
        SELECT FROM mrp_audit_entry e
         WHERE e.res_model = 'stock.lot' AND e.res_id = t.id AND e.kind IN ('create', 'baseline', 'write', 'state')))""",
    'mrp.bpr.step': """(t.state <> 'open' OR EXISTS (
        SELECT FROM mrp_audit_entry e
         WHERE e.res_model = 'mrp.bpr.step' AND e.res_id = t.id AND e.kind IN ('write', 'state')))""",
    'mrp.production': """(t.mmr_snapshot IS NOT NULL OR t.mmr_snapshot_sha256 IS NOT NULL OR t.mmr_revision_id IS NOT NULL
        OR EXISTS (SELECT FROM mrp_audit_chain c WHERE c.res_model = 'mrp.production' AND c.res_id = t.id))""",
}

#: Whether a signed disposal that names it removed the content of a batch record.
DISPOSED = """EXISTS (
    SELECT FROM mrp_bpr d JOIN mrp_record_disposal p ON p.id = d.disposal_id JOIN mrp_esignature g ON g.id = p.signature_id
     WHERE d.id = %s AND g.res_model = 'mrp.record.disposal' AND g.res_id = p.id
       AND g.content -> 'batches' @> jsonb_build_array(jsonb_build_object('id', d.id)))"""
