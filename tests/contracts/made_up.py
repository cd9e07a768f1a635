"""Events without meaning, and names that no other test uses: contracts are about bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import uuid4

from application.messages import Context, NewEvent, RecordedEvent
from tests.waiting import PATIENCE


def name(beginning: str = "stream") -> str:
    """A stream, a type or a group of the test's own."""
    return f"{beginning}-{uuid4().hex}"


def event(type: str = "Noted", data: bytes = b'{"note":1}') -> NewEvent:
    now = datetime.now(UTC)
    return NewEvent(uuid4(), type, data, Context.start("a test", uuid4(), now).metadata(1))


def events(count: int, type: str = "Noted") -> list[NewEvent]:
    return [event(type, b'{"note":%d}' % number) for number in range(count)]


async def all_of(recorded: AsyncIterator[RecordedEvent]) -> list[RecordedEvent]:
    return [one async for one in recorded]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again, for what nobody announces."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110 - there is nothing that would tell
            await asyncio.sleep(0.02)
