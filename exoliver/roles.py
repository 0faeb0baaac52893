"""Roles of arms that stages decide by.

A module of its own: the fingerprint of a stage's code leaves `exoliver.study` out, and this must count.
"""

TREATED_ROLES = ("treated", "control_product")
