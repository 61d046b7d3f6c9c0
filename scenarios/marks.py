"""The marks of scenarios, under the names in which they read."""

import pytest

destructive = pytest.mark.destructive
needs = pytest.mark.needs
catches = pytest.mark.catches
hardware = pytest.mark.hardware
