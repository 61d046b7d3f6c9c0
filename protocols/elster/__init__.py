"""Elster A1120, A1140 and A1700: what the identities of these meters mean, for both sides of the line.

The wire formats only, shared by the simulated meter and by the driver: registers, histories, logs, moments and the load
profile as bytes. How the bytes travel is `protocols.flag`, how a meter behaves `simulators.meters.elster`.
"""
