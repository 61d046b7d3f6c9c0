"""`python -m bench` is `meterbench`."""

from bench.cli import main

main()
