"""Leases: items that end at a moment of the store's time."""

from datetime import datetime, timedelta
from typing import Final

from botocore.exceptions import ClientError

from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.failures import condition_failed, unavailable
from infrastructure.dynamodb.store_clock import StoreClock
from infrastructure.dynamodb.tables import COORDINATION
from infrastructure.dynamodb.values import Item, Value, text, to_text

FREE: Final = "(holder = :holder OR attribute_not_exists(ends) OR ends <= :now)"
"""The condition on which a process takes or renews a lease, with the values of :func:`lease`."""


def lease(clock: StoreClock, holder: str, seconds: float) -> dict[str, Value]:
    """The values of a claim. It counts as over when it is over for certain, and holds for at least
    ``seconds``: so long after that as the clock is uncertain."""
    return {
        ":holder": text(holder),
        ":now": stamp(clock.earliest()),
        ":ends": stamp(clock.latest() + timedelta(seconds=seconds)),
    }


def stamp(moment: datetime) -> Value:
    """A moment of the store's time, as text that sorts by time."""
    return text(moment.isoformat(timespec="microseconds"))


class Leases:
    """The :class:`~application.ports.Leases` of one database."""

    def __init__(self, database: Database, clock: StoreClock) -> None:
        self._database, self._clock = database, clock
        self._table = database.table(COORDINATION.name)

    async def claim(self, name: str, holder: str, *, seconds: float) -> bool:
        with unavailable():
            try:
                await self._database.client.update_item(
                    TableName=self._table,
                    Key=_key(name),
                    UpdateExpression="SET holder = :holder, ends = :ends",
                    ConditionExpression=FREE,
                    ExpressionAttributeValues=lease(self._clock, holder, seconds),
                )
            except ClientError as error:
                if condition_failed(error):
                    return False
                raise
        return True

    async def release(self, name: str, holder: str) -> None:
        with unavailable():
            try:
                await self._database.client.delete_item(
                    TableName=self._table,
                    Key=_key(name),
                    ConditionExpression="holder = :holder",
                    ExpressionAttributeValues={":holder": text(holder)},
                )
            except ClientError as error:
                if not condition_failed(error):
                    raise

    async def holder(self, name: str) -> str | None:
        with unavailable():
            found = await self._database.client.get_item(
                TableName=self._table, Key=_key(name), ConsistentRead=True
            )
        item = found.get("Item")
        now = to_text(stamp(self._clock.earliest()))
        return to_text(item["holder"]) if item and to_text(item["ends"]) > now else None


def _key(name: str) -> Item:
    return {"what": text(f"lease#{name}"), "which": text("-")}
