"""Tables of a test's own, made and taken away again."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

from infrastructure.dynamodb.client import Database, connect
from infrastructure.dynamodb.tables import EVENT_TABLES, Table, make
from tests.dynamodb.faults import Faults


def any_credentials() -> None:
    """A double takes all; the client wants some."""
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")


def fresh_prefix() -> str:
    """The beginning of the names of tables that are not there yet."""
    return f"test-{uuid4().hex}-"


@asynccontextmanager
async def database(
    uri: str,
    faults: Faults | None = None,
    *,
    prefix: str | None = None,
    tables: Sequence[Table] = EVENT_TABLES,
) -> AsyncIterator[Database]:
    """With tables of its own, unless a prefix is given. Calls go through ``faults``, from then on
    when the tables have been made, and are not repeated by the client."""
    any_credentials()
    opened = prefix or fresh_prefix()
    async with connect(endpoint=uri, prefix=opened) as plain:
        if prefix is None:
            await make(plain, [replace(table, lasts=False) for table in tables])
        if faults is None:
            yield plain
        else:
            async with connect(
                endpoint=uri, prefix=opened, http=faults.session, attempts=1
            ) as faulty:
                yield faulty
