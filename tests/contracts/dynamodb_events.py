"""DynamoDB for the contract suites of events."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from application.catalogue import Catalogue
from infrastructure import dynamodb
from infrastructure.dynamodb.events.pulse import SILENCE
from infrastructure.dynamodb.printed import policy
from infrastructure.dynamodb.tables import LOG, STREAMS
from tests.contracts.stores import Stores
from tests.dynamodb.faults import Faults
from tests.dynamodb.opened import database, new_tables
from tests.dynamodb.policy import actions, allows, puts
from tests.sample.service import SAMPLE
from tests.waiting import PATIENCE


@asynccontextmanager
async def on_dynamodb(
    uri: str, prefix: str, catalogue: Catalogue = SAMPLE.catalogue
) -> AsyncIterator[Stores]:
    """Whatever a test does there, the role of the service may do it, and replaces no event."""
    faults = Faults()
    async with database(uri, faults, prefix=prefix) as db:
        yield stores_in(db, catalogue)
    printed = policy(prefix, "eu-central-1")
    assert [one for one in actions(faults.calls) if not allows(printed, one)] == []
    events = {db.table(table.name) for table in (STREAMS, LOG)}
    replacing = [put for table, put in puts(faults.calls) if table in events and not _is_new(put)]
    assert replacing == []


def _is_new(put: Mapping[str, Any]) -> bool:
    return bool(put.get("ConditionExpression") == "attribute_not_exists(#key)")


def stores_in(
    db: dynamodb.Database, catalogue: Catalogue = SAMPLE.catalogue, *, silence: float = SILENCE
) -> Stores:
    log, streams = dynamodb.Log(db), dynamodb.Streams(db)
    commits = dynamodb.GroupCommit(db, log, streams, patience=PATIENCE)
    subscriptions = dynamodb.Subscriptions(log, streams, catalogue)
    return Stores(
        dynamodb.EventStore(streams, commits, catalogue),
        subscriptions,
        dynamodb.ConsumerGroups(db, log, streams, catalogue, silence=silence),
        subscriptions,
        dynamodb.EventBrowser(log, streams, catalogue),
        lambda look: dynamodb.EventBrowser(log, streams, catalogue, look=look),
    )


def on_the_tables(
    request: pytest.FixtureRequest, catalogue: Catalogue
) -> AbstractAsyncContextManager[Stores]:
    """In the tables of all tests."""
    uri, prefix = request.getfixturevalue("dynamodb_with_events")
    return on_dynamodb(uri, prefix, catalogue)


@pytest.fixture(scope="session")
def dynamodb_with_events(dynamodb: str) -> tuple[str, str]:
    """The address of a DynamoDB, and the beginning of the names of its tables of events, one for
    all tests."""
    return dynamodb, new_tables(dynamodb)
