"""IEC 62056-21 (FLAG), both sides, and what Elster's meters add to it.

::

    frames    messages and the block check character      login     the password exchange of A1140 and A1700
    client    the asking side, as conversations           stream    their data stream with its CRC-16
    server    the answering side, a state machine         readout   data sets of a readout
    visit     what a meter makes of commands              checker   names every breach of the standard on a line
    device    what a server asks of the meter             habits    frame-level decisions of a firmware
"""
