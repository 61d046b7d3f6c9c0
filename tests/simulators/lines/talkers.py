"""Devices for the tests of lines: they speak when spoken to, and change their speed when told to."""

from collections.abc import Callable

from protocols.conversation import Reply
from simulators.world import MILLISECOND

REACTION = 200 * MILLISECOND
#: Two that answer each other would go on for ever.
OFTEN = 20


class Talker:
    """Notes what it hears; answers by a table of what the end of what it heard says.

    Args:
        answers: what to say (None: nothing) and what line to take, by the end of what was heard.
        patience: how long (ns) it waits for more before it says "timeout" and goes back to the start.
    """

    def __init__(
        self,
        answers: dict[bytes, tuple[bytes, tuple[int, str] | None]] | None = None,
        *,
        line: tuple[int, str] = (300, "7E1"),
        patience: int | None = None,
        reaction: int = REACTION,
    ) -> None:
        self.line = self._start = line
        self.heard: list[tuple[int, bytes]] = []
        self.lost: list[int] = []
        self.woken: list[int] = []
        self._answers = answers or {}
        self._patience = patience
        self._reaction = reaction
        self._deadline: int | None = None

    @property
    def said_to_it(self) -> bytes:
        return b"".join(data for _, data in self.heard)

    def receive(self, data: bytes, now: int) -> list[Reply]:
        self.heard.append((now, data))
        if self._patience is not None:
            self._deadline = now + self._patience
        for end, (answer, line) in self._answers.items():
            if self.said_to_it.endswith(end):
                self.line = line or self.line
                return [Reply(answer, self._reaction)] if answer else []
        return []

    def deadline(self) -> int | None:
        return self._deadline

    def wake(self, now: int) -> list[Reply]:
        self.woken.append(now)
        self._deadline, self.line = None, self._start
        return [Reply(b"timeout")] if len(self.woken) <= OFTEN else []

    def lose(self, now: int) -> None:
        self.lost.append(now)
        self._deadline, self.line = None, self._start


class Repeater(Talker):
    """Says back what it hears, through a function."""

    def __init__(self, says: Callable[[bytes], bytes] = bytes, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self._says = says

    def receive(self, data: bytes, now: int) -> list[Reply]:
        super().receive(data, now)
        return [Reply(self._says(data), self._reaction)] if len(self.heard) <= OFTEN else []
