"""Handing the readings of an old meter to its replacement, and everything that must not go wrong on the way."""
