"""Events without meaning, and names that no other test uses: contracts are about bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

from application.event_filter import EventFilter
from application.messages import Context, NewEvent, RecordedEvent
from application.ports import NO_STREAM, EventStore
from tests.waiting import PATIENCE


def name(beginning: str = "stream") -> str:
    """A stream, a type or a group of the test's own."""
    return f"{beginning}-{uuid4().hex}"


def only(type: str, category: str = "stream") -> EventFilter:
    """That type in one category, which is that of streams called ``name()``."""
    return EventFilter.of(category, type)


def event(type: str = "Noted", data: bytes = b'{"note":1}') -> NewEvent:
    now = datetime.now(UTC)
    return NewEvent(uuid4(), type, data, Context.start("a test", uuid4(), now).metadata(1))


def foreign(category: str, type: str) -> list[tuple[str, str]]:
    """Streams and types that are nearly, and not, that type in that category."""
    return [
        (name("webshop"), type),
        (name(category), f"{type}Too"),
        (name(f"{category}s"), type),
        (name(f"{category}_x"), type),
        (name(category[:-1]), type),
        (f"{category}{uuid4().hex}", type),  # a stream without a category, where a store takes it
    ]


async def put_foreign(store: EventStore, category: str, type: str) -> list[tuple[str, str]]:
    """An event in each of those that the store accepts; these."""
    accepted = []
    for stream, other in foreign(category, type):
        with suppress(ValueError):
            await store.append(stream, [event(other)], NO_STREAM)
            accepted.append((stream, other))
    return accepted


def events(count: int, type: str = "Noted") -> list[NewEvent]:
    return [event(type, b'{"note":%d}' % number) for number in range(count)]


async def all_of(recorded: AsyncIterator[RecordedEvent]) -> list[RecordedEvent]:
    return [one async for one in recorded]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again, for what nobody announces."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110 - there is nothing that would tell
            await asyncio.sleep(0.02)
