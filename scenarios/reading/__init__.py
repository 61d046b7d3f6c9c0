"""What a meter shows: identity, values that must agree with one another, and reads that must be whole."""
