"""What people read of a run. Every report is a pure function of the run folder: built twice, it is the same twice."""
