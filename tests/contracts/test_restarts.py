"""The contract of ``ConsumerGroups`` when the server ends.

Each store is a server of the test's own, over a directory; memory has none that could end.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path  # only: embedded and (eventstoredb or postgres_events)
from typing import Literal
from uuid import UUID

import pytest

from application.event_filter import EventFilter
from application.messages import NewEvent
from application.ports import NO_STREAM
from tests import restarted  # only: embedded and (eventstoredb or postgres_events)
from tests.contracts.dynamodb_events import on_dynamodb  # only: dynamodb_events
from tests.contracts.eventstoredb import on_eventstoredb  # only: eventstoredb and embedded
from tests.contracts.made_up import events, name, only, put_foreign
from tests.contracts.postgres import on_postgres  # only: postgres_events and embedded
from tests.contracts.stores import Stores, stores_in_memory
from tests.waiting import PATIENCE

How = Literal["stopped", "killed"]


@dataclass(frozen=True)
class Lasting:
    """A store whose server can end and come back: each time it is opened anew."""

    opened: Callable[[], AbstractAsyncContextManager[Stores]]
    ends: Callable[[How], Awaitable[None]]


@pytest.fixture(
    params=[
        "memory",
        "eventstoredb-embedded (double)",  # only: eventstoredb and embedded
        "postgres (real)",  # only: postgres_events and embedded
        "dynamodb (double)",  # only: dynamodb_events
    ]
)
async def lasting(
    request: pytest.FixtureRequest,
    tmp_path: Path,  # only: embedded and (eventstoredb or postgres_events)
) -> AsyncIterator[Lasting]:
    match request.param:
        case "memory":
            stores = stores_in_memory()
            yield Lasting(lambda: nullcontext(stores), _nothing_ends)
        # only: dynamodb_events
        case "dynamodb (double)":  # whose server forgets everything: only its clients end
            tables = request.getfixturevalue("dynamodb_with_events")
            yield Lasting(lambda: on_dynamodb(*tables), _nothing_ends)
        # end: dynamodb_events
        # only: postgres_events and embedded
        case "postgres (real)":
            async with restarted.postgres(tmp_path) as server:
                yield Lasting(lambda: on_postgres(server.uri), server.ends)
        # end: postgres_events and embedded
        # only: eventstoredb and embedded
        case "eventstoredb-embedded (double)":
            async with restarted.node(tmp_path) as server:
                yield Lasting(lambda: on_eventstoredb(server.uri), server.ends)
        # end: eventstoredb and embedded


async def _nothing_ends(_: How) -> None:
    """There is no server."""


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_what_arrives_while_nobody_consumes_outlives_the_server(
    lasting: Lasting, how: How
) -> None:
    """Events are appended while no consumer is connected, and the server restarts. The next
    consumer of each group gets all events that were not acknowledged."""
    new, known = name("group"), name("group")
    type, category = name("Noted"), name("notes").replace("-", "")
    wanted, done, missed = only(type, category), events(3, type), events(10, type)
    async with lasting.opened() as stores:
        for group in (new, known):
            await stores.groups.ensure(group, only=wanted)
        await stores.events.append(f"{category}-0", done, NO_STREAM)
        await _handed_out(stores, known, wanted, done)
        await stores.events.append(f"{category}-1", missed, NO_STREAM)
        await _pass_by(stores, category, type)

    await lasting.ends(how)

    async with lasting.opened() as stores:
        assert await _handed_out(stores, new, wanted, missed) <= {e.id for e in done}
        assert await _handed_out(stores, known, wanted, missed) <= {e.id for e in done}


async def _handed_out(
    stores: Stores, group: str, wanted: EventFilter, expected: Sequence[NewEvent]
) -> set[UUID]:
    """Acknowledge what comes until all of these have come; what else came."""
    ids, came = {event.id for event in expected}, set[UUID]()
    async with (
        stores.groups.consume(group, only=wanted) as deliveries,
        asyncio.timeout(PATIENCE),
    ):
        while not came >= ids:
            delivery = await anext(deliveries)
            came.add(delivery.recorded.id)
            await delivery.ack()
    return came - ids


async def _pass_by(stores: Stores, category: str, type: str) -> None:
    """Other events, for longer than it takes a server to write down how far a group has come."""
    end = asyncio.get_running_loop().time() + 1.5
    while asyncio.get_running_loop().time() < end:
        await put_foreign(stores.events, category, type)
        await stores.events.append(name(), events(5), NO_STREAM)
        await asyncio.sleep(0.1)
