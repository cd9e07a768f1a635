"""Programs that store payloads and append events, and sweeps, in memory and in time that is set."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from application.claim_check import ClaimCheck
from application.messages import Context, NewEvent
from application.payloads.sweeping import Plan, Sweep
from application.ports import NO_STREAM, Appended, StoredPayload, SweepablePayloads
from application.writability import Writability
from infrastructure import memory
from tests.sample.service import SAMPLE

HOUR = timedelta(hours=1)
CONTEXT = Context.start("a test", uuid4(), datetime(2026, 1, 1, tzinfo=UTC))


def large(content: str) -> NewEvent:
    """An event of ours whose data is above the limit."""
    data = b'{"reason":"%s"}' % content.encode().ljust(11_000, b".")
    return NewEvent(uuid4(), "TransferCancelled", data, CONTEXT.metadata(1))


class Appending(memory.EventStore):
    """Knows how many appends are under way."""

    under_way = 0

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        self.under_way += 1
        try:
            return await super().append(stream, events, expected_version)
        finally:
            self.under_way -= 1


class World:
    """A log, a payload store, and a clock for all."""

    def __init__(self, payloads: SweepablePayloads | None = None) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.events = Appending(SAMPLE.catalogue)
        self.log = memory.Subscriptions(self.events)
        self.payloads = payloads or memory.PayloadStore(self.clock)

    def clock(self) -> datetime:
        return self.now

    def writer(self, payloads: SweepablePayloads | None = None) -> ClaimCheck:
        payloads = payloads or self.payloads
        return ClaimCheck(self.events, payloads, clock=lambda: self.now.timestamp())

    async def append(self, content: str, stream: str | None = None) -> str:
        """An event with that content in a stream of its own, and its log is known; the stream."""
        stream = stream or f"transfer-{uuid4()}"
        await self.writer().append(stream, [large(content)], NO_STREAM)
        await self.note()
        return stream

    async def note(self) -> None:
        """As a service does when it starts."""
        if log := await self.log.store_id():
            await self.payloads.note_log(log)

    def sweeper(self, payloads: SweepablePayloads | None = None) -> Sweep:
        probing = Writability(self.events, "a test")
        return Sweep(self.log, probing, payloads or self.payloads, self.clock)

    async def sweep(self, confirmed: str | None = None) -> Plan:
        """What it has done."""
        sweep = self.sweeper()
        plan = await sweep.plan(HOUR, HOUR, confirmed=confirmed)
        return await sweep.carry_out(plan)

    async def listed(self) -> list[StoredPayload]:
        return sorted([one async for one in self.payloads.stored()])

    async def read(self, stream: str) -> AsyncIterator[bytes]:
        async for recorded in self.writer().read(stream):
            yield recorded.data
