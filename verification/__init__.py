"""Checking and handing out evidence: plain Python over a cursor, without ORM, so that a read-only reader can do it."""
