"""The scheme file: what a person writes, as it is understood. Every section may be left out; it is then not touched."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, PrivateAttr, model_validator

from bench.scheme.kinds import (
    Date,
    Day,
    DayOfYear,
    DisplayCode,
    Hour,
    Level,
    LockOut,
    Milliseconds,
    Minutes,
    Month,
    Rates,
    Reference,
    SchemeId,
    TimeOfDay,
    Weekday,
    WeekKey,
)
from bench.station.entry import Entry
from bench.station.kinds import Flag, Id, Kind, Text, one_of, whole, wrong
from bench.station.mistakes import Keys, Mistake, shown
from bench.station.source import Source
from protocols.elster.configuration import configurable_models
from protocols.elster.configuration_display import SECONDS, STYLES
from protocols.elster.tables import Source as Quantity

#: Stands in 795 while a scheme is being programmed: whoever finds it knows that the meter holds a mixture.
UNFINISHED = "*PARTIAL"
#: How a scheme without an id is called.
NAMELESS = "(none)"
WEEKS: dict[str | int, int] = {1: 1, 2: 2, 3: 3, 4: 4, "last": 5}
#: `none`: the register counts nothing.
_QUANTITIES = tuple(source.value for source in Quantity)


def _hundredths(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value <= 0:
        raise wrong(f"{shown(value)} is not a number above 0")
    if Decimal(value) * 100 % 1:
        raise wrong(f"{value} is finer than 0.01")
    return Decimal(value)


Rated = Annotated[Decimal, Kind(_hundredths, {"type": "number", "exclusiveMinimum": 0}, float)]
QuantityName = Annotated[str, one_of(_QUANTITIES, "a quantity")]


class SeasonEntry(Entry):
    """From the first to the last day, both included; over the turn of the year if the last comes first."""

    first: DayOfYear = Field(alias="from")
    last: DayOfYear = Field(alias="to")
    week: dict[WeekKey, Id] = Field(description="day types by weekday, or by weekdays, weekend, every_day")


class SpecialDayEntry(Entry):
    """A day of every year or of one, of a day type whatever its weekday."""

    date: Day
    day_type: Id


class TariffEntry(Entry):
    """Which rates count when."""

    seasons: dict[Id, SeasonEntry] = Field(min_length=1)
    day_types: dict[Id, dict[TimeOfDay, Rates]] = Field(
        min_length=1, description="by time of day the rate, or rates, from then on"
    )
    special_days: tuple[SpecialDayEntry, ...] = Field(default=(), strict=False)


class SourcesEntry(Entry):
    """What the rate registers and the maximum demand registers count, in order."""

    tou: tuple[QuantityName, ...] = Field(strict=False)
    demand: tuple[QuantityName, ...] = Field(default=(), strict=False)


class DemandEntry(Entry):
    """The demand period; it slides if it has shorter sub-intervals."""

    period: Minutes
    sub_interval: Minutes | None = None


class ProfileEntry(Entry):
    """The load profile."""

    channels: tuple[QuantityName, ...] = Field(strict=False)
    period: Minutes


class RatioEntry(Entry):
    """Primary and secondary, in amperes or volts."""

    primary: Rated
    secondary: Rated


class TransformersEntry(Entry):
    """CT ratio, and VT ratio where the model has one."""

    ct: RatioEntry
    vt: RatioEntry | None = None


class PulseOutputEntry(Entry):
    """One pulse output: pulses for each kWh, kvarh or kVAh."""

    source: QuantityName
    constant: Annotated[int, whole(1, 4_294_967_295)]
    width: Milliseconds = 80


class DisplayEntry(Entry):
    """What is shown by itself, and what the button steps through."""

    style: Annotated[str, one_of(STYLES, "a style of descriptors")] = "obis"
    seconds: Annotated[int, whole(SECONDS[0], SECONDS[-1])] = 10
    automatic: tuple[DisplayCode, ...] = Field(strict=False)
    button: tuple[DisplayCode, ...] = Field(default=(), strict=False)


class BillingDateEntry(Entry):
    """The end of a billing period: in one month, or in every one."""

    day: Annotated[int, whole(1, 31)]
    month: Month | None = None
    at: TimeOfDay = 0


class BillingEntry(Entry):
    """Billing dates, the lock-out after a manual reset, and whether the button resets."""

    dates: tuple[BillingDateEntry, ...] = Field(default=(), strict=False)
    lock_out: LockOut = 0
    button: Flag = True


class ChangeEntry(Entry):
    """When a clock is changed: every year by a rule, or on one date. The hour is that of the clock before it."""

    hour: Hour
    week: Annotated[int | str, one_of(tuple(WEEKS), "a week of the month")] | None = None
    weekday: Weekday | None = None
    month: Month | None = None
    date: Date | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        rule = [self.week is not None, self.weekday is not None, self.month is not None]
        if (self.date is None and not all(rule)) or (self.date is not None and any(rule)):
            raise wrong("needs either week, weekday and month, or date")
        return self


class DaylightSavingEntry(Entry):
    """By how many hours the clock is advanced, and when; a shift of 0 switches it off."""

    shift: Annotated[int, whole(0, 2)]
    advance: ChangeEntry | None = None
    retard: ChangeEntry | None = None

    @model_validator(mode="after")
    def _whole_or_off(self) -> Self:
        given = {self.advance is not None, self.retard is not None}
        if given != {self.shift > 0}:
            wanted = "needs advance and retard" if self.shift else "of shift 0 has neither advance nor retard"
            raise wrong(f"daylight saving {wanted}")
        return self


class ClockEntry(Entry):
    """Whether the clock is set when the scheme is programmed, and when it is changed by itself."""

    set: Flag = False
    daylight_saving: DaylightSavingEntry | None = None


class PasswordEntry(Entry):
    """Where a password is found. It never stands in the file."""

    env: Reference


class Scheme(Entry):
    """A scheme file that has been read and found right."""

    schema_version: Annotated[int, one_of((1,), "a scheme format of this release")] = Field(alias="scheme")
    id: SchemeId = Field(description="stands in the meter (795); empty in the export of a meter that was never named")
    version: Annotated[int, whole(0, 9_999)] = Field(description="of the content; 0 is an export of a meter")
    title: Text | None = None
    models: tuple[Annotated[str, one_of(configurable_models(), "a model that takes a scheme")], ...] = Field(
        min_length=1, strict=False
    )
    firmware: tuple[Text, ...] = Field(
        default=(), strict=False, description="firmware it is for, * for any rest; any if none is given"
    )
    transformers: TransformersEntry | None = None
    sources: SourcesEntry | None = None
    tariff: TariffEntry | None = None
    demand: DemandEntry | None = None
    profile: ProfileEntry | None = None
    billing: BillingEntry | None = None
    clock: ClockEntry | None = None
    display: DisplayEntry | None = None
    pulse_outputs: tuple[PulseOutputEntry, ...] | None = Field(default=None, strict=False)
    passwords: dict[Level, PasswordEntry] = Field(default={})

    _source: Source = PrivateAttr(Source("", None, {}))

    @property
    def file(self) -> str:
        """The file that it was read from."""
        return self._source.file

    def read_from(self, source: Source) -> Self:
        """This scheme, knowing where it was read from."""
        self._source = source
        return self

    @property
    def called(self) -> str:
        """Its id, as a person is told it."""
        return self.id or NAMELESS

    def without_passwords(self) -> Self:
        """The same scheme as a meter shows it: passwords are never read back."""
        return self.model_copy(update={"passwords": {}})

    def line(self, *keys: str | int) -> int:
        """The line of an entry, or of what is around it if it is not in the file."""
        return self._source.line(keys)

    def mistake(self, keys: Keys, reason: str) -> Mistake:
        """What is wrong with the entry at `keys`, on its line."""
        return Mistake(keys, reason, self.line(*keys))


def written_day(day: object) -> str:
    """A day of the year, or of one year, as it stands in a scheme."""
    if isinstance(day, date):
        return day.isoformat()
    return f"{day.month:02}-{day.day:02}" if hasattr(day, "month") and hasattr(day, "day") else str(day)
