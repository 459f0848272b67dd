-- The content of a revision: frozen when it is signed.

-- Components, by-products and stages of a revision that is signed stay as they are; those of a draft point to
-- stages of their own revision (REV-010, 21 CFR 111.123(a)(1), 211.100(a)). Also held in
-- models/master/content_mixin.py.
CREATE FUNCTION mrp_mmr_guard_content() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    owner text;
    owner_state varchar;
    operation integer;
BEGIN
    -- The signed one first, where there are two.
    SELECT m.name || ', revision ' || r.revision, r.state INTO owner, owner_state
      FROM mrp_mmr_revision r JOIN mrp_mmr m ON m.id = r.mmr_id
     WHERE r.bom_id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.bom_id END,
                        CASE WHEN TG_OP <> 'INSERT' THEN OLD.bom_id END)
     ORDER BY (r.state = 'draft') LIMIT 1;
    IF owner IS NULL THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF owner_state <> 'draft' THEN
        RAISE EXCEPTION 'The content of % is signed and cannot be changed (REV-010).', owner
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = mrp_mmr_constraint(TG_TABLE_NAME, 'content_frozen');
    END IF;
    -- Nobody signs until this edit is committed, and nobody did since it began (see mrp_mmr_guard_row).
    PERFORM FROM mrp_mmr_revision
      WHERE bom_id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.bom_id END,
                       CASE WHEN TG_OP <> 'INSERT' THEN OLD.bom_id END) FOR SHARE;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.bom_id IS DISTINCT FROM OLD.bom_id THEN
        RAISE EXCEPTION 'The content of % cannot be moved to another revision (REV-010).', owner
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = mrp_mmr_constraint(TG_TABLE_NAME, 'content_moved');
    END IF;
    operation := (to_jsonb(NEW) ->> 'operation_id')::integer;
    IF operation IS NOT NULL AND NOT EXISTS (
            SELECT FROM mrp_routing_workcenter o WHERE o.id = operation AND o.bom_id = NEW.bom_id) THEN
        RAISE EXCEPTION 'Rows of % can only refer to stages of the same revision (REV-010).', owner
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = mrp_mmr_constraint(TG_TABLE_NAME, 'content_foreign');
    END IF;
    RETURN NEW;
END $$;

-- Rows that exist for a revision alone stay as they are once it is signed, and point to rows of their own revision
-- (REV-010). Arguments: pairs of a column and the table that it points to. A draft is locked against signing until the
-- edit is committed: where somebody signed since this transaction began, PostgreSQL reports a serialization failure, and
-- Odoo tries again on what is signed. Also held in models/master/content_mixin.py.
CREATE FUNCTION mrp_mmr_guard_row() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    owner text;
    linked integer;
    position integer := 0;
BEGIN
    SELECT m.name || ', revision ' || r.revision INTO owner
      FROM mrp_mmr_revision r JOIN mrp_mmr m ON m.id = r.mmr_id
     WHERE r.state <> 'draft'
       AND r.id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.revision_id END,
                    CASE WHEN TG_OP <> 'INSERT' THEN OLD.revision_id END)
     LIMIT 1;
    IF owner IS NOT NULL THEN
        RAISE EXCEPTION 'The content of % is signed and cannot be changed (REV-010).', owner
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = mrp_mmr_constraint(TG_TABLE_NAME, 'content_frozen');
    END IF;
    PERFORM FROM mrp_mmr_revision
      WHERE id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.revision_id END,
                   CASE WHEN TG_OP <> 'INSERT' THEN OLD.revision_id END) FOR SHARE;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.revision_id <> OLD.revision_id THEN
        RAISE EXCEPTION 'Rows of a revision cannot be moved to another one (REV-010).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = mrp_mmr_constraint(TG_TABLE_NAME, 'content_moved');
    END IF;
    WHILE position < TG_NARGS LOOP
        linked := (to_jsonb(NEW) ->> TG_ARGV[position])::integer;
        IF linked IS NOT NULL THEN
            IF TG_ARGV[position + 1] IN ('mrp_bom_line', 'mrp_routing_workcenter') THEN
                EXECUTE format('SELECT r.id FROM %I p JOIN mrp_mmr_revision r ON r.bom_id = p.bom_id '
                               'WHERE p.id = $1', TG_ARGV[position + 1]) INTO linked USING linked;
            ELSE
                EXECUTE format('SELECT revision_id FROM %I WHERE id = $1', TG_ARGV[position + 1])
                   INTO linked USING linked;
            END IF;
            IF linked IS DISTINCT FROM NEW.revision_id THEN
                RAISE EXCEPTION 'Rows of a revision can only refer to rows of the same revision (REV-010).'
                    USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                          CONSTRAINT = mrp_mmr_constraint(TG_TABLE_NAME, 'content_foreign');
            END IF;
        END IF;
        position := position + 2;
    END LOOP;
    RETURN NEW;
END $$;
