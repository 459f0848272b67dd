from . import test_concurrency
from . import test_demo
from . import test_esignature
from . import test_http
from . import test_mmr
from . import test_mmr_revision
from . import test_production_gate
from . import test_report
