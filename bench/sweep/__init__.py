"""Power cuts everywhere: the meter loses its supply, or the bench its process, at every moment of a procedure.

An undisturbed run tells the moments: each byte on the wire, each internal step of the meter, each touch of the bench on
the world outside. Then the same world runs again for each of them, is cut there, gets its power back, and is asked what
must be true of it. Everything in virtual time, on simulated meters; equal seeds cut at equal nanoseconds.

::

    plan        what is swept: procedure, victim, device, save delay
    jobs        the procedures, and what each changes in a meter
    stand       the world of one cut: a bench that can be killed, a meter that can be cut off, a fresh bench afterwards
    tap         what went over the wire
    moments     where to cut
    snapshot    what a meter keeps, exactly, and what it ought to be later
    invariants  what must be true afterwards
    point       one cut, from beginning to end
    campaign    all of them, over the processors of this machine
    kinds       the kinds of sweeps: procedures of a PowerLogic meter, and schemes of an Elster one
    telling     the table, and the object that --json prints

Programming a scheme has the same parts of its own, and shares the bench that can be killed and the tap::

    scheme_plan, scheme_stand, scheme_moments, scheme_truth, scheme_invariants, scheme_point
"""
