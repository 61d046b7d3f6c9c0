"""How it is tested: stations, links, drivers, procedures, measurements, evidence, reports."""
