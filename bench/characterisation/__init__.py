"""Characterisation: what only a real meter can answer, asked of one and kept as a profile.

Each module asks the questions of one subject. A question is a function from a meter to a :class:`Finding`: a value of
the profile with how it was found and how sure that is, or the reason why it could not be determined here. ::

    finding      what a question comes to, and the findings of one meter
    bracket      an instant or a duration between two bounds, and how to narrow it
    timing       how long a command takes
    interface    the command interface: pointers, 8000
    loading      what 6209 does with fractions, signs, the end of the range
    memory       resets and power cuts
    reading      block reads: atomic, how long, over gaps
    identity     who answers, and to which function codes
    drift        the clock
    keeping      energies saved before and put back afterwards
    session      what a run keeps of it
    profile_file the file that a station file can take
"""
