-- maintenance_equipment: units of equipment, which Odoo keeps and batch records name.

-- Not emptied (REC-040; _shared.sql).
CREATE TRIGGER mrp_mmr_guard_truncate BEFORE TRUNCATE ON maintenance_equipment
    FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate();
