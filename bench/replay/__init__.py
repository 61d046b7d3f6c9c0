"""What is done with a recorded wire: show it, play it back, compare it, and hold it against the simulator.

`exchanges` turns events into requests with their answers, `player` answers from them, `find` tells which trace is a
device's, `rerun` runs the scenarios of an earlier run on its traces, `difference` compares two traces, `mirror` feeds
the requests to a simulated meter, and `generate` writes a test.
"""
