"""Content of the demonstration's master records, as plain Python structures; loaded by models/mrp_mmr_demo.py."""
