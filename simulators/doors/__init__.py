"""Doors: the real ports behind which a paced world is served.

::

modbus_tcp   Modbus TCP, to a device on an Ethernet or through a gateway to a line
raw_tcp      a transparent serial server: the bytes of a line over TCP
rfc2217      the same with speed, size, parity and stop bits (RFC 2217)
pty          a pseudo-terminal, where the platform has them
tcp          what the three TCP doors share: listening, callers, back-pressure
(a modem or a PAD needs none of its own: its `terminal` is a line to the three serial doors)
pacing       what the three serial doors share: bytes at line speed
"""
