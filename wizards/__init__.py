"""Dialogs: what a person fills in before something is recorded or signed."""

from . import mrp_bpr_rework
from . import mrp_deviation_decide
from . import mrp_deviation_report
from . import mrp_equipment_record
from . import mrp_mmr_create
from . import mrp_mmr_change
from . import mrp_mmr_plan
from . import mrp_tamper_drill
from . import mrp_bpr_copy_issue
from . import mrp_bpr_copy_void
from . import mrp_bpr_transcribe
from . import mrp_signer_verify
from . import mrp_qualification
from . import mrp_lot_destroy
from . import mrp_lot_adjust
from . import mrp_legal_hold_set
from . import mrp_record_dispose
from . import mrp_bpr_test
from . import mrp_bpr_reserve
from . import mrp_lot_trace
from . import base_partner_merge
from . import mrp_mmr_yield_history
from . import mrp_inspection_pack
