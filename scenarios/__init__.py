"""What is tested: scenarios that know no clock, no port and no host."""
