"""The builds of read models in DynamoDB: which there are, what fills each, what operators did."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from botocore.exceptions import ClientError
from pydantic import TypeAdapter

from application.projections.builds import (
    Build,
    BuildStanding,
    Failure,
    Note,
    OperatorAction,
    Report,
    Role,
    Shard,
)
from application.projections.projection import Projection
from infrastructure.dynamodb.at_once import at_once
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.coordination.checkpoints import Checkpoints
from infrastructure.dynamodb.coordination.leases import FREE, lease, stamp
from infrastructure.dynamodb.failures import condition_failed, unavailable
from infrastructure.dynamodb.querying import items
from infrastructure.dynamodb.read_models import book
from infrastructure.dynamodb.read_models.books import BOOKS, MOST_SHARDS, Books, runner_key
from infrastructure.dynamodb.read_models.standings import standings
from infrastructure.dynamodb.store_clock import StoreClock
from infrastructure.dynamodb.tables import COORDINATION
from infrastructure.dynamodb.values import text

_REPORT: Final = TypeAdapter(Report)


class Builds:
    """The :class:`~application.ports.Builds` of one database.

    ``ValueError`` for a read model in more than 96 shards.
    """

    def __init__(self, database: Database, clock: StoreClock) -> None:
        self._database, self._clock = database, clock
        self._table = database.table(COORDINATION.name)
        self._books, self._checkpoints = Books(database), Checkpoints(database)

    async def register(self, projections: Collection[Projection[Any]]) -> None:
        for projection in sorted(projections, key=lambda declared: -declared.version):
            _require_few_shards(projection)
            await self._books.change(
                projection.name, partial(book.registered, projection=projection)
            )

    async def standings(self, name: str | None = None) -> Sequence[BuildStanding]:
        query: dict[str, Any] = {
            "KeyConditionExpression": "what = :what",
            "ExpressionAttributeValues": {":what": text(BOOKS)},
            "ConsistentRead": True,
        }
        if name is not None:
            query["KeyConditionExpression"] += " AND begins_with(which, :name)"
            query["ExpressionAttributeValues"][":name"] = text(f"{name}#")
        found = [item async for item in items(self._database, COORDINATION, query)]
        return await standings(found, self._checkpoints, self._clock)

    async def claim(
        self, reports: Mapping[tuple[Build, Shard], Report], *, seconds: float
    ) -> Collection[tuple[Build, Shard]]:
        claimed = await at_once(partial(self._claimed, seconds=seconds), reports.items())
        return {of for of, taken in zip(reports, claimed, strict=True) if taken}

    async def _claimed(self, reported: tuple[tuple[Build, Shard], Report], seconds: float) -> bool:
        (build, shard), report = reported
        values = {
            **lease(self._clock, report.holder, seconds),
            ":report": text(_REPORT.dump_json(report).decode()),
            ":at": stamp(self._clock.earliest()),
        }
        return await self._updated(
            build,
            shard,
            UpdateExpression="SET holder = :holder, ends = :ends, report = :report, dated = :at",
            ConditionExpression=f"attribute_exists(what) AND {FREE}",
            ExpressionAttributeValues=values,
        )

    async def release(self, build: Build, shard: Shard, holder: str) -> None:
        await self._updated(
            build,
            shard,
            UpdateExpression="REMOVE ends",
            ConditionExpression="holder = :holder",
            ExpressionAttributeValues={":holder": text(holder)},
        )

    async def _updated(self, build: Build, shard: Shard, **update: Any) -> bool:
        """Whether the runner is updated; ``False`` where the condition does not hold."""
        with unavailable():
            try:
                await self._database.client.update_item(
                    TableName=self._table, Key=runner_key(build, shard.index), **update
                )
            except ClientError as error:
                if condition_failed(error):
                    return False
                raise
        return True

    async def fail(self, build: Build, shard: Shard, failure: Failure) -> None:
        await self._change(build, book.failed, shard=shard.index, failure=failure)

    async def retry(self, build: Build, note: Note) -> None:
        await self._change(build, book.retried, note=note)

    async def skip(self, build: Build, event_id: UUID, note: Note) -> None:
        await self._change(build, book.skipping, event_id=event_id, note=note)

    async def skipped(self, build: Build) -> Mapping[UUID, Note]:
        return (await self._books.read(build.name)).entry(build).skipped

    async def pause(self, build: Build, note: Note) -> None:
        await self._change(build, book.paused, note=note)

    async def resume(self, build: Build, note: Note) -> None:
        await self._change(build, book.resumed, note=note)

    async def begin(self, projection: Projection[Any], note: Note) -> Build:
        _require_few_shards(projection)
        change = partial(book.begun, projection=projection, note=note)
        building = (await self._books.change(projection.name, change)).in_role(Role.BUILDING)
        assert building  # it has just been begun
        return building

    async def swap(self, build: Build, note: Note) -> None:
        await self._change(build, book.swapped, note=note)

    async def rollback(self, name: str, note: Note) -> Build:
        changed = await self._books.change(name, partial(book.rolled_back, note=note))
        live = changed.in_role(Role.LIVE)
        assert live  # as above
        return live

    async def drop(self, build: Build, note: Note) -> None:
        await self._change(build, book.dropped, note=note)
        await self._checkpoints.forget(build.table)  # last: no other build will have that name

    async def actions(self, name: str) -> Sequence[OperatorAction]:
        return await self._books.actions(name)

    async def _change(self, build: Build, change: Any, **given: Any) -> None:
        await self._books.change(build.name, partial(change, build=build, **given))


def _require_few_shards(projection: Projection[Any]) -> None:
    if projection.shards > MOST_SHARDS:
        raise ValueError(
            f"{projection.name} has {projection.shards} shards: in DynamoDB a read model has at "
            f"most {MOST_SHARDS}"
        )
