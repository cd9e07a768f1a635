"""The forwarder: each record once, in order, with the position, whatever breaks on the way."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest

from application.claim_check import ClaimCheck
from application.forwarding import Forwarder
from application.integration_events import Contract
from application.log_end import LogEnd
from application.messages import Context
from application.ports import BusUnavailable, Fenced, ForwarderStanding
from application.projections.status import State
from application.writability import Writability
from domain.decider import Event
from domain.values import Money
from infrastructure import memory
from tests.projection_specification import at
from tests.sample.accounts import Deposited
from tests.sample.integration_events import ACCOUNTS, TRANSFERS, Completed, Requested
from tests.sample.service import SAMPLE
from tests.sample.transfers import TransferApproved, TransferCompleted, TransferRequested
from tests.waiting import until

NOON = at(0)
LONG = "a long story " * 5_000


def requested(amount: int = 6, note: str = "for the rent") -> TransferRequested:
    fee = Money.parse("2.55 EUR")
    return TransferRequested(source="a", target="b", amount=amount, fee=fee, note=note)


@dataclass
class Observed:
    """Notes what a forwarder reports."""

    sizes: list[int] = field(default_factory=list)
    losses: list[Exception] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def published(self, records: int) -> None:
        self.sizes.append(records)

    def lost(self, error: Exception) -> None:
        self.losses.append(error)

    def failed(self, error: Exception) -> None:
        self.failures.append(error)


class FlakyBus(memory.Bus):
    """A bus that can be away."""

    away = False

    @asynccontextmanager
    async def publisher(self) -> AsyncIterator[Any]:
        if self.away:
            raise BusUnavailable("the broker does not answer")
        async with super().publisher() as publisher:
            yield publisher


class Claimed(memory.Leases):
    """Leases that count, by holder, the claims that were refused."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: Counter[str] = Counter()

    async def claim(self, name: str, holder: str, *, seconds: float) -> bool:
        granted = await super().claim(name, holder, seconds=seconds)
        self.refused[holder] += not granted
        return granted


@dataclass
class Bank:
    """A log, a bus and what its forwarders share."""

    log: memory.EventStore = field(default_factory=lambda: memory.EventStore(SAMPLE.catalogue))
    payloads: memory.PayloadStore = field(default_factory=memory.PayloadStore)
    leases: Claimed = field(default_factory=Claimed)
    bus: FlakyBus = field(default_factory=lambda: FlakyBus(SAMPLE.contract.topics))
    versions: dict[str, int] = field(default_factory=dict)

    async def record(self, stream: str, *events: Event) -> None:
        store = ClaimCheck(self.log, self.payloads)
        context = Context.start("a test", uuid4(), at(0))
        new = [SAMPLE.catalogue.new_event(event, uuid4(), context) for event in events]
        done = await store.append(stream, new, self.versions.get(stream, -1))
        self.versions[stream] = done.version

    def forwarder(
        self, holder: str = "ann", contract: Contract = SAMPLE.contract
    ) -> tuple[Forwarder, Observed]:
        observed, subscriptions = Observed(), memory.Subscriptions(self.log)
        return (
            Forwarder(
                contract,
                subscriptions,
                self.log,
                self.payloads,
                self.bus,
                self.leases,
                LogEnd(subscriptions, Writability(self.log, "here")),
                observed,
                holder=holder,
                batch=3,
                lease=0.5,
                look=0.05,
                pause=lambda _: asyncio.sleep(0.01),
            ),
            observed,
        )

    def published(self, topic: str = "bank.transfer") -> list[str]:
        return [f"{one.key}:{one.event.type}" for one in self.bus.records[topic]]

    @property
    def expected(self) -> list[str]:
        """The ids of all events that are to be published, in order."""
        made = (
            SAMPLE.contract.outgoing(recorded)
            for recorded in self.log.after(-1, 10_000)
            if recorded in SAMPLE.contract.events
        )
        return sorted(one.event.id for several in made for one in several)

    @property
    def ids(self) -> list[str]:
        return sorted(one.event.id for records in self.bus.records.values() for one in records)


