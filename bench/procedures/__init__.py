"""Procedures: sequences with judgement. They say what is to be true; which registers that takes, the drivers know."""
