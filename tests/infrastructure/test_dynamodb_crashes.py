"""A runner over DynamoDB that dies at any await and is started again: the views of a clean run."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final

import pytest

from application.projections.projection import Projection
from infrastructure.dynamodb import Builds, Database, ReadModels, StoreClock
from infrastructure.dynamodb.tables import READ_TABLES
from tests.application.test_projection_crashes import HISTORY, Books, leaves_no_trace, run, store_of
from tests.dynamodb.opened import database
from tests.sample.read_models.payee_search import payee_search
from tests.sample.read_models.transfer_summary import transfer_summary

STEP: Final = 3  # every third await: all of them take half a minute, and pass
WITH_PARTS: Final = replace(payee_search, searched=(), ranked=None, listed=True)


@pytest.fixture
async def opened(dynamodb: str) -> AsyncIterator[Database]:
    async with database(dynamodb, tables=READ_TABLES) as opened:
        yield opened


@pytest.mark.parametrize("projection", [transfer_summary, WITH_PARTS], ids=lambda one: one.name)
async def test_dying_at_any_await_leaves_no_trace(
    opened: Database, projection: Projection[Any]
) -> None:
    """Views, parts, checkpoint and count, after one death and a restart: those of a clean run."""
    store, builds = await store_of(HISTORY), Builds(opened, StoreClock.of(opened))
    kept = Books(projection, builds, ReadModels(opened, [projection], builds))
    await builds.register([projection])
    await run(store, kept)
    await leaves_no_trace(store, kept, STEP)
