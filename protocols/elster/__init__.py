"""Elster A1120, A1140 and A1700: what their identities mean, for both sides of the line.

The wire format only: registers, histories, logs, load profile, and what a scheme programs. Frames are those of
`protocols.flag`; behaviour of a meter lives in `simulators.meters.elster`, judgement in `bench`.
"""
