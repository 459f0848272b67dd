from . import stamped_report
from . import report_mmr_revision
from . import report_mmr_redline
from . import report_mmr_history
from . import report_signed_record
