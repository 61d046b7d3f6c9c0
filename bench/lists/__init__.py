"""Meter lists: which meters are read or programmed on a round, and how each is reached; CSV or YAML, both strict."""
