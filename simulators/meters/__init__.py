"""Meters, one folder a family: tables in `fixtures/`, and here the behaviour that a table cannot say."""
