"""Tests by the folders of models/; what they share is in common/, what needs no database in unit/."""

from .unit import (
    test_arrows,
    test_constants,
    test_criterion,
    test_days,
    test_number_properties,
    test_numbers,
    test_redline,
    test_results,
    test_schemas,
    test_step_plan,
    test_stock,
)
from .base import (
    test_arguments,
    test_company_days,
    test_demo,
    test_docs,
    test_exact_number,
    test_http,
    test_js,
    test_my_work,
    test_trace,
    test_views,
)
from .evidence import (
    test_attacks,
    test_auditor,
    test_baseline,
    test_bundle,
    test_bypasses,
    test_concurrency,
    test_crash,
    test_esignature,
    test_evidence_kept,
    test_files,
    test_guards,
    test_ledger,
    test_payloads,
    test_proofs,
    test_restore,
    test_settings_compared,
    test_signing_protocol,
    test_tamper_drill,
    test_verify,
)
from .people import (
    test_menu,
    test_qualification,
    test_roles,
    test_signer,
    test_terminal,
)
from .master import (
    test_approval_route,
    test_change,
    test_content,
    test_content_frozen,
    test_digits,
    test_mmr,
    test_mmr_revision,
    test_overage,
    test_redline_revision,
    test_training,
)
from .order import (
    test_performance,
    test_planner,
    test_production_gate,
)
from .record import (
    test_alignment,
    test_analysis,
    test_bpr,
    test_cancellation,
    test_end_to_end,
    test_floor,
    test_links,
    test_potency,
    test_recorded_numbers,
    test_release,
    test_review,
    test_serial,
    test_transcription,
    test_years,
    test_yield_history,
)
from .deviation import (
    test_capa,
    test_deviation,
    test_hold,
)
from .equipment import (
    test_equipment,
    test_status,
)
from .stock import (
    test_by_record,
    test_consumption,
    test_known_stock,
    test_lot_status,
    test_overdraw,
    test_precision,
    test_quarantine,
    test_traceability,
)
from .retention import (
    test_retention,
)
from .quality import (
    test_inspection_pack,
    test_quality_review,
)
from .reports import (
    test_core_prints,
    test_dispensing_label,
    test_page_breaks,
    test_report,
    test_report_bpr,
    test_report_content,
    test_xlsx,
)
