from . import stamped_report
from . import report_mmr_revision
