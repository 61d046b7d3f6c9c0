"""Elster's A1120, A1140 and A1700 over FLAG: one driver for all three, on our own client (`protocols.flag.client`).

::

    driver     identity, energies, demand, clock, billing reset, logs (driver.py)
    history    billing and daily history, load profile (history.py)
    identity   who answers, and whether it is the one that the station promises (identity.py)
"""

from bench.drivers.elster.driver import Elster, capabilities_of
from protocols.elster.configuration import configurable_models, layout
from protocols.elster.tables import identities

__all__ = ["Elster", "capabilities_of", "hidden_identities", "unproven_identities"]


def hidden_identities(model: str) -> frozenset[int]:
    """The identities of a model that hold a password: what is written to them is kept out of every trace."""
    if model not in configurable_models():
        return frozenset()
    return frozenset(item.number for name, item in layout(model).items.items() if name.startswith("password"))


def unproven_identities(model: str) -> frozenset[int]:
    """The identities of a model whose numbers no public document gives: a real meter could mean anything by them.

    The user name is left out: it names who programs before every write, under the number that its sister models have.
    """
    known = [row for row in identities(model).values() if row.name != "user"]
    items = layout(model).items.values() if model in configurable_models() else ()
    return frozenset(row.number for row in (*known, *items) if row.confidence == "A")
