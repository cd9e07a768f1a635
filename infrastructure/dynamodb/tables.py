"""The tables: each is a value, from which it is made, and printed as CloudFormation.

Every table is billed by request, can be restored to any second of the last 35 days, cannot be
deleted before its protection is taken off, and carries a tag. Nothing in them expires.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from application.ports import StoreUnavailable
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.failures import code_of, unavailable

TAG: Final = "headwater"
"""The tag of every table; its value is the beginning of the tables' names."""

_READY_WITHIN: Final = 60.0  # seconds until a new table can be used
_LOOK: Final = 0.1  # seconds between two looks


@dataclass(frozen=True)
class Key:
    """An attribute of a key: ``S`` for text, ``N`` for a number."""

    name: str
    kind: str = "S"


@dataclass(frozen=True)
class Index:
    """A second order of a table's items (GSI). It follows the table after a moment."""

    name: str
    partition: Key
    sort: Key | None = None
    includes: Sequence[str] | None = None
    """The attributes that it has besides keys; ``None``: all."""


@dataclass(frozen=True)
class Table:
    """One table, without the beginning of its name."""

    name: str
    partition: Key
    sort: Key | None = None
    indexes: Sequence[Index] = ()
    lasts: bool = True
    """Whether it holds what cannot be made again: then it is protected and can be restored."""


STREAMS: Final = Table("streams", Key("stream"), Key("version", "N"))
"""The events, in the order of their streams."""
LOG: Final = Table("log", Key("part", "N"), Key("position", "N"))
"""The order of all events."""
GROUPS: Final = Table("groups", Key("name"))
"""Consumer groups: how far each has come, and what its consumers hold."""

EVENT_TABLES: Final = (STREAMS, LOG, GROUPS)
"""All that ``EVENT_STORE=dynamodb`` needs."""

COORDINATION: Final = Table("coordination", Key("what"), Key("which"))
"""Checkpoints and leases."""


def specification(table: Table, prefix: str) -> dict[str, Any]:
    """What describes the table to ``CreateTable`` and to CloudFormation alike."""
    keys = [*_keys(table), *(key for index in table.indexes for key in _keys(index))]
    kinds = {key.name: key.kind for key in keys}
    described: dict[str, Any] = {
        "TableName": f"{prefix}{table.name}",
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in kinds.items()
        ],
        "KeySchema": _schema(table),
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": table.lasts,
        "Tags": [{"Key": TAG, "Value": prefix}],
    }
    if table.indexes:
        described["GlobalSecondaryIndexes"] = [
            {"IndexName": one.name, "KeySchema": _schema(one), "Projection": _projection(one)}
            for one in table.indexes
        ]
    return described


def cloudformation(tables: Sequence[Table], prefix: str) -> dict[str, Any]:
    """A template that makes the same tables. Deleting the stack keeps them."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The tables of the service with the prefix {prefix}",
        "Resources": {
            "".join(part.title() for part in table.name.split("-")): {
                "Type": "AWS::DynamoDB::Table",
                "DeletionPolicy": "Retain" if table.lasts else "Delete",
                "UpdateReplacePolicy": "Retain" if table.lasts else "Delete",
                "Properties": {
                    **specification(table, prefix),
                    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": table.lasts},
                },
            }
            for table in tables
        },
    }


async def make(database: Database, tables: Sequence[Table]) -> Sequence[str]:
    """Make those that are missing, and wait until all can be used; the names of the new ones.

    Safe to repeat, and to run in two processes at once. Raises ``StoreUnavailable``, also where
    this role may not make tables, or where a table is there that has other keys.
    """
    with unavailable():
        made = await asyncio.gather(*(_make(database, table) for table in tables))
    return [table.name for table, new in zip(tables, made, strict=True) if new]


async def drop(database: Database, table: Table) -> None:
    """Delete a table with all that is in it; nothing, where there is none.

    ``ValueError`` for one that lasts. Raises ``StoreUnavailable``.
    """
    if table.lasts:
        raise ValueError(f"the table {table.name} is not to be deleted")
    with unavailable():
        try:
            await database.client.delete_table(TableName=database.table(table.name))
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise


async def _make(database: Database, table: Table) -> bool:
    there = await _described(database, table)
    new = False
    if there is None:
        try:
            await database.client.create_table(**specification(table, database.prefix))
            new = True
        except ClientError as error:
            if code_of(error) != "ResourceInUseException":  # another process has just made it
                raise
    await _until_ready(database, table)
    if new and table.lasts:
        await _can_be_restored(database, table)
    return new


async def _until_ready(database: Database, table: Table) -> None:
    """Raises ``StoreUnavailable`` for a table with other keys, or one that does not get ready."""
    try:
        async with asyncio.timeout(_READY_WITHIN):
            while True:
                there = await _described(database, table)
                if there and there["TableStatus"] in ("ACTIVE", "UPDATING"):
                    _require_keys(table, there)
                    return
                await asyncio.sleep(_LOOK)
    except TimeoutError:
        raise StoreUnavailable(
            f"DynamoDB: {database.table(table.name)} was not ready within {_READY_WITHIN:g} s"
        ) from None


async def _can_be_restored(database: Database, table: Table) -> None:
    """A new table may refuse it for some seconds."""
    for attempt in range(int(_READY_WITHIN / _LOOK)):
        try:
            await database.client.update_continuous_backups(
                TableName=database.table(table.name),
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
            )
            return
        except ClientError as error:
            busy = code_of(error) in ("ContinuousBackupsUnavailableException",)
            if not busy or attempt * _LOOK >= _READY_WITHIN - 2 * _LOOK:
                raise
            await asyncio.sleep(_LOOK)


async def _described(database: Database, table: Table) -> Mapping[str, Any] | None:
    try:
        found = await database.client.describe_table(TableName=database.table(table.name))
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            return None
        raise
    return {**found["Table"]}


def _require_keys(table: Table, there: Mapping[str, Any]) -> None:
    found = {key["AttributeName"]: key["KeyType"] for key in there["KeySchema"]}
    wanted = {key["AttributeName"]: key["KeyType"] for key in _schema(table)}
    if found != wanted:
        raise StoreUnavailable(
            f"DynamoDB: {there['TableName']} has the keys {sorted(found)}, not {sorted(wanted)}: "
            "it belongs to something else; choose another prefix for the tables"
        )


def _keys(ordered: Table | Index) -> Sequence[Key]:
    return [ordered.partition, *filter(None, [ordered.sort])]


def _schema(ordered: Table | Index) -> list[dict[str, str]]:
    kinds = zip(_keys(ordered), ("HASH", "RANGE"), strict=False)
    return [{"AttributeName": key.name, "KeyType": kind} for key, kind in kinds]


def _projection(index: Index) -> dict[str, Any]:
    if index.includes is None:
        return {"ProjectionType": "ALL"}
    if not index.includes:
        return {"ProjectionType": "KEYS_ONLY"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.includes)}
