"""How bytes travel: character times, silences, several stations on one pair of wires, delay.

No event per byte: a burst knows when its k-th byte arrives. ::

    SerialLine     RS-485 or RS-232: speed, framing, turnaround, collisions (serial_line.py)
    CharacterLine  the same for devices that hear characters and change their speed (character_line.py)
    Network        a connection with a delay in each direction (network.py)
    Modem, Pad     calls to a line with meters; their `terminal` is the line of a computer's port (modem.py, pad.py)
"""
