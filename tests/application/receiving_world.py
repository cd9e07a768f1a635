"""The bank receives from its clearing house, in memory; what fails is repeated without a pause."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import reduce
from traceback import format_exception
from typing import Any, cast

from application.claim_check import ClaimCheck
from application.command_dispatch import CommandDispatch
from application.messages import RecordedEvent
from application.parking import ParkedEvents, evolve
from application.parking_stream import ParkingStream
from application.receiving.incoming import Incoming
from application.receiving.receiver import Receiver
from infrastructure import memory
from tests.application.test_consuming import no_pause
from tests.sample.accounts import Account, AccountEvent, Deposited, decider
from tests.sample.incoming import CLEARING
from tests.sample.service import SAMPLE

TOPIC = CLEARING.topics[0]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def headers(
    id: str, type: str = "clearing.payment.received.v1", **more: str
) -> list[tuple[str, bytes | None]]:
    """Those of an event in binary mode."""
    attributes = {"specversion": "1.0", "id": id, "source": "/clearing", "type": type, **more}
    return [(f"ce_{name}", value.encode()) for name, value in attributes.items()]


class Clearing:
    """A bank, the topics of its clearing house, and any number of receivers."""

    def __init__(self, incoming: Incoming = CLEARING, partitions: int = 3) -> None:
        self.incoming = incoming
        self.payloads = memory.PayloadStore()
        self.log = memory.EventStore(SAMPLE.catalogue)
        self.store = ClaimCheck(self.log, self.payloads)
        self.groups = memory.ConsumerGroups(self.log)
        self.topics = memory.IncomingRecords(partitions)
        self.counts: Counter[str] = Counter()

    def receiver(self, store: Any = None, records: Any = None, buffer: int = 100) -> Receiver:
        store = store or self.store
        return Receiver(
            self.incoming,
            "bank.clearing",
            records or self.topics,
            CommandDispatch(store, SAMPLE.catalogue),
            store,
            self.groups,
            self.payloads,
            lambda: NOON,
            count=lambda outcome: self.counts.update([outcome.value]),
            buffer=buffer,
            pause=no_pause,
        )

    async def pays(self, id: str, account: str, amount: object = 1, **more: str) -> None:
        """A payment, under the key of its account."""
        data = {"payment_id": id, "account_id": account, "amount": amount}
        await self.put(account, data, headers(id, **more))

    async def rejects(self, id: str, transfer: str, *accounts: str) -> None:
        data = {"transfer_id": transfer, "accounts": accounts}
        await self.put(accounts[0], data, headers(id, "clearing.transfer.rejected.v1"))

    async def put(
        self, key: str | None, data: object, headers: Sequence[tuple[str, bytes | None]]
    ) -> None:
        value = data if isinstance(data, bytes | None) else json.dumps(data).encode()
        await self.topics.put(TOPIC, key.encode() if key else None, value, headers)

    def account(self, id: str) -> Account:
        events = [recorded.event for recorded in self.events(f"account-{id}")]
        return decider.fold(cast("list[AccountEvent]", events))

    def deposits(self, account: str) -> list[str]:
        """The ids of the deposits on an account, in their order."""
        events = [recorded.event for recorded in self.events(f"account-{account}")]
        return [event.deposit_id for event in events if isinstance(event, Deposited)]

    def events(self, stream: str) -> list[RecordedEvent]:
        return [recorded for recorded in self.log.after(-1, 100_000) if recorded.stream == stream]

    @property
    def parked(self) -> ParkedEvents:
        events = (recorded.event for recorded in self.events("parking-clearing"))
        return reduce(evolve, cast("Any", events), ParkedEvents())

    @property
    def errors(self) -> Mapping[str, str | None]:
        """Of the parked records, by stream: of the first."""
        return {
            stream: self.parked.held[ids[0]].parked.error
            for stream, ids in self.parked.streams.items()
        }

    def parking(self) -> ParkingStream:
        return ParkingStream(self.store, "clearing")

    async def replay(self, key: str) -> None:
        await self.parking().replay(self.parked.streams[f"incoming-clearing:{TOPIC}:{key}"][0], "a")

    @property
    def settled(self) -> int:
        """How many records have been settled."""
        return sum(self.counts.values())


@asynccontextmanager
async def at_work(*receivers: Receiver) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(receiver.run()) for receiver in receivers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            error = None if task.cancelled() else task.exception()
            assert error is None, "".join(format_exception(error))
