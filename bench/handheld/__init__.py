"""The simulated hand-held unit: loaded with a meter list, it goes round, and brings back readings and what was done.

Its file formats are ours (docs/handheld.md): no public description of the maker's exists.
"""
