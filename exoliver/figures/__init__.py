"""Figures: one module and one function each, a table in, a `Figure` out. The door to altair."""
