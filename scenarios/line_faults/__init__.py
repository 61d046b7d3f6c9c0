"""What the bench makes of a disturbed line: each line fault is put on a simulated link, never on a real one."""
