"""What a meter does with the supply: energies, demand, extremes, a clock, a memory. Nothing here ticks.

Values are settled when somebody looks or when the feeder changes; in between the operating point is constant, so every
quantity has a closed form.
"""
