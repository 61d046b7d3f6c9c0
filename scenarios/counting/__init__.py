"""How energies are counted: on the right side, Wh by Wh, across carries, at the end, and across power cuts."""
