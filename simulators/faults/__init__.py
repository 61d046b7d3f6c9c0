"""Defects: firmware bugs that can be switched on, each with an id, a symptom and the scenarios that must catch it.

A defect is one function in `simulators/faults/powerlogic.py` with its row of facts; switching it on replaces decisions
of one meter's firmware and touches no other meter.
"""

from simulators.faults.registry import DEFECTS, Defect, switch_on

__all__ = ["DEFECTS", "Defect", "switch_on"]
