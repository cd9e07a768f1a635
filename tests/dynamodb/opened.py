"""Tables of a test's own, made and taken away again."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

from infrastructure.dynamodb.client import Database, connect
from infrastructure.dynamodb.making import make
from infrastructure.dynamodb.tables import EVENT_TABLES, Table
from tests.dynamodb.faults import Faults
from tests.servers import DYNAMODB
from tests.waiting import PATIENCE


def any_credentials() -> None:
    """A double takes all; the client wants some. AWS gets those that its own tools find."""
    if "amazonaws.com" in os.environ.get(DYNAMODB.variable, ""):
        return
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")


def fresh_prefix() -> str:
    """The beginning of the names of tables that are not there yet."""
    return f"test-{uuid4().hex}-"


def new_tables(uri: str, tables: Sequence[Table] = EVENT_TABLES) -> str:
    """The beginning of their names. It can be called while a loop runs."""
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, made(uri, tables)).result()


def empty_tables(uri: str, tables: Sequence[Table] = EVENT_TABLES) -> Mapping[str, str]:
    """The settings that lead to new tables."""
    prefix = new_tables(uri, tables)
    return {"HEADWATER_DYNAMODB_URI": uri, "HEADWATER_DYNAMODB_TABLE_PREFIX": prefix}


def tables_of(settings: Mapping[str, str]) -> Sequence[str]:
    """The names of all tables that begin as these settings say."""
    uri, prefix = (settings[f"HEADWATER_DYNAMODB_{one}"] for one in ("URI", "TABLE_PREFIX"))

    async def found() -> list[str]:
        async with connect(endpoint=uri) as plain:
            pages = plain.client.get_paginator("list_tables").paginate()
            return [name async for page in pages for name in page["TableNames"]]

    return [name for name in asyncio.run(found()) if name.startswith(prefix)]


@asynccontextmanager
async def database(
    uri: str,
    faults: Faults | None = None,
    *,
    prefix: str | None = None,
    tables: Sequence[Table] = EVENT_TABLES,
    attempts: int = 1,
) -> AsyncIterator[Database]:
    """With tables of its own, unless a prefix is given. Calls go through ``faults``, from then on
    when the tables have been made, and the client makes so many attempts of each."""
    any_credentials()
    opened = prefix or await made(uri, tables)
    layer: Any = (
        {"answers_within": PATIENCE}
        if faults is None
        else {"http": faults.session, "attempts": attempts, "answers_within": PATIENCE}
    )
    async with connect(endpoint=uri, prefix=opened, **layer) as client:
        yield client


async def made(uri: str, tables: Sequence[Table] = EVENT_TABLES) -> str:
    """The beginning of the names of new tables."""
    any_credentials()
    async with connect(endpoint=uri, prefix=fresh_prefix()) as plain:
        await make(plain, [replace(table, lasts=False) for table in tables])
        return plain.prefix
