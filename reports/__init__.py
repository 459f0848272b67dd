from . import stamped_report
from . import report_mmr_revision
from . import report_mmr_redline
from . import report_mmr_history
from . import report_signed_record
from . import report_bpr
from . import report_bpr_worksheet
from . import report_dispensing_label
