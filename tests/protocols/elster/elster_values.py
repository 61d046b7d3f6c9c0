"""Values that the tests of the Elster codecs draw from."""

# ruff: noqa: DTZ001  # meters keep local time without a zone

from datetime import datetime

from hypothesis import strategies as st

MODELS = ("A1120", "A1140", "A1700")
ENERGIES = st.integers(0, 10**16 - 1)
#: Source numbers of records that are not empty.
NUMBERS = st.integers(0, 254)
#: What four bytes of seconds carry, less the two marks of an empty time stamp.
TIMES = st.datetimes(datetime(1970, 1, 1, 0, 0, 1), datetime(2106, 2, 7, 6, 28, 14)).map(
    lambda moment: moment.replace(microsecond=0)
)
ANY_TIME = st.none() | TIMES
