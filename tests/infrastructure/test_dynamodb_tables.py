"""The tables in DynamoDB: made once, protected, and printed for those who may not make them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from application.ports import StoreUnavailable
from infrastructure.dynamodb.client import Database, connect
from infrastructure.dynamodb.making import drop, make
from infrastructure.dynamodb.printed import cloudformation
from infrastructure.dynamodb.tables import EVENT_TABLES, LOG, STREAMS, Index, Key, Table
from tests.dynamodb.opened import any_credentials, fresh_prefix

VIEWS = Table(
    "views", Key("build"), Key("key"), [Index("by-day", Key("day"), Key("key"), ["total"])], False
)


async def described(database: Database, table: Table) -> Mapping[str, Any]:
    answer = await database.client.describe_table(TableName=database.table(table.name))
    return {**answer["Table"]}


@pytest.fixture
def prefix() -> str:
    any_credentials()
    return fresh_prefix()


async def test_tables_are_made_once(dynamodb: str, prefix: str) -> None:
    """Of two processes that make them at once, each gets usable tables; repeating makes nothing."""
    async with connect(endpoint=dynamodb, prefix=prefix) as database:
        made = await asyncio.gather(make(database, EVENT_TABLES), make(database, EVENT_TABLES))

        assert sorted([*made[0], *made[1]]) == sorted(table.name for table in EVENT_TABLES)
        assert await make(database, EVENT_TABLES) == []


async def test_events_are_protected_and_billed_by_request(dynamodb: str, prefix: str) -> None:
    """Their tables cannot be deleted, can be restored, carry a tag, and nothing in them expires."""
    async with connect(endpoint=dynamodb, prefix=prefix) as database:
        await make(database, [STREAMS])
        table = await described(database, STREAMS)
        backups = await database.client.describe_continuous_backups(TableName=table["TableName"])
        expiry = await database.client.describe_time_to_live(TableName=table["TableName"])
        tags = await database.client.list_tags_of_resource(ResourceArn=table["TableArn"])

        assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        assert table["DeletionProtectionEnabled"]
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
        assert expiry["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
        assert tags["Tags"] == [{"Key": "headwater", "Value": prefix}]
        with pytest.raises(ClientError, match="protect"):
            await database.client.delete_table(TableName=table["TableName"])
        with pytest.raises(ValueError, match="not to be deleted"):
            await drop(database, STREAMS)


async def test_a_table_has_its_indexes(dynamodb: str, prefix: str) -> None:
    """Keys that only an index uses are declared, too; a table of what can be made again may go."""
    async with connect(endpoint=dynamodb, prefix=prefix) as database:
        await make(database, [VIEWS])

        (index,) = (await described(database, VIEWS))["GlobalSecondaryIndexes"]
        assert index["IndexName"] == "by-day"
        assert index["Projection"] == {
            "ProjectionType": "INCLUDE",
            "NonKeyAttributes": ["total"],
        }
        await drop(database, VIEWS)
        await drop(database, VIEWS)
        assert await make(database, [VIEWS]) == ["views"]


async def test_a_table_of_something_else_is_refused(dynamodb: str, prefix: str) -> None:
    """A table with that name and other keys is not used; the error names both."""
    async with connect(endpoint=dynamodb, prefix=prefix) as database:
        await make(database, [replace(LOG, sort=None, lasts=False)])

        with pytest.raises(StoreUnavailable, match=r"\['part'\], not \['part', 'position'\]"):
            await make(database, [LOG])


def test_the_same_tables_are_printed_as_cloudformation() -> None:
    """The template has what is made, for each table, and a stack that is deleted keeps events."""
    template = cloudformation(EVENT_TABLES, "bank-")

    streams = template["Resources"]["Streams"]
    assert streams["DeletionPolicy"] == streams["UpdateReplacePolicy"] == "Retain"
    assert streams["Properties"]["TableName"] == "bank-streams"
    assert streams["Properties"]["KeySchema"] == [
        {"AttributeName": "stream", "KeyType": "HASH"},
        {"AttributeName": "version", "KeyType": "RANGE"},
    ]
    assert streams["Properties"]["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": True
    }
    assert set(template["Resources"]) == {"Streams", "Log", "Groups"}


async def test_a_server_that_is_not_there_is_unavailable(unused_tcp_port: int) -> None:
    """The error is the port's, with the address."""
    any_credentials()
    async with connect(endpoint=f"http://127.0.0.1:{unused_tcp_port}", attempts=1) as database:
        with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{unused_tcp_port}"):
            await make(database, EVENT_TABLES)
