"""What a device can be asked to do: one name each, for `needs(...)` marks, station policies and messages."""

from __future__ import annotations

from enum import StrEnum


class Capability(StrEnum):
    """A capability of a driver."""

    IDENTIFY = "identify"
    READ_ENERGY = "read-energy"
    READ_REALTIME = "read-realtime"
    READ_DEMAND = "read-demand"
    READ_EXTREMES = "read-extremes"
    READ_CLOCK = "read-clock"
    SET_CLOCK = "set-clock"
    RESET_DEMAND = "reset-demand"
    RESET_EXTREMES = "reset-extremes"
    PROGRAM_SETUP = "program-setup"
    PRESET_ENERGY = "preset-energy"
    PARTIAL_ENERGY = "partial-energy"
    READ_REGISTERS = "read-registers"
    READ_BILLING = "read-billing"
    READ_LOGS = "read-logs"
    READ_PROFILE = "read-profile"
    READ_OUT = "read-out"
    READ_INSTANTANEOUS = "read-instantaneous"
    PROGRAM_SCHEME = "program-scheme"
