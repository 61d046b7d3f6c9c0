"""Drivers: what a model can do, as small capabilities. Which registers that takes is known here and nowhere above."""
