"""Making tables, and looking whether they are there."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from application.ports import StoreUnavailable
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.failures import code_of, unavailable
from infrastructure.dynamodb.tables import Table, schema, specification

_READY_WITHIN: Final = 60.0  # seconds until a new table can be used
_LOOK: Final = 0.1  # seconds between two looks


async def make(database: Database, tables: Sequence[Table]) -> Sequence[str]:
    """Make those that are missing, and wait until all can be used; the names of the new ones.

    Safe to repeat, and to run in two processes at once. Raises ``StoreUnavailable``, also where
    this role may not make tables, or where a table is there that has other keys.
    """
    with unavailable():
        made = await asyncio.gather(*(_make(database, table) for table in tables))
    return [table.name for table, new in zip(tables, made, strict=True) if new]


async def missing(database: Database, tables: Sequence[Table]) -> Sequence[str]:
    """The full names of those that are not there.

    Raises ``StoreUnavailable``, also where a table is there that has other keys.
    """
    with unavailable():
        found = await asyncio.gather(*(_described(database, table) for table in tables))
    for table, there in zip(tables, found, strict=True):
        if there is not None:
            _require_keys(table, there)
    return [
        database.table(table.name)
        for table, there in zip(tables, found, strict=True)
        if there is None
    ]


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
    wanted = {key["AttributeName"]: key["KeyType"] for key in schema(table)}
    if found != wanted:
        raise StoreUnavailable(
            f"DynamoDB: {there['TableName']} has the keys {sorted(found)}, not {sorted(wanted)}: "
            "it belongs to something else; choose another prefix for the tables"
        )
