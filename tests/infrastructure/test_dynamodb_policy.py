"""The policy for the role of the service: enough for its work, and for nothing else.

No double enforces policies, so what the code asks of the server is compared with the policy. The
contract suites compare every call that they make.
"""

import json
from datetime import UTC, datetime

import pytest

from application.ports import NO_STREAM
from application.projections.builds import WHOLE, Build, Note
from infrastructure.dynamodb import Builds, Leases, ReadModels, StoreClock
from infrastructure.dynamodb.key_store import KeyStore
from infrastructure.dynamodb.making import missing
from infrastructure.dynamodb.printed import policy
from infrastructure.dynamodb.tables import (
    EVENT_TABLES,
    GROUPS,
    LOG,
    READ_TABLES,
    STREAMS,
    VIEWS,
    Table,
)
from infrastructure.master_keys import MasterKeys
from tests.contracts.baskets import FOUND, basket, seen
from tests.contracts.dynamodb_events import stores_in
from tests.contracts.made_up import events, name, only
from tests.contracts.test_builds import REPORT
from tests.dynamodb.faults import Faults
from tests.dynamodb.opened import database
from tests.dynamodb.policy import actions, allows
from tests.waiting import until

CHANGING = ("UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate", "PartiQLDelete")
WITH_A_TABLE = ("DeleteTable", "UpdateTable", "UpdateTimeToLive", "RestoreTableToPointInTime")


@pytest.mark.parametrize("table", [STREAMS, LOG])
@pytest.mark.parametrize("action", [*CHANGING, *WITH_A_TABLE])
def test_events_cannot_be_changed_or_deleted(table: Table, action: str) -> None:
    """Not even where another policy of the role allows everything."""
    printed = policy("bank-", "eu-central-1")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    wide = {**printed, "Statement": [*printed["Statement"], everything]}
    assert not allows(wide, (f"dynamodb:{action}", f"bank-{table.name}"))


async def test_all_that_is_allowed_is_needed(dynamodb: str) -> None:
    """A service that appends, reads, follows and consumes does each of it, and nothing else."""
    faults, group, type = Faults(), name("group"), name("Noted")
    async with database(dynamodb, faults) as db:
        await missing(db, EVENT_TABLES)
        stream = name()
        stores = stores_in(db)
        await stores.groups.ensure(group, only=only(type))
        await stores.events.append(stream, events(2, type), NO_STREAM)
        assert len([one async for one in stores.events.read(stream)]) == 2
        looked = ("dynamodb:BatchGetItem", db.table(GROUPS.name))
        groups = stores_in(db, silence=0.2).groups
        async with groups.consume(group, only=only(type), buffer=1) as deliveries:
            held = await anext(deliveries)
            async with groups.consume(group, only=only(type), buffer=1) as others:
                await anext(others)
                await until(lambda: looked in actions(faults.calls))
            await held.ack()
        await stores.groups.delete(group)

        printed = policy(db.prefix, "eu-central-1")
        allowed = {
            (action, statement["Resource"].rpartition("/")[2])
            for statement in printed["Statement"]
            if statement["Effect"] == "Allow"
            for action in statement["Action"]
        }
        assert actions(faults.calls) == allowed


def test_a_policy_is_for_the_tables_of_one_service() -> None:
    """It names each of them, in the region of the settings; IAM takes at most 6,144 characters."""
    printed = policy("bank-", "eu-west-1")
    allowed = ("dynamodb:PutItem", "bank-streams")
    assert not allows(printed, allowed)  # in another region
    assert allows(policy("bank-"), allowed)
    assert not allows(policy("bank-"), ("dynamodb:PutItem", "other-streams"))
    assert len(json.dumps(printed)) < 6144


async def test_all_that_is_allowed_of_read_models_is_needed(dynamodb: str) -> None:
    """A service that builds, fills, queries and drops does each of it, and nothing else."""
    faults = Faults()
    async with database(dynamodb, faults, tables=READ_TABLES) as db:
        await missing(db, READ_TABLES)
        clock, note = StoreClock.of(db), Note("ann", "a test", datetime(2026, 1, 1, tzinfo=UTC))
        builds, leases = Builds(db, clock), Leases(db, clock)
        models = ReadModels(db, [FOUND], builds)
        await builds.register([FOUND])
        build = await builds.begin(FOUND, note)
        await builds.claim({(build, WHOLE): REPORT}, seconds=9)
        views = models.of(FOUND, build)
        await views.save(seen(1, a=basket()), checkpoint=1, expected=None)
        await builds.swap(build, note)
        assert await (await models.live(FOUND)).find(equal={"owner": "ann"})
        await models.compare(build, Build(FOUND.name, 1))
        await builds.drop(Build(FOUND.name, 1), note)
        await views.clear()
        assert await leases.claim("one", "ann", seconds=9)
        assert await leases.holder("one")
        await leases.release("one", "ann")
        keys = KeyStore(db, MasterKeys(bytes(32)))
        assert await keys.keys(["ann"]) == {} != {"ann": await keys.key("ann")}
        again = KeyStore(db, MasterKeys(bytes([1] * 32), [bytes(32)]))
        assert [some async for some in again.rewrap()] == [1]

        printed = policy(db.prefix, "eu-central-1", READ_TABLES)
        allowed = {
            (action, db.table(table.name))
            for table, statement in zip(READ_TABLES, printed["Statement"], strict=True)
            for action in statement["Action"]
        }
        assert actions(faults.calls) == allowed
    assert f"{_ARN}/index/*" in policy("bank-", "eu-west-1", [VIEWS])["Statement"][0]["Resource"]
    assert len(json.dumps(policy("bank-", "eu-west-1", [*EVENT_TABLES, *READ_TABLES]))) < 6144


_ARN = "arn:aws:dynamodb:eu-west-1:*:table/bank-views"
