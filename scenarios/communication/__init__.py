"""FLAG: sign-on, addresses, speeds, readout, blocks, check characters, times, data stream."""
