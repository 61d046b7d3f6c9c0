"""PowerLogic over Modbus: what the registers of Circuit Monitors and Power Meters mean, for both sides of the line.

The wire format only: energies in base 10,000, sign-magnitude power factor, the two date formats, the register and
command tables. Behaviour of a meter lives in `simulators.meters.powerlogic`, judgement in `bench.procedures`.
"""
