"""Whether the event store accepts appends now: an address that only answers reads is not ready.

The last append shows it. After a failed one, and before the first one of a process, a small event
is appended to find out: a full disk, or a read-only database, does not show otherwise. The event
is in no category of the service, so no reader gets it.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from application.messages import Context, NewEvent, RecordedEvent
from application.ports import (
    NO_STREAM,
    Appended,
    EventStore,
    StoreUnavailable,
    StreamUnusable,
    WrongExpectedVersion,
)

_TYPE: Final = "WriteProbed"
_SCHEMA_VERSION: Final = 1
_TRIES: Final = 50  # more than a machine's concurrent probes: one succeeds each time


def _now() -> datetime:
    return datetime.now(UTC)


class Writability:
    """An event store that remembers whether its last append succeeded."""

    def __init__(
        self, store: EventStore, holder: str, clock: Callable[[], datetime] = _now
    ) -> None:
        """``holder`` names the stream of the probes: one for each machine."""
        self._store, self._stream, self._clock = store, f"probe-{holder}", clock
        self._accepting = False  # until an append shows it

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        """As the port."""
        try:
            appended = await self._store.append(stream, events, expected_version)
        except StoreUnavailable:
            self._accepting = False
            raise
        self._accepting = True
        return appended

    def read(
        self,
        stream: str,
        *,
        from_version: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        """As the port."""
        return self._store.read(stream, from_version=from_version, backwards=backwards, limit=limit)

    async def check(self) -> None:
        """Return if appends are accepted. Raises :class:`StoreUnavailable` with the reason."""
        if not self._accepting:
            await self.probe()

    async def probe(self) -> Appended:
        """Append a probe. Raises :class:`StoreUnavailable`.

        After its stream was deleted, it uses another one.
        """
        try:
            return await self._probe(await self._last_version())
        except StreamUnusable:
            self._stream = f"{self._stream.split('/')[0]}/{uuid4()}"
            return await self._probe(NO_STREAM)

    async def _last_version(self) -> int:
        async for recorded in self._store.read(self._stream, backwards=True, limit=1):
            return recorded.version
        return NO_STREAM

    async def _probe(self, version: int) -> Appended:
        context = Context.start("readiness", uuid4(), self._clock())
        probe = NewEvent(uuid4(), _TYPE, b"{}", context.metadata(_SCHEMA_VERSION))
        for _ in range(_TRIES):
            try:
                return await self.append(self._stream, [probe], version)
            except WrongExpectedVersion as error:  # another process probed too: go on from there
                version = error.actual
        raise StoreUnavailable(f"others keep appending to {self._stream}")
