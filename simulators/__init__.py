"""What stands opposite the bench: a world of lines, supplies, meters and their firmware, in virtual or in real time."""
