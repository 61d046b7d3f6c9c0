"""The commands of `meterbench`, one module each; `bench.cli` imports them when they are called."""
