"""What only a real meter can answer, asked of one meter and written into a profile file."""
