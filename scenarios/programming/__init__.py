"""Changing a meter on purpose: clock, demand, ratios, resets; and changing nothing when told so."""
