"""Elster's A1120, A1140 and A1700: what their data identities hold, shared by the meter and the tool.

`tables` and `fixtures/elster` say which identities a model has; the other modules are their codecs, and
`configuration*` is what a scheme programs. What no public source gives is assumed and marked so.
"""