@asynccontextmanager
async def running(forwarder: Forwarder) -> AsyncIterator[None]:
    task = asyncio.create_task(forwarder.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def all_published(bank: Bank) -> None:
    await until(lambda: bank.ids == bank.expected)


@pytest.fixture
def bank() -> Bank:
    return Bank()


async def test_events_are_published_once_over_restarts(bank: Bank) -> None:
    """A restart goes on from the position that the bus holds."""
    await bank.record("transfer-1", requested(), TransferApproved(), TransferCompleted())
    for number in range(4):
        await bank.record(f"account-{number}", Deposited(deposit_id="d", amount=1))
        forwarder, _ = bank.forwarder()
        async with running(forwarder):
            await all_published(bank)
    assert bank.published() == [
        "1:bank.transfer.requested.v1",
        "1:bank.transfer.completed.v1",
    ]
    assert bank.bus.kept is not None
    assert bank.bus.kept.published == 6


async def test_large_data_is_fetched(bank: Bank) -> None:
    """An event whose data is in the payload store is translated like any other."""
    await bank.record("transfer-1", requested(note=LONG))
    forwarder, _ = bank.forwarder()
    async with running(forwarder):
        await until(lambda: len(bank.ids) == 1)


async def test_an_event_that_cannot_be_published_stops_it_visibly(bank: Bank) -> None:
    """All before it is published and nothing after it; with a release that can, it goes on."""

    def broken(_: str, event: TransferRequested) -> None:
        if event.amount == 13:
            raise KeyError("thirteen")

    transfers = SAMPLE.publishes[0]
    faulty = replace(transfers, translations={**transfers.translations, TransferRequested: broken})
    await bank.record("transfer-1", TransferCompleted())
    await bank.record("transfer-2", requested(13))
    await bank.record("transfer-3", TransferCompleted())
    forwarder, observed = bank.forwarder(contract=replace(SAMPLE.contract, publications=(faulty,)))
    async with running(forwarder):
        await until(lambda: bool(observed.failures))
        status = forwarder.status()
    assert status.state in (State.FAILED, State.CATCHING_UP)
    assert bank.published() == ["1:bank.transfer.completed.v1"]
    assert bank.bus.kept is not None
    assert "transfer-2@0" in (bank.bus.kept.failure or "")
    assert "KeyError: 'thirteen'" in (bank.bus.kept.failure or "")

    mended, _ = bank.forwarder()
    async with running(mended):
        await all_published(bank)
    assert bank.bus.kept.failure is None


async def test_a_record_that_is_too_large_stops_it_visibly(bank: Bank) -> None:
    """Nothing of it or after it is published, all before it is."""
    await bank.record("account-a", Deposited(deposit_id="d", amount=1))
    await bank.record("transfer-1", requested())
    bank.bus.largest = 40
    forwarder, observed = bank.forwarder()
    async with running(forwarder):
        await until(lambda: bool(observed.failures))
    assert (len(bank.ids), bank.published()) == (1, [])
    assert bank.bus.kept is not None
    assert "max.message.bytes" in (bank.bus.kept.failure or "")
    bank.bus.largest = 1_000
    async with running(bank.forwarder()[0]):
        await all_published(bank)


async def test_of_an_event_all_versions_are_published_or_none(bank: Bank) -> None:
    """The second record of an event is too large: the first is not published alone."""
    both = replace(
        TRANSFERS,
        translations={
            TransferRequested: lambda id, event: (
                Completed(transfer_id=id),
                Requested(transfer_id=id, source="a" * 64, target="b", amount=event.amount),
            )
        },
    )
    contract = Contract("bank", (both, ACCOUNTS))
    await bank.record("account-a", Deposited(deposit_id="d", amount=1))
    await bank.record("transfer-1", requested())
    bank.bus.largest = 40
    forwarder, observed = bank.forwarder(contract=contract)
    async with running(forwarder):
        await until(lambda: bool(observed.failures))
    assert (len(bank.ids), bank.published()) == (1, [])

    bank.bus.largest = 1_000
    async with running(bank.forwarder(contract=contract)[0]):
        await until(lambda: len(bank.published()) == 2)
    assert bank.published() == ["1:bank.transfer.completed.v1", "1:bank.transfer.requested.v1"]
    assert len({*bank.ids}) == 2  # both have the id of the event


async def test_one_is_active_and_another_takes_over(bank: Bank) -> None:
    """The second waits for the lease, and goes on where the first ended."""
    first, second = bank.forwarder("ann")[0], bank.forwarder("bob")[0]
    await bank.record("transfer-1", requested())
    async with running(first):
        await all_published(bank)
        async with running(second):
            await until(lambda: bank.leases.refused["bob"] > 1)
            assert second.status().state is State.STOPPED
            assert bank.leases.held_by("forwarder") == "ann"
    async with running(second):
        await bank.record("transfer-1", TransferCompleted())
        await all_published(bank)


async def test_a_fenced_forwarder_opens_again(bank: Bank) -> None:
    """Somebody moved the position meanwhile: it goes on from there, under the same ids."""
    await bank.record("transfer-1", requested())
    forwarder, observed = bank.forwarder()
    async with running(forwarder):
        await all_published(bank)
        async with bank.bus.publisher() as publisher:
            assert publisher.standing is not None
            await publisher.publish([], replace(publisher.standing, position=-1, last=None))
        await bank.record("transfer-1", TransferCompleted())
        await until(lambda: len(bank.ids) == 3)
    assert any(isinstance(error, Fenced) for error in observed.losses)
    assert len(set(bank.ids)) == 2


async def test_a_move_is_noticed_without_any_event(bank: Bank) -> None:
    """Nothing is recorded after `bus replay`, and yet the records are published again."""
    await bank.record("transfer-1", requested())
    forwarder, _ = bank.forwarder()
    async with running(forwarder):
        await all_published(bank)
        assert bank.bus.kept is not None
        await bank.bus.move(replace(bank.bus.kept, position=-1, last=None, holder="ben"))
        await until(lambda: len(bank.ids) == 2)
    assert len(set(bank.ids)) == 1


async def test_commands_go_on_while_the_bus_is_away(bank: Bank) -> None:
    """The lag grows, and it catches up by itself."""
    forwarder, observed = bank.forwarder()
    bank.bus.away = True
    async with running(forwarder):
        await bank.record("transfer-1", requested(), TransferCompleted())
        await until(lambda: len(observed.losses) > 3)
        assert forwarder.status().state is State.RECONNECTING
        bank.bus.away = False
        await all_published(bank)


async def test_a_restored_log_is_noticed(bank: Bank) -> None:
    """Shorter than what is on the bus, or grown beyond it since: nothing more is published."""
    await bank.record("transfer-1", requested())
    end = bank.log.last_position
    await bank.record("transfer-1", TransferCompleted())
    async with running(bank.forwarder()[0]):
        await all_published(bank)
    known: ForwarderStanding | None = bank.bus.kept
    bank.log.restore(end)
    for more in range(2):
        forwarder, observed = bank.forwarder()
        async with running(forwarder):
            await until(lambda seen=observed: bool(seen.failures))  # type: ignore[misc]  # bound
        assert "an older backup of the event store was restored" in str(observed.failures[0])
        assert bank.bus.kept == known
        for number in range(5):
            await bank.record(f"account-{more}-{number}", Deposited(deposit_id="d", amount=1))
