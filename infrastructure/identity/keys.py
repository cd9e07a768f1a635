"""Callers by API keys, which are streams of the event store."""

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from application.access import Caller, IdentityUnavailable
from application.api_keys import API_KEYS, PREFIX, Key, KeyText
from application.messages import UnreadableEvent
from application.ports import EventStore, StoreUnavailable, StreamDeleted, StreamUnusable
from infrastructure.identity.callers import NotProven

FRESH: Final = 10.0  # seconds for which a key is not read again: so late is a revocation noticed
_MOST: Final = 1000  # keys that are remembered


class ApiKeys:
    """Reads a key when it is used, and remembers it for ``FRESH`` seconds."""

    def __init__(
        self, events: Callable[[], EventStore], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._events, self._clock = events, clock
        self._read: OrderedDict[str, tuple[float, Key]] = OrderedDict()

    def takes(self, credentials: str) -> bool:
        return credentials.startswith(PREFIX)

    async def caller(self, credentials: str) -> Caller:
        text = KeyText.read(credentials)
        key = await self._key(text.id) if text else Key()
        if text is None or key.issued is None or not key.is_proved_by(text.secret):
            raise NotProven("the key is none that this service has issued")
        if key.revoked is not None:
            raise NotProven(f"the key {text.id} has been revoked")
        if key.has_expired(datetime.now(UTC)):
            raise NotProven(f"the key {text.id} has expired")
        return Caller(f"key {key.issued.name} ({text.id})", frozenset(key.issued.roles), text.id)

    async def _key(self, id: str) -> Key:
        read_at, key = self._read.get(id, (None, Key()))
        if read_at is None or self._clock() - read_at > FRESH:
            key = await self._stored(id)
            self._read[id] = (self._clock(), key)
            self._read.move_to_end(id)
            while len(self._read) > _MOST:
                self._read.popitem(last=False)
        return key

    async def _stored(self, id: str) -> Key:
        try:
            history = [one.event async for one in self._events().read(API_KEYS.stream(id))]
        except (StoreUnavailable, UnreadableEvent) as error:
            raise IdentityUnavailable(f"the key {id} cannot be read: {error}") from error
        except (StreamDeleted, StreamUnusable):
            return Key()
        found: Key = API_KEYS.decider.fold(history)
        return found
