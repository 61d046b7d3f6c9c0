"""What every entry of a station file is: strict, and frozen once it is read."""

from typing import Self

from pydantic import BaseModel, ConfigDict, PrivateAttr


class Entry(BaseModel):
    """A mapping in the station file: frozen, and a key that it does not know is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class NamedEntry(Entry):
    """An entry that others refer to by its key in the mapping around it."""

    _id: str = PrivateAttr("")

    @property
    def id(self) -> str:
        """The key under which the entry stands in the station file."""
        return self._id

    def named(self, key: str) -> Self:
        """This entry, knowing that it stands under `key`."""
        self._id = key
        return self
