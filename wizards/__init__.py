from . import mrp_mmr_create
