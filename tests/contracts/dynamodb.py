"""DynamoDB for the contract suites: tables of a test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.tables import COORDINATION
from tests.dynamodb.faults import Faults
from tests.dynamodb.opened import database

DYNAMODB = "dynamodb (double)"


@asynccontextmanager
async def dynamodb_of(
    request: pytest.FixtureRequest, faults: Faults | None = None
) -> AsyncIterator[Database]:
    """With the tables of read models, which no other test uses."""
    uri: str = request.getfixturevalue("dynamodb")
    async with database(uri, faults, tables=[COORDINATION]) as opened:
        yield opened
