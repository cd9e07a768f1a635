"""A person is forgotten in a whole service on PostgreSQL, and stays so after a restore."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg

from application.messages import Context
from application.operating.carrying_out import By
from application.operating.forgetting import ForgetSubject
from application.operating.operation import Outcome
from application.operating.trail import trail
from infrastructure.connecting import opened_to_serve
from infrastructure.container import Container, wired
from infrastructure.processes.service import projecting
from tests.application.snapped import NOON
from tests.sample.program import BANK
from tests.sample.transfers import RequestTransfer
from tests.stores import only_on, settings_of
from tests.waiting import until_true

SECRET: Final = "for the operation in März"
BY: Final = By("ada", "she has asked for it")


@asynccontextmanager
async def process(servers: Mapping[str, str], home: Path) -> AsyncIterator[Container]:
    """One that fills read models, and is the only one: nobody has a key for long."""
    container = wired(BANK, settings_of(servers, home=home))
    container.settled.override(0.0)
    container.tick.override(0.05)
    async with opened_to_serve(container), projecting(container):
        yield container


async def pay(container: Container, id: str, source: str, note: str) -> None:
    command = RequestTransfer(source=source, target="bob", amount=3, note=note)
    await container.dispatch()(id, command, Context.start("a test", uuid4(), NOON))


async def places(container: Container, subject: str = "ann") -> set[str]:
    """The kinds of places where something of the subject can be read."""
    found = container.traces().of(subject, [SECRET])
    return {one.place.split()[0] async for one in found}


async def shown(container: Container) -> bool:
    """Whether a view has the text."""
    return "view" in await places(container)


@only_on("postgres")  # it restores a table there
async def test_a_restored_backup_brings_nobody_back(
    servers: Mapping[str, str], tmp_path: Path
) -> None:
    """A person is forgotten everywhere. With the key table of before, the next start destroys the
    key again; the events and views of others are whole all the time."""
    async with process(servers, tmp_path) as container:
        await pay(container, "t-1", "ann", SECRET)
        await pay(container, "t-2", "eve", "rent")
        await until_true(lambda: shown(container))
        backup = copied_out(servers)

        done = await container.operating().carry_out(ForgetSubject("ann"), BY)

        assert "the key is destroyed; events masked: 1" in done.what
        assert await places(container) == set()
        assert "event" in await places(container, "eve")
        recorded = (await trail(container.event_browser(), container.event_store())).items[0]
        assert (recorded.begun.target, recorded.outcome) == ("ann", Outcome.DONE)

    restore(servers, backup)
    async with process(servers, tmp_path) as container:
        assert await container.key_side().keys(["ann", "eve"]) == {
            "eve": await container.key_side().key("eve")
        }
        assert await places(container) == set()
        await pay(container, "t-3", "ann", SECRET)  # who comes back is not remembered
        assert await places(container) == set()


def copied_out(servers: Mapping[str, str]) -> bytes:
    """The key table, as a backup of the database has it."""
    with (
        psycopg.connect(servers["HEADWATER_POSTGRES_URI"]) as connection,
        connection.cursor().copy("COPY data_keys TO STDOUT") as copy,
    ):
        return b"".join(bytes(one) for one in copy)


def restore(servers: Mapping[str, str], backup: bytes) -> None:
    with psycopg.connect(servers["HEADWATER_POSTGRES_URI"]) as connection:
        connection.execute("TRUNCATE data_keys")
        with connection.cursor().copy("COPY data_keys FROM STDIN") as copy:
            copy.write(backup)
