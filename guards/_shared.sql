-- What several tables have in common: not emptied, written once, frozen with the decision on a batch.

-- The name of what refuses, for a guard that several tables share: mrp_bpr_step and 'frozen' give
-- mrp_mmr_bpr_step_frozen.
CREATE FUNCTION mrp_mmr_constraint(source name, what text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT format('mrp_mmr_%s_%s', regexp_replace(source, '^mrp_(mmr_)?', ''), what)
$$;

-- Nobody empties a table of records (REC-040, 21 CFR 111.605(b)). Argument: which rows t of it are records, where
-- Odoo keeps others in the same table. The ORM has no TRUNCATE; deletion is also refused by each model.
CREATE FUNCTION mrp_mmr_guard_truncate() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    holds_records boolean := true;
BEGIN
    IF TG_NARGS > 0 THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I t WHERE %s)', TG_TABLE_NAME, TG_ARGV[0]) INTO holds_records;
    END IF;
    IF holds_records THEN
        RAISE EXCEPTION '% holds GMP records and cannot be emptied (REC-040, 21 CFR 111.605(b)).', TG_TABLE_NAME
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = mrp_mmr_constraint(TG_TABLE_NAME, 'kept');
    END IF;
    RETURN NULL;
END $$;

-- Rows of evidence are written once (SIG-030, AUD-030, 21 CFR 11.70, 11.10(e)); what a signed disposal removes of a
-- batch record whose date has passed is the exception (REC-040). Also held in models/evidence/append_only_mixin.py.
CREATE FUNCTION mrp_mmr_append_only() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- What a signed disposal removes of a batch record whose date has passed (REC-040).
    IF TG_TABLE_NAME = 'mrp_bpr_entry' AND TG_OP = 'UPDATE' THEN
        IF mrp_mmr_is_removal(TG_TABLE_NAME, (to_jsonb(OLD) ->> 'bpr_id')::integer, to_jsonb(OLD), to_jsonb(NEW)) THEN
            RETURN NEW;
        END IF;
    ELSIF TG_TABLE_NAME = 'mrp_mmr_file' AND TG_OP = 'DELETE' THEN
        IF mrp_mmr_is_disposed_file(OLD.id) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused (SIG-030, 21 CFR 11.70).', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
              CONSTRAINT = mrp_mmr_constraint(TG_TABLE_NAME, 'append_only');
END $$;

-- Nothing is added to, or changed in, a batch record that Quality Control decided on (REL-030, 21 CFR 11.70). For
-- UPDATE alone where another guard refuses rows that come after the release of the order. Also held in
-- models/record/release.py.
CREATE FUNCTION mrp_mmr_guard_decided() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM mrp_bpr b WHERE b.id = NEW.bpr_id AND b.release_state IN ('released', 'rejected')) THEN
        IF TG_OP = 'UPDATE' THEN
            IF mrp_mmr_is_removal(TG_TABLE_NAME, OLD.bpr_id, to_jsonb(OLD), to_jsonb(NEW)) THEN
                RETURN NEW;     -- by a signed disposal (REC-040)
            END IF;
        END IF;
        RAISE EXCEPTION 'Quality Control decided on this batch: its record cannot be changed (REL-030, 21 CFR 11.70).'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                  CONSTRAINT = mrp_mmr_constraint(TG_TABLE_NAME, 'frozen');
    END IF;
    RETURN NEW;
END $$;
