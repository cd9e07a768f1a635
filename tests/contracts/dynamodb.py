"""DynamoDB for the contract suites: tables of read models, one after the other for each test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import pytest

from infrastructure.dynamodb.at_once import at_once
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.making import make
from infrastructure.dynamodb.tables import READ_TABLES, Table, schema
from tests.dynamodb.faults import Faults
from tests.dynamodb.opened import database, fresh_prefix

DYNAMODB = "dynamodb (double)"
_MADE: Final = set[str]()  # the prefixes of tables that are there


@asynccontextmanager
async def dynamodb_of(
    request: pytest.FixtureRequest, faults: Faults | None = None
) -> AsyncIterator[Database]:
    """With the tables of read models, which are empty, and which no other test uses meanwhile."""
    uri, prefix = request.getfixturevalue("dynamodb_with_views")
    async with database(uri, prefix=prefix) as plain:
        if prefix not in _MADE:
            await make(plain, [replace(table, lasts=False) for table in READ_TABLES])
            _MADE.add(prefix)
        for table in READ_TABLES:
            await _empty(plain, table)
        if faults is None:
            yield plain
            return
    async with database(uri, faults, prefix=prefix) as faulty:
        yield faulty


async def _empty(database: Database, table: Table) -> None:
    name, keys = database.table(table.name), [key["AttributeName"] for key in schema(table)]
    found = await database.client.scan(TableName=name, ConsistentRead=True)
    await at_once(
        lambda item: database.client.delete_item(
            TableName=name, Key={key: item[key] for key in keys}
        ),
        found["Items"],
    )
    if found.get("LastEvaluatedKey"):
        await _empty(database, table)


@pytest.fixture(scope="session")
def dynamodb_with_views(dynamodb: str) -> tuple[str, str]:
    """The address of a DynamoDB, and the beginning of the names of its tables of read models, one
    for all tests."""
    return dynamodb, fresh_prefix()
