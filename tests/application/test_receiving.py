"""Receiving integration events: commands, each once; order by key; what fails is parked."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from application.command_dispatch import CommandDispatch
from application.messages import Context, NewEvent
from application.ports import Appended, StoreUnavailable
from application.receiving.events import RecordKept
from application.receiving.incoming import Incoming
from infrastructure import memory
from tests.application.receiving_world import NOON, TOPIC, Clearing, at_work, headers
from tests.sample.accounts import Deposit, Hold
from tests.sample.incoming import CLEARING, PaymentReceived
from tests.sample.service import SAMPLE
from tests.waiting import until

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def clearing() -> Clearing:
    return Clearing()


async def test_an_event_leads_to_its_command(clearing: Clearing) -> None:
    """The command continues the correlation and the trace; its cause is the event."""
    more = {"correlationid": "c-1", "causationid": "x-1", "traceparent": TRACE}
    await clearing.pays("p-1", "a", 5, actor="bot", onbehalfof="https://id|ann", **more)
    async with at_work(clearing.receiver()):
        await until(lambda: clearing.settled == 1)

    (recorded,) = clearing.events("account-a")
    metadata = recorded.metadata
    assert clearing.account("a").balance == 5
    assert (metadata.correlation_id, metadata.causation_id) == ("c-1", "p-1")
    assert (metadata.traceparent, metadata.actor) == (TRACE, "clearing")
    assert metadata.on_behalf_of == "https://id|ann"


async def test_an_event_that_comes_again_changes_nothing(clearing: Clearing) -> None:
    """Whether the bus delivers it again, or its sender sends it again, after any restart."""
    await clearing.pays("p-1", "a", 5)
    async with at_work(clearing.receiver()):
        await until(lambda: clearing.settled == 1)
    clearing.topics._groups.clear()  # the bus has forgotten how far the group came
    await clearing.pays("p-1", "a", 5)
    async with at_work(clearing.receiver()):
        await until(lambda: clearing.settled == 3)

    assert clearing.account("a").balance == 5
    assert len(clearing.events("account-a")) == 1
    assert not clearing.parked.held


async def test_what_had_nothing_to_do_has_nothing_to_do_again(clearing: Clearing) -> None:
    """The state may have changed since then, so that the command would act."""
    await clearing.rejects("r-1", "t-1", "a")  # nothing is held
    async with at_work(clearing.receiver()):
        await until(lambda: clearing.settled == 1)
        dispatch = CommandDispatch(clearing.store, SAMPLE.catalogue)
        for command in (Deposit(deposit_id="d", amount=9), Hold(transfer_id="t-1", amount=2)):
            await dispatch("a", command, Context.start("a test", uuid4(), NOON))
        await clearing.rejects("r-1", "t-1", "a")
        await until(lambda: clearing.settled == 2)
        assert dict(clearing.account("a").held) == {"t-1": 2}

        await clearing.rejects("r-2", "t-1", "a")  # another event
        await until(lambda: clearing.settled == 3)
        assert dict(clearing.account("a").held) == {}


async def test_one_id_of_two_sources_is_two_events(clearing: Clearing) -> None:
    """Only source and id together name an event."""
    for number in ("1", "2"):
        data = {"payment_id": number, "account_id": "a", "amount": 1}
        await clearing.put("a", data, headers("p-1", source=f"/clearing/{number}"))
    async with at_work(clearing.receiver()):
        await until(lambda: clearing.settled == 2)

    assert clearing.account("a").balance == 2


async def test_an_id_with_another_content_is_parked(clearing: Clearing) -> None:
    """Its sender has made a mistake, which must not pass for a repetition."""
    await clearing.pays("p-1", "a", 5)
    await clearing.pays("p-1", "a", 6)
    async with at_work(clearing.receiver()):
        await until(lambda: clearing.settled == 2)

    assert clearing.account("a").balance == 5
    (error,) = clearing.errors.values()
    assert error is not None
    assert "had another content" in error


async def test_an_event_can_lead_to_several_commands(clearing: Clearing) -> None:
    """Each has an id of its own, so a repetition after a crash in the middle completes them."""
    dispatch = CommandDispatch(clearing.store, SAMPLE.catalogue)
    for account in "ab":
        for command in (Deposit(deposit_id="d", amount=9), Hold(transfer_id="t-1", amount=2)):
            await dispatch(account, command, Context.start("a test", uuid4(), NOON))
    await clearing.rejects("r-1", "t-1", "a", "b")
    await clearing.rejects("r-1", "t-1", "a", "b")
    async with at_work(clearing.receiver()):
        await until(lambda: clearing.settled == 2)

    assert not clearing.account("a").held
    assert not clearing.account("b").held
    assert len(clearing.events("account-a")) == len(clearing.events("account-b")) == 3


@pytest.mark.parametrize(
    ("type", "outcome"),
    [
        ("clearing.payment.received.v2", "newer version"),
        ("clearing.payment.sent.v1", "unknown type"),
        ("clearing.payment.received.v0", "unknown type"),
        ("other.payment.received.v1", "unknown type"),
    ],
)
async def test_what_is_not_declared_is_ignored_and_counted(
    clearing: Clearing, type: str, outcome: str
) -> None:
    """Other types and newer versions: nothing is dispatched, parked or kept."""
    await clearing.put("a", b"not even JSON", headers("p-1", type))
    async with at_work(clearing.receiver()):
        await until(lambda: clearing.settled == 1)

    assert clearing.counts == {outcome: 1}
    assert clearing.log.after(-1, 10) == []


async def test_a_tombstone_is_ignored(clearing: Clearing) -> None:
    """A compacted topic says with it that the key is gone; it is no event."""
    await clearing.put("a", None, [])
    async with at_work(clearing.receiver()):
        await until(lambda: clearing.settled == 1)

    assert clearing.counts == {"tombstone": 1}


@pytest.mark.parametrize(
    ("data", "given", "error"),
    [
        (b"{}", [], "it has no specversion"),
        (b"\xff\xfe", headers("p-1"), "InvalidData: it: Invalid JSON"),
        (None, headers("p-1"), "InvalidData: it: Invalid JSON"),
        ({"payment_id": "p-1", "amount": 1}, headers("p-1"), "account_id: Field required"),
        (
            {"payment_id": "p-1", "account_id": "a", "amount": -1},
            headers("p-1"),
            "amount: Input should be greater",
        ),
        (b"x" * 1_000_001, headers("p-1"), "1,000,001 bytes"),
    ],
    ids=["no event", "not UTF-8", "no data", "field missing", "value refused", "too large"],
)
async def test_what_cannot_be_read_is_parked(
    clearing: Clearing, data: object, given: Any, error: str
) -> None:
    """With what is wrong with it, and as it was, however large; other keys go on."""
    await clearing.put("a", data, given)
    await clearing.pays("p-2", "b")
    async with at_work(clearing.receiver()):
        await until(lambda: clearing.settled == 2)

    assert clearing.account("b").balance == 1
    (found,) = clearing.errors.values()
    assert found is not None
    assert error in found
    (stream,) = clearing.parked.streams
    kept = [e.event async for e in clearing.store.read(stream)]
    assert isinstance(kept[0], RecordKept)
    if isinstance(data, bytes | None):
        assert kept[0].record.value == data
    assert list(kept[0].record.headers) == given


async def test_later_events_of_a_key_wait_behind_a_parked_one(clearing: Clearing) -> None:
    """Other keys go on; after the replay those that waited are handled, in their order."""
    failing = True

    def deposit(event: PaymentReceived) -> list[tuple[str, Deposit]]:
        if failing and event.payment_id == "p-1":
            raise LookupError("no such bank")
        deposit = Deposit(deposit_id=event.payment_id, amount=event.amount)
        return [(event.account_id, deposit)]

    clearing.incoming = Incoming("clearing", (TOPIC,), {PaymentReceived: deposit})
    for id, account in (("p-1", "a"), ("p-2", "a"), ("p-3", "b"), ("p-4", "a")):
        await clearing.pays(id, account)
    async with at_work(clearing.receiver()):
        await until(lambda: clearing.settled == 4)
        assert clearing.counts == {"parked": 3, "handled": 1}
        assert list(clearing.errors.values()) == ["LookupError: no such bank"]
        assert clearing.account("a").balance == 0

        failing = False
        await clearing.replay("a")
        await until(lambda: not clearing.parked.held)
        await clearing.pays("p-5", "a")
        await until(lambda: clearing.account("a").balance == 4)

    assert clearing.deposits("a") == ["p-1", "p-2", "p-4", "p-5"]


async def test_a_parked_record_that_comes_again_is_not_parked_twice(clearing: Clearing) -> None:
    """Nor is one handled that an operator has discarded."""
    await clearing.put("a", {"payment_id": "p-1"}, headers("p-1"))
    async with at_work(clearing.receiver()):
        await until(lambda: clearing.settled == 1)
        (id,) = clearing.parked.held
        await clearing.put("a", {"payment_id": "p-1"}, headers("p-1"))
        await until(lambda: clearing.settled == 2)
        assert len(clearing.parked.held) == 1
        await clearing.parking().discard(id, "ada", "it makes no sense")
        await clearing.pays("p-1", "a")
        await until(lambda: clearing.settled == 3)

    assert clearing.counts == {"parked": 1, "known": 2}
    assert clearing.account("a").balance == 0


class FailingStore:
    """A store that is unavailable for so many appends."""

    def __init__(self, store: Any, times: int) -> None:
        self._store, self.times, self.tried = store, times, 0
        self.read = store.read

    async def append(self, stream: str, events: Sequence[NewEvent], version: int) -> Appended:
        self.tried += 1
        if self.times:
            self.times -= 1
            raise StoreUnavailable("down")
        appended: Appended = await self._store.append(stream, events, version)
        return appended


async def test_a_store_that_is_down_delays_and_loses_nothing(clearing: Clearing) -> None:
    """However long it takes, nothing is parked; until then the group comes no further."""
    store = FailingStore(clearing.store, 50)
    await clearing.pays("p-1", "a")
    async with at_work(clearing.receiver(store)):
        await until(lambda: store.tried > 10)
        (reading,) = [
            one for one in clearing.topics._groups["bank.clearing"].readings.values() if one.next
        ]
        assert reading.committed == 0
        await until(lambda: clearing.settled == 1)

    assert clearing.account("a").balance == 1
    assert not clearing.parked.held


class FailingBus(memory.IncomingRecords):
    """A bus that breaks the connection so many times."""

    times = 3

    def consume(self, group: str, topics: Sequence[str], *, buffer: int = 100) -> Any:
        if self.times:
            self.times -= 1
            raise StoreUnavailable("no broker answers")
        return super().consume(group, topics, buffer=buffer)


async def test_a_bus_that_is_down_is_connected_to_again(clearing: Clearing) -> None:
    """Meanwhile the receiver says what is wrong, and it does not end."""
    clearing.topics = FailingBus()
    receiver, faults = clearing.receiver(), set()
    await clearing.pays("p-1", "a")
    async with at_work(receiver):
        while not clearing.settled:
            faults.add(receiver.fault)
            await asyncio.sleep(0)
        assert receiver.fault is None

    assert "no broker answers" in faults
    assert clearing.account("a").balance == 1


class OfDeaths:
    """Topics whose records have killed so many consumers."""

    def __init__(self, topics: memory.IncomingRecords, deaths: int) -> None:
        self._topics, self._deaths = topics, deaths

    @asynccontextmanager
    async def consume(self, *given: Any, **options: Any) -> AsyncIterator[Any]:
        async with self._topics.consume(*given, **options) as arrivals:
            yield self._marked(arrivals)

    async def _marked(self, arrivals: Any) -> AsyncIterator[Any]:
        async for arrival in arrivals:
            arrival.deaths = self._deaths
            yield arrival


@pytest.mark.parametrize(("deaths", "outcome"), [(2, "handled"), (3, "parked")])
async def test_a_record_that_may_kill_its_process_is_parked(
    clearing: Clearing, deaths: int, outcome: str
) -> None:
    """When three have ended with it in hand; it is not tried again before a person says so."""
    await clearing.pays("p-1", "a")
    async with at_work(clearing.receiver(records=OfDeaths(clearing.topics, deaths))):
        await until(lambda: clearing.settled == 1)

    assert clearing.counts == {outcome: 1}
    assert clearing.account("a").balance == (1 if outcome == "handled" else 0)


async def test_receivers_share_the_keys(clearing: Clearing) -> None:
    """Also when one joins or leaves in the middle: each payment once, in the order of its key."""
    accounts = [f"a{number}" for number in range(12)]
    async with at_work(clearing.receiver()):
        for round in range(5):
            for account in accounts:
                await clearing.pays(f"{account}:{round}", account)
        async with at_work(clearing.receiver(), clearing.receiver()):
            await until(lambda: clearing.settled > 20)
            for round in range(5, 10):
                for account in accounts:
                    await clearing.pays(f"{account}:{round}", account)
        await until(lambda: all(clearing.account(one).balance == 10 for one in accounts))

    for account in accounts:
        assert clearing.deposits(account) == [f"payment:{account}:{round}" for round in range(10)]


def test_a_declaration_that_contradicts_itself_is_refused() -> None:
    """Names that Kafka and CloudEvents do not allow, and two handlers of one version."""
    handlers = CLEARING.handlers

    class Again(PaymentReceived, name="payment.received"):
        pass

    with pytest.raises(ValueError, match="is not a publisher"):
        Incoming("Clearing House", (TOPIC,), handlers)
    with pytest.raises(ValueError, match="give topics"):
        Incoming("clearing", (), handlers)
    with pytest.raises(ValueError, match="give topics"):
        Incoming("clearing", ("all of them",), handlers)
    with pytest.raises(ValueError, match="one name and one version"):
        Incoming("clearing", (TOPIC,), {**handlers, Again: handlers[PaymentReceived]})
