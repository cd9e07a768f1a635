"""The contract of ``Copies``, on every adapter."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

import pytest

from application.personal.texts import Texts
from application.ports import Copies, StoreUnavailable
from infrastructure import (
    kafka,  # only: kafka
    memory,
)
from infrastructure.temporal import copies as temporal  # only: temporal
from tests.kafka_topics import create, putting, settings  # only: kafka
from tests.waiting import until_true

TEXTS = ("for the operation", "in März", "the 42nd")


@dataclass
class Case:
    """An adapter, over a place of this test's own."""

    copies: Copies
    put: Callable[[str], Awaitable[object]]
    """Lets the system keep a text."""
    away: Copies
    """The same, over a server that does not answer."""

    async def found(self) -> dict[str, str]:
        """The texts that it shows, by where each is."""
        wanted = Texts(TEXTS)
        shown = [(one.where, wanted.in_bytes(*one.parts)) async for one in self.copies.kept()]
        return {where: text for where, text in shown if text}


@asynccontextmanager
async def _in_memory() -> AsyncIterator[Case]:
    kept = dict[str, list[bytes]]()

    async def put(text: str) -> None:
        kept[f"copy {len(kept)}"] = [text.encode()]

    yield Case(memory.Copies(kept), put, memory.Copies({}, "it is away"))


# only: kafka
@asynccontextmanager
async def _in_kafka(address: str) -> AsyncIterator[Case]:
    prefix, topic = f"{uuid4()}.", "bank.transfer"
    create(address, f"{prefix}bank-forwarder", partitions=1)
    async with putting(address, f"{prefix}{topic}") as record:
        yield Case(
            kafka.Copies(settings(address), "bank", [topic], prefix),
            lambda text: record(f"{prefix}{topic}", None, text.encode(), ()),
            kafka.Copies(settings("127.0.0.1:1"), "bank", [topic], prefix),
        )


# end: kafka
# only: temporal
@asynccontextmanager
async def _in_temporal(address: str) -> AsyncIterator[Case]:
    from temporalio.client import Client

    client, queue = await Client.connect(address), f"test {uuid4()}"

    async def connected() -> Client:
        return client

    async def away() -> Client:
        raise StoreUnavailable("it is away")

    yield Case(
        temporal.Copies(connected, queue),
        lambda text: client.start_workflow("any", text, id=f"{uuid4()}", task_queue=queue),
        temporal.Copies(away, queue),
    )


# end: temporal
@pytest.fixture(
    params=[
        "memory",
        "kafka (real)",  # only: kafka
        "temporal (real)",  # only: temporal
    ]
)
async def case(request: pytest.FixtureRequest) -> AsyncIterator[Case]:
    made: Callable[[], AbstractAsyncContextManager[Case]] = _in_memory
    if request.param.startswith("kafka"):  # only: kafka
        made = partial(_in_kafka, request.getfixturevalue("kafka"))  # only: kafka
    if request.param.startswith("temporal"):  # only: temporal
        made = partial(_in_temporal, request.getfixturevalue("temporal"))  # only: temporal
    async with made() as case:
        yield case


async def test_all_that_is_kept_is_shown(case: Case) -> None:
    """Each text, however many, at a place of its own; where nothing is kept, there is an end."""
    assert await case.found() == {}
    for text in TEXTS:
        await case.put(text)

    async def all_shown() -> bool:
        return sorted((await case.found()).values()) == sorted(TEXTS)

    await until_true(all_shown)


async def test_a_server_that_is_away_is_an_error(case: Case) -> None:
    """Never a system that keeps nothing."""
    with pytest.raises(StoreUnavailable):
        [one async for one in case.away.kept()]


async def test_what_cannot_be_shown_is_said(case: Case) -> None:
    """In words that a line can end with, also while nothing is kept."""
    assert all(words and not words.endswith(".") for words in await case.copies.beyond())
