"""A meter list as it is understood, whatever file it came from."""

from typing import Annotated, Self

from pydantic import Field, PrivateAttr

from bench.scheme.model import PasswordEntry
from bench.station.entry import Entry
from bench.station.kinds import Id, Kind, Text, one_of, wrong
from bench.station.mistakes import Keys, Mistake, shown
from bench.station.source import Source
from protocols.elster.configuration import configurable_models

#: How a meter is reached.
OPTICAL = "optical"
MEDIA = (OPTICAL, "rs232", "rs485", "modem", "gsm", "pad", "tcp")
_LONGEST_ADDRESS = 32
_LONGEST_NAME = 100


def _outstation(value: object) -> str:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    plain = text.isascii() and text.replace(" ", "").isalnum()
    if not plain or len(text) > _LONGEST_ADDRESS:
        raise wrong(f"{shown(value)} is no outstation: up to {_LONGEST_ADDRESS} letters, digits and blanks")
    return text


def _list_name(value: object) -> str:
    """A text that can be the name of a file on any system: a list gives its name to what is brought back."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text.strip() or len(text) > _LONGEST_NAME or not text.isprintable() or set(text) & set('/\\:*?"<>|'):
        raise wrong(f"{shown(value)} is no name of a list: up to {_LONGEST_NAME} characters that a file name may have")
    if text[0] in ". " or text[-1] in ". ":
        raise wrong(f"{shown(value)} begins or ends with a dot or a blank; it is to be the name of a file")
    return text


#: Device address of the request message (IEC 62056-21 5.3.1 and 6.3.2): letters, digits, blank.
Outstation = Annotated[str, Kind(_outstation, {"type": ["string", "integer"], "maxLength": _LONGEST_ADDRESS})]


class MeterEntry(Entry):
    """One meter of a list."""

    name: Id
    model: Annotated[str, one_of(configurable_models(), "a known model")]
    link: Id = Field(description="a link of the station")
    medium: Annotated[str, one_of(MEDIA, "a medium")] = OPTICAL
    route: Text | None = Field(default=None, description="round or street: whatever groups meters")
    outstation: Outstation | None = None
    serial: Text | None = None
    password: PasswordEntry | None = None
    scheme: Text | None = Field(default=None, description="scheme file, relative to the list")
    program: bool = Field(default=False, description="whether a visit programs the scheme, where it is allowed to")


class MeterList(Entry):
    """A meter list that has been read and found right."""

    schema_version: Annotated[int, one_of((1,), "a list format of this release")] = Field(alias="list")
    name: Annotated[str, Kind(_list_name, {"type": ["string", "integer"], "maxLength": _LONGEST_NAME})]
    meters: tuple[MeterEntry, ...] = Field(min_length=1, strict=False)

    _source: Source = PrivateAttr(Source("", None, {}))

    @property
    def file(self) -> str:
        """The file that it was read from."""
        return self._source.file

    def read_from(self, source: Source) -> Self:
        """This list, knowing where it was read from."""
        self._source = source
        return self

    def line(self, *keys: str | int) -> int:
        """The line of an entry, or of what is around it."""
        return self._source.line(keys)

    def mistake(self, keys: Keys, reason: str) -> Mistake:
        """What is wrong with the entry at `keys`, on its line."""
        return Mistake(keys, reason, self.line(*keys))
