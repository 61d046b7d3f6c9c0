"""Schemes: what is programmed into an Elster meter, as a file that a person reads, checks and compares.

`load` reads a scheme strictly, `rules` knows what no calendar and no model can do, `sections` makes of it what the
meter stores, `programming` brings it there as a transaction, `export` brings it back.
"""
