"""The station: everything on one bench, as its file describes it."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, PrivateAttr, field_validator

from bench.drivers.capabilities import Capability
from bench.errors import UsageError
from bench.redaction import redacted
from bench.station.devices import Device
from bench.station.entry import Entry
from bench.station.kinds import Id, Text, one_of
from bench.station.links import Link
from bench.station.mistakes import Keys, Mistake, suggestion
from bench.station.source import Source


class Policy(Entry):
    """When a run counts as green."""

    on_nothing_verified: Annotated[str, one_of(("fail", "warn"), "a policy")] = "fail"
    required: tuple[Annotated[str, one_of(tuple(map(str, Capability)), "a capability")], ...] = Field(
        default=(), description="capabilities that must be verified", strict=False
    )


class Station(Entry):
    """A station file that has been read and found right.

    Durations are integer nanoseconds, powers integer milliwatts, energies Wh, varh and VAh.
    """

    version: Annotated[int, one_of((1,), "a schema of this release")] = Field(alias="schema")
    name: Text
    location: dict[Id, Text] = Field(default={}, description="site, bench: whatever helps to find it")
    links: dict[Id, Annotated[Link, Field(discriminator="type")]] = Field(min_length=1)
    devices: dict[Id, Device] = Field(min_length=1)
    policy: Policy = Policy()

    _source: Source = PrivateAttr(Source("", None, {}))
    _builtin: bool = PrivateAttr(default=False)
    #: Devices of the file that were not selected; on a real line they are there all the same.
    _left_out: tuple[Device, ...] = PrivateAttr(())

    @field_validator("links", "devices")
    @classmethod
    def _know_their_names(cls, entries: dict[str, Any]) -> dict[str, Any]:
        return {key: entry.named(key) for key, entry in entries.items()}

    @property
    def builtin(self) -> bool:
        """Whether this is the station that comes with meterbench, where everything is sacrificial."""
        return self._builtin

    @property
    def file(self) -> str:
        """The file that the station was read from."""
        return self._source.file

    def beside(self, name: str) -> Path:
        """The file of that name, which the station file gives relative to itself."""
        return Path(self.file).parent / name

    def read_from(self, source: Source, *, builtin: bool) -> Self:
        """This station, knowing where it was read from."""
        self._source = source
        self._builtin = builtin
        return self

    def leaving_out(self, devices: Iterable[Device]) -> Self:
        """This station, knowing which devices of its file were not selected."""
        self._left_out = (*self._left_out, *devices)
        return self

    def line(self, *keys: str | int) -> int:
        """The line of an entry, as in `line("devices", "new")`, or of what is around it if it is not in the file."""
        return self._source.line(keys)

    def mistake(self, keys: Keys, reason: str) -> Mistake:
        """What is wrong with the entry at `keys`, on its line."""
        return Mistake(keys, reason, self.line(*keys))

    def device(self, device_id: str) -> Device:
        """The device called `device_id`.

        Raises:
            UsageError: There is none; says which there are.
        """
        if device_id not in self.devices:
            hint = suggestion(device_id, self.devices)
            raise UsageError(f'station {self.name} has no device "{device_id}"{hint} it has: {", ".join(self.devices)}')
        return self.devices[device_id]

    def on_link(self, link: str) -> list[Device]:
        """Every device of the file on a link: those that were not selected hear what is said there, and may answer."""
        return [device for device in (*self.devices.values(), *self._left_out) if device.link == link]

    def link_of(self, device: Device) -> Link:
        """The link on which `device` is reached."""
        return self.links[device.link]

    def select(self, device_ids: Collection[str]) -> Self:
        """The same station with these devices only, and without the links that then lead nowhere; all if none is named.

        Raises:
            UsageError: There is no such device.
        """
        if not device_ids:
            return self
        chosen = {self.device(device_id).id for device_id in device_ids}
        devices = {key: device for key, device in self.devices.items() if key in chosen}
        used = {device.link for device in devices.values()}
        links = {key: link for key, link in self.links.items() if key in used}
        others = [device for key, device in self.devices.items() if key not in chosen]
        return self.model_copy(update={"devices": devices, "links": links}).leaving_out(others)

    def resolved(self) -> dict[str, Any]:
        """The station with every default filled in, ready for JSON; credentials and passwords are cut out."""
        resolved: dict[str, Any] = redacted(self.model_dump(mode="json", by_alias=True, exclude_none=True))
        return resolved
