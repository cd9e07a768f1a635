"""Consumer groups at work: faults that pass, faults that stay, and the order of a stream."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import reduce
from typing import cast
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.claim_check import ClaimCheck
from application.consuming import HANDED_OUT, SUSPECT, GroupConsumer
from application.event_filter import EventFilter
from application.messages import Context, NewEvent, RecordedEvent
from application.parking import ParkedEvents, ParkingEvent, evolve
from application.parking_stream import ParkingStream
from application.ports import (
    NO_STREAM,
    ConsumerGroups,
    OutcomeUnknown,
    PayloadUnavailable,
    ProviderUnavailable,
    StoreUnavailable,
)
from infrastructure import memory
from infrastructure.memory.consumer_groups import Delivery
from tests.histories import law
from tests.sample.aggregates import TRANSFER
from tests.sample.service import SAMPLE
from tests.sample.transfers import TransferCancelled
from tests.waiting import until, until_true

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
Handle = Callable[[RecordedEvent], Awaitable[None]]


class Mark(Exception):
    """Something that no waiting mends."""


class Work:
    """A store, a group, and a handler that notes what it has done and fails as it is told."""

    def __init__(self) -> None:
        self.store, self.payloads = memory.EventStore(SAMPLE.catalogue), memory.PayloadStore()
        self.groups: ConsumerGroups = memory.ConsumerGroups(self.store)
        self.failing: dict[str, Callable[[], Exception]] = {}
        self.left: Counter[str] = Counter()  # how often each still fails; below zero: for ever
        self.handled: list[str] = []
        self.tried: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()

    def parking(self) -> ParkingStream:
        return ParkingStream(ClaimCheck(self.store, self.payloads), "work")

    def fail(self, name: str, error: Callable[[], Exception], times: int = -1) -> None:
        self.failing[name], self.left[name] = error, times

    async def put(self, *names: str) -> None:
        """``a1``: one more event of the stream ``transfer-a``, called so by its reason."""
        for name in names:
            stream = f"transfer-{name[0]}"
            context = Context.start("a test", uuid4(), NOON)
            new = SAMPLE.catalogue.new_event(TransferCancelled(reason=name), uuid4(), context)
            await self.store.append(stream, [new], self.versions[stream] - 1)
            self.versions[stream] += 1

    async def handle(self, recorded: RecordedEvent) -> None:
        event = recorded.event
        assert isinstance(event, TransferCancelled)
        name = event.reason
        self.tried[name] += 1
        await asyncio.sleep(0)
        if name in self.failing and self.left[name] != 0:
            self.left[name] -= 1
            raise self.failing[name]()
        self.handled.append(name)

    def consumer(self, handle: Handle | None = None, at_once: int = 8) -> GroupConsumer:
        return GroupConsumer(
            "work",
            TRANSFER.only(TransferCancelled),
            handle or self.handle,
            self.groups,
            ClaimCheck(self.store, self.payloads),
            self.payloads,
            self.parking(),
            at_once=at_once,
            pause=no_pause,
        )

    def parked_now(self) -> ParkedEvents:
        """The parked events at this moment."""
        log = self.store.after(-1, 10_000)
        events = (recorded.event for recorded in log if recorded.stream == "parking-work")
        return reduce(evolve, cast("Iterator[ParkingEvent]", events), ParkedEvents())

    def first_error(self, stream: str) -> str | None:
        """Of what comes first in that stream."""
        first = self.parked_now().first(stream)
        return first.parked.error if first else None

    async def parked(self) -> list[str]:
        """The reasons of what is held, in the order of its streams."""
        parking = await self.parking().look()
        found = []
        for stream in sorted(parking.streams):
            for id in parking.streams[stream]:
                events = [e async for e in self.store.read(stream) if e.id == id]
                event = events[0].event
                assert isinstance(event, TransferCancelled)
                found.append(event.reason)
        return found

    async def replay(self, name: str) -> None:
        parking = self.parking()
        stream = f"transfer-{name[0]}"
        await parking.replay((await parking.look()).streams[stream][0], "ada")

    async def idle(self) -> bool:
        """Nothing is in hand, and nothing is to come."""
        return (await self.groups.info("work")).in_flight == 0


async def no_pause(_attempt: int) -> None:
    await asyncio.sleep(0)


@asynccontextmanager
async def at_work(*consumers: GroupConsumer) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(consumer.run()) for consumer in consumers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@pytest.fixture
def work() -> Work:
    return Work()


async def test_events_are_handled_past_and_future(work: Work) -> None:
    """Those of a stream in their order, each once as long as nothing goes wrong."""
    await work.put("a1", "a2", "b1")
    async with at_work(work.consumer()):
        await until(lambda: len(work.handled) == 3)
        await work.put("a3")
        await until(lambda: len(work.handled) == 4)
        await until_true(work.idle)

    assert [name for name in work.handled if name[0] == "a"] == ["a1", "a2", "a3"]


async def test_one_event_of_a_stream_at_a_time(work: Work) -> None:
    """Streams side by side, but never two events of the same one."""
    in_hand: Counter[str] = Counter()
    most: Counter[str] = Counter()

    async def handle(recorded: RecordedEvent) -> None:
        for subject in (recorded.stream, "all"):
            in_hand[subject] += 1
            most[subject] = max(most[subject], in_hand[subject])
        for _ in range(10):
            await asyncio.sleep(0)
        for subject in (recorded.stream, "all"):
            in_hand[subject] -= 1
        await work.handle(recorded)

    await work.put(*(f"{stream}{number}" for number in range(5) for stream in "abc"))
    async with at_work(work.consumer(handle)):
        await until(lambda: len(work.handled) == 15)

    assert most["transfer-a"] == most["transfer-b"] == most["transfer-c"] == 1
    assert most["all"] == 3


@pytest.mark.parametrize(
    "error", [StoreUnavailable, ProviderUnavailable, OutcomeUnknown], ids=lambda e: e.__name__
)
async def test_what_passes_is_sat_out(work: Work, error: type[Exception]) -> None:
    """However long it takes, nothing is parked, and the event is handled in the end."""
    await work.put("a1", "b1")
    work.fail("a1", error, times=50)
    async with at_work(work.consumer()):
        await until(lambda: set(work.handled) == {"a1", "b1"})

    assert work.tried["a1"] == 51
    assert await work.parked() == []


async def test_what_stays_wrong_is_parked_and_the_rest_flows(work: Work) -> None:
    """Tried three times, then set aside with its error; later ones of its stream wait behind it."""
    work.fail("a2", lambda: Mark("no such thing"))
    await work.put("a1", "a2", "a3", "b1", "b2")
    async with at_work(work.consumer()):
        await until_true(lambda: parked_are(work, ["a2", "a3"]))
        await until(lambda: {"a1", "b1", "b2"} <= set(work.handled))
        await work.put("a4", "b3")
        await until_true(lambda: parked_are(work, ["a2", "a3", "a4"]))
        await until(lambda: "b3" in work.handled)

    parking = await work.parking().look()
    held = parking.held[parking.streams["transfer-a"][0]]
    assert (held.parked.error, held.parked.attempts) == ("Mark: no such thing", 3)
    assert parking.waiting_behind(held) == 2
    assert (work.tried["a2"], work.tried["a3"]) == (3, 0)


async def parked_are(work: Work, names: list[str]) -> bool:
    return await work.parked() == names


async def test_a_replayed_event_takes_along_what_waits_behind_it(work: Work) -> None:
    """In order, up to what fails again: that one is parked anew, and the rest stays behind it."""
    work.fail("a1", Mark)
    work.fail("a3", Mark)
    await work.put("a1", "a2", "a3", "a4")
    async with at_work(work.consumer()):
        await until_true(lambda: parked_are(work, ["a1", "a2", "a3", "a4"]))
        await work.replay("a1")
        await until(lambda: work.tried["a1"] == 6)  # in vain
        await until_true(work.idle)
        assert await work.parked() == ["a1", "a2", "a3", "a4"]

        work.fail("a1", Mark, times=0)
        await work.replay("a1")
        await until_true(lambda: parked_are(work, ["a3", "a4"]))
        await until_true(work.idle)
        work.fail("a3", Mark, times=0)
        await work.replay("a3")
        await until_true(lambda: parked_are(work, []))

    assert work.handled == ["a1", "a2", "a3", "a4"]


async def test_what_is_discarded_lets_the_next_go_on(work: Work) -> None:
    """The reason is kept, the event is never handled, and what waited behind it is."""
    work.fail("a1", Mark)
    await work.put("a1", "a2")
    async with at_work(work.consumer()):
        await until_true(lambda: parked_are(work, ["a1", "a2"]))
        parking = work.parking()
        first = (await parking.look()).streams["transfer-a"][0]
        await parking.discard(first, "ada", "done by hand")
        await until_true(lambda: parked_are(work, []))

    assert work.handled == ["a2"]


async def test_what_cannot_be_read_is_parked(work: Work) -> None:
    """Bytes of another system, and a payload that is gone: nothing to wait for."""
    metadata = Context.start("a test", uuid4(), NOON).metadata(1)
    alien = NewEvent(uuid4(), "TransferCancelled", b"no json", metadata)
    gone = b'{"$claimCheck":{"sha256":"' + b"0" * 64 + b'"}}'
    await work.store.append("transfer-x", [alien], NO_STREAM)
    await work.store.append(
        "transfer-y", [NewEvent(uuid4(), "TransferCancelled", gone, metadata)], NO_STREAM
    )
    async with at_work(work.consumer()):
        await until_true(lambda: holds(work, 2))

    errors = [held.parked.error or "" for held in (await work.parking().look()).held.values()]
    assert sorted(error.partition(":")[0] for error in errors) == [
        PayloadUnavailable.__name__,
        "UnreadableEvent",
    ]


async def holds(work: Work, count: int) -> bool:
    return len((await work.parking().look()).held) == count


async def test_the_full_data_is_handled(work: Work) -> None:
    """A claim check is resolved before the handler sees the event."""
    digest = await work.payloads.put(b'{"reason":"a1"}')
    reference = b'{"$claimCheck":{"sha256":"' + digest.encode() + b'"}}'
    metadata = Context.start("a test", uuid4(), NOON).metadata(1)
    await work.store.append(
        "transfer-a", [NewEvent(uuid4(), "TransferCancelled", reference, metadata)], NO_STREAM
    )
    async with at_work(work.consumer()):
        await until(lambda: work.handled == ["a1"])


async def test_what_kills_its_workers_is_parked_untried(work: Work) -> None:
    """Handed out again and again without an answer, it is parked; the innocent are handled."""
    dying = asyncio.Event()

    async def handle(recorded: RecordedEvent) -> None:
        await work.handle(recorded)
        if work.handled[-1] == "a1":
            dying.set()
            await asyncio.Event().wait()  # the process is about to be gone

    await work.put("a1", *(f"{stream}1" for stream in "bcdef"))
    lives = 0
    while await work.parked() != ["a1"]:
        dying.clear()
        async with at_work(work.consumer(handle)):
            lives += 1
            await until_true(lambda: settled_or(dying, work))

    assert lives == HANDED_OUT + 2
    assert work.tried["a1"] == HANDED_OUT + 1
    assert set(work.handled) == {f"{stream}1" for stream in "abcdef"}


async def settled_or(dying: asyncio.Event, work: Work) -> bool:
    return dying.is_set() or await parked_are(work, ["a1"])


async def test_a_suspect_is_handled_alone(work: Work) -> None:
    """What has come several times without an answer takes no others along when it kills."""
    in_hand, most = 0, 0

    async def hang(_: RecordedEvent) -> None:
        await asyncio.Event().wait()

    async def handle(recorded: RecordedEvent) -> None:
        nonlocal in_hand, most
        in_hand += 1
        most = max(most, in_hand)
        await work.handle(recorded)
        in_hand -= 1

    await work.groups.ensure("work", only=TRANSFER.only(TransferCancelled))
    await work.put("a1", "b1", "c1", "d1")
    for _ in range(SUSPECT):
        async with at_work(work.consumer(hang)):
            await until_true(lambda: in_flight(work, 4))
    async with at_work(work.consumer(handle)):
        await until(lambda: len(work.handled) == 4)

    assert most == 1


async def in_flight(work: Work, count: int) -> bool:
    return (await work.groups.info("work")).in_flight == count


async def test_a_store_that_breaks_off_is_returned_to(work: Work) -> None:
    """The connection ends, even the group is gone: the consumer begins again."""
    await work.put("a1")
    async with at_work(work.consumer()):
        await until(lambda: work.handled == ["a1"])
        await work.groups.delete("work")
        await until(lambda: work.handled == ["a1", "a1"])  # a new group begins with the oldest
        await work.put("a2")
        await until(lambda: work.handled[-1] == "a2")


async def test_looks_at_once_share_a_read() -> None:
    """Fifty questions at once cost two: one for the first, one begun after the others came."""
    reads = 0

    class Counting(memory.EventStore):
        def read(self, *args: object, **options: object) -> AsyncIterator[RecordedEvent]:
            nonlocal reads
            reads += 1
            return super().read(*args, **options)  # type: ignore[arg-type]  # as they came

    parking = ParkingStream(Counting(SAMPLE.catalogue), "work")
    await asyncio.gather(*(parking.look() for _ in range(50)))
    assert reads == 2
    await parking.look()
    assert reads == 3


@law(60)
@given(data=st.data())
async def test_nothing_is_lost_and_order_is_kept_whatever_fails(data: st.DataObject) -> None:
    """Two workers, failures and deaths by chance, replays: in the end each event was handled.

    And none that came to a worker when one before it in its stream was parked was tried there.
    """
    work, overtaken = Work(), list[str]()
    groups = work.groups = Watched(work)
    names = [f"{stream}{number}" for number in range(4) for stream in "abc"]
    for name in data.draw(st.sets(st.sampled_from(names), max_size=5)):
        work.fail(name, Mark, times=data.draw(st.integers(1, 7)))

    async def handle(recorded: RecordedEvent) -> None:
        event = recorded.event
        assert isinstance(event, TransferCancelled)
        held = work.parked_now().held
        if recorded.id in groups.came_too_early and recorded.id not in held:
            overtaken.append(event.reason)
        await work.handle(recorded)

    await work.put(*names)
    for steps in data.draw(st.lists(st.integers(1, 60), max_size=SUSPECT - 1)):
        async with at_work(*(work.consumer(handle, at_once=3) for _ in range(2))):
            for _ in range(steps):  # then they die
                await asyncio.sleep(0)
    async with at_work(work.consumer(handle)):
        await until_true(lambda: all_done(work, names))

    assert overtaken == []


class Watched(memory.ConsumerGroups):
    """Notes which events were handed out when one before them in their stream was parked."""

    def __init__(self, work: Work) -> None:
        super().__init__(work.store)
        self._work = work
        self.came_too_early: set[UUID] = set()

    @asynccontextmanager
    async def consume(
        self, group: str, *, only: EventFilter, buffer: int = 100
    ) -> AsyncIterator[AsyncIterator[Delivery]]:
        async with super().consume(group, only=only, buffer=buffer) as deliveries:
            yield self._watched(deliveries)

    async def _watched(self, deliveries: AsyncIterator[Delivery]) -> AsyncIterator[Delivery]:
        async for delivery in deliveries:
            event = delivery.recorded
            if self._work.parked_now().first(event.stream, before=event.version):
                self.came_too_early.add(event.id)
            yield delivery


async def all_done(work: Work, names: Collection[str]) -> bool:
    """Replay what is parked, as a patient person would, until all has been handled."""
    parking = await work.parking().look()
    for stream in parking.streams:
        first = parking.first(stream)
        if first and not first.ready:
            await work.replay(stream.removeprefix("transfer-"))
    return set(names) <= set(work.handled) and not (await work.parking().look()).held


async def test_a_lot_with_a_hole_keeps_events_in_hand_and_says_so(work: Work) -> None:
    """Nobody knows what is parked: nothing is handled, until an operator has mended the stream."""
    work.fail("b1", lambda: Mark("no such thing"))
    await work.put("b1")
    async with at_work(work.consumer()):
        await until_true(lambda: parked_are(work, ["b1"]))
    work.store.truncate("parking-work", 1)
    await work.put("a1")
    consumer = work.consumer()
    async with at_work(consumer):
        await until(lambda: consumer.stalled is not None)
        assert "parking-work lacks version 0" in str(consumer.stalled)
        assert work.handled == []
        work.store.truncate("parking-work", 0)
        await until(lambda: work.handled == ["a1"])

    assert consumer.stalled is None


async def test_a_replay_from_a_stream_with_a_hole_is_parked_again(work: Work) -> None:
    """The group goes on, and the event waits for whoever mends its stream."""
    work.fail("a1", lambda: Mark("no such thing"), times=3)
    await work.put("a1", "a2")
    async with at_work(work.consumer()):
        await until_true(lambda: parked_are(work, ["a1", "a2"]))
        work.store.truncate("transfer-a", 2)
        await work.replay("a1")
        await until(lambda: "transfer-a lacks version 0" in str(work.first_error("transfer-a")))
        await work.put("b1")
        await until(lambda: work.handled == ["b1"])
        work.store.truncate("transfer-a", 0)
        await work.replay("a1")
        await until(lambda: work.handled == ["b1", "a1", "a2"])
