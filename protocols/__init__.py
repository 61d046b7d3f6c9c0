"""How both sides talk: wire formats and conversations. Bytes in, events out; no clock, no port, no device."""
