"""The marks of scenarios, for sessions that run without the plugin: these tests import the scenarios themselves."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Register what the plugin registers."""
    for marker in ("destructive(reason)", "needs(*capabilities)", "catches(*ids)"):
        config.addinivalue_line("markers", marker)
