"""A person is forgotten in a whole service, wherever it keeps its data, and after a restore."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import botocore.session  # only: reference
import psycopg  # only: postgres_events
import pytest

from application.messages import Context
from application.operating.carrying_out import By
from application.operating.forgetting import ForgetSubject
from application.operating.operation import Outcome
from application.operating.trail import trail
from application.personal.traces import Finding, NotSearched, Trace
from infrastructure.connecting import opened_to_serve
from infrastructure.container import Container, wired
from infrastructure.dynamodb.tables import (  # only: reference
    EVENT_TABLES,  # only: reference
    READ_TABLES,  # only: reference
)  # only: reference
from infrastructure.processes.service import projecting
from tests.application.snapped import NOON
from tests.dynamodb.opened import empty_tables  # only: reference
from tests.sample.program import BANK
from tests.sample.transfers import RequestTransfer
from tests.servers import S3  # only: reference
from tests.stores import settings_of
from tests.waiting import until_true

SECRET: Final = "for the operation in März"
LONG: Final = SECRET * 1_000  # a payload, and words in a search engine
BY: Final = By("ada", "she has asked for it")


@dataclass(frozen=True)
class Stores:
    """Where a service keeps its data."""

    settings: Mapping[str, str]
    copied_out: Callable[[], Any]
    """The key table, as a backup has it."""
    restore: Callable[[Any], None]


# only: postgres_events
def in_postgres(request: pytest.FixtureRequest) -> Stores:
    """All of it there, but for payloads in a directory."""
    uri = request.getfixturevalue("postgres")

    def copied_out() -> bytes:
        with (
            psycopg.connect(uri) as connection,
            connection.cursor().copy("COPY data_keys TO STDOUT") as copy,
        ):
            return b"".join(bytes(one) for one in copy)

    def restore(backup: bytes) -> None:
        with psycopg.connect(uri) as connection:
            connection.execute("TRUNCATE data_keys")
            with connection.cursor().copy("COPY data_keys FROM STDIN") as copy:
                copy.write(backup)

    settings = {"HEADWATER_EVENT_STORE": "postgres", "HEADWATER_POSTGRES_URI": uri}
    return Stores(settings, copied_out, restore)


# end: postgres_events
# only: reference
def in_dynamodb(request: pytest.FixtureRequest) -> Stores:
    """Events and views there, searches in OpenSearch, payloads in S3."""
    s3: S3 = request.getfixturevalue("s3")
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    patch.setenv("AWS_ACCESS_KEY_ID", s3.key)
    patch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret)
    patch.setenv("AWS_DEFAULT_REGION", s3.region)
    tables = empty_tables(request.getfixturevalue("dynamodb"), EVENT_TABLES + READ_TABLES)
    client: Any = botocore.session.get_session().create_client(
        "dynamodb", endpoint_url=tables["HEADWATER_DYNAMODB_URI"]
    )
    keys = f"{tables['HEADWATER_DYNAMODB_TABLE_PREFIX']}keys"

    def copied_out() -> list[Any]:
        items: list[Any] = client.scan(TableName=keys)["Items"]
        return items

    def restore(backup: list[Any]) -> None:
        for item in copied_out():
            client.delete_item(TableName=keys, Key={"what": item["what"]})
        for item in backup:
            client.put_item(TableName=keys, Item=item)

    settings = {
        **tables,
        "HEADWATER_EVENT_STORE": "dynamodb",
        "HEADWATER_READ_MODELS": "dynamodb",
        "HEADWATER_SEARCH": "opensearch",
        "HEADWATER_OPENSEARCH_URI": request.getfixturevalue("opensearch"),
        "HEADWATER_PAYLOAD_STORE": "s3",
        "HEADWATER_S3_BUCKET": s3.bucket(),
        "HEADWATER_S3_ENDPOINT": s3.endpoint,
        "HEADWATER_S3_REGION": s3.region,
    }
    return Stores(settings, copied_out, restore)


# end: reference
KINDS: Final[Mapping[str, Callable[[pytest.FixtureRequest], Stores]]] = {
    "postgres": in_postgres,  # only: postgres_events
    "dynamodb, opensearch, s3": in_dynamodb,  # only: reference
}


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest) -> Stores:
    return KINDS[request.param](request)


@asynccontextmanager
async def process(stores: Stores, home: Path) -> AsyncIterator[Container]:
    """One that fills read models, and is the only one: nobody has a key for long."""
    container = wired(BANK, settings_of(stores.settings, home=home))
    container.settled.override(0.0)
    container.tick.override(0.05)
    async with opened_to_serve(container), projecting(container):
        yield container


async def pay(container: Container, id: str, source: str, note: str) -> None:
    command = RequestTransfer(source=source, target="bob", amount=3, note=note)
    await container.dispatch()(id, command, Context.start("a test", uuid4(), NOON))


async def found(container: Container, subject: str) -> list[Finding]:
    return [one async for one in container.traces().of(subject, [SECRET])]


def kinds(findings: Sequence[Finding]) -> set[str]:
    """The kinds of places where something can be read; views by the names of their read models."""
    traces = [one.place.split() for one in findings if isinstance(one, Trace)]
    return {words[-1].partition("_v")[0] if words[0] == "view" else words[0] for words in traces}


async def places(container: Container, subject: str = "ann") -> set[str]:
    """Those of a search that has reached all places."""
    findings = await found(container, subject)
    missed = [one.reason for one in findings if isinstance(one, NotSearched)]
    assert not missed, missed
    return kinds(findings)


async def shown(container: Container) -> bool:
    """Whether both read models have the text; an index that is just made cannot be searched."""
    return {"payee_search", "transfer_summary"} <= kinds(await found(container, "ann"))


async def test_a_restored_backup_brings_nobody_back(stores: Stores, tmp_path: Path) -> None:
    """A person is forgotten everywhere. With the key table of before, the next start destroys the
    key again; the events and views of others are whole all the time."""
    async with process(stores, tmp_path) as container:
        await pay(container, "t-1", "ann", SECRET)
        await pay(container, "t-2", "eve", "rent")
        await pay(container, "t-3", "ann", LONG)
        await until_true(lambda: shown(container))
        backup = stores.copied_out()

        done = await container.operating().carry_out(ForgetSubject("ann"), BY)

        assert "the key is destroyed; events masked: 2" in done.what
        assert await places(container) == set()
        assert "event" in await places(container, "eve")
        recorded = (await trail(container.event_browser(), container.event_store())).items[0]
        assert (recorded.begun.target, recorded.outcome) == ("ann", Outcome.DONE)

    stores.restore(backup)
    async with process(stores, tmp_path) as container:
        assert await container.key_side().keys(["ann", "eve"]) == {
            "eve": await container.key_side().key("eve")
        }
        assert await places(container) == set()
        await pay(container, "t-4", "ann", SECRET)  # who comes back is not remembered
        assert await places(container) == set()
