"""What is printed or exported, from frozen documents; nothing that is signed is computed here."""

from . import ir_actions_report
from . import stamped_report
from . import report_mmr_revision
from . import report_mmr_redline
from . import report_mmr_history
from . import report_signed_record
from . import report_bpr
from . import report_deviation
from . import report_capa
from . import report_bpr_worksheet
from . import report_dispensing_label
from . import report_stock_forecasted
from . import core_prints
from . import report_quality_review
from . import report_release_certificate
from . import report_lot_trace
