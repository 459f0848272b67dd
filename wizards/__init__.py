from . import mrp_equipment_record
from . import mrp_mmr_create
from . import mrp_mmr_change
from . import mrp_mmr_plan
from . import mrp_tamper_drill
from . import mrp_signer_verify
from . import mrp_qualification
from . import base_partner_merge
