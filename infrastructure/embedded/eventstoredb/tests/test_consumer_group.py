"""The rules of a consumer group, on the pure state machine: its laws, then each by itself."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from embedded_eventstoredb.consumer_group import (
    ConsumerGroup,
    Delivery,
    Limits,
    Message,
    Nack,
)
from embedded_eventstoredb.consumer_strategies import STRATEGIES
from embedded_eventstoredb.group_progress import CheckpointPolicy

MAX_RETRIES = 2
TIMEOUT = 10.0
EAGER = CheckpointPolicy(least=1, most=1, after=None)
LIMITS = Limits(message_timeout=TIMEOUT, max_retry_count=MAX_RETRIES, checkpoints=EAGER)


def message(position: int, *, source: str = "", replayed: bool = False) -> Message[None]:
    return Message(f"{replayed}{position}".encode(), position, source, None, replayed=replayed)


def group_of(
    *positions: int, strategy: str = "RoundRobin", limits: Limits = LIMITS
) -> ConsumerGroup[None]:
    """A group that has read events at these positions, each from a source of its own name."""
    group = ConsumerGroup[None](limits, strategy)
    group.offer([message(p, source=str(p)) for p in positions], len(positions), positions[-1])
    return group


def positions(deliveries: Iterable[Delivery[None]]) -> list[int]:
    return [delivery.message.position for delivery in deliveries]


class GroupLaws(RuleBasedStateMachine):
    """Any order of reading, consumers, answers, timeouts, parking and replays."""

    @initialize(strategy=st.sampled_from(sorted(STRATEGIES)))
    def begin(self, strategy: str) -> None:
        self.group = ConsumerGroup[None](LIMITS, strategy)
        self.ordered = not strategy.startswith("Pinned")
        self.now = 0.0
        self.position = 0
        self.names = 0
        self.open: dict[bytes, Message[None]] = {}  # read or replayed, and not dealt with
        self.seen: set[bytes] = set()  # delivered at least once since it was read
        self.held: dict[bytes, tuple[str, float]] = {}  # in flight: with whom, and until when
        self.dealt_with: set[bytes] = set()
        self.parking: set[bytes] = set()
        self.next_parked = 0
        self.checkpoint = 0

    @rule(gaps=st.lists(st.integers(1, 3), max_size=6), passed_over=st.integers(0, 2))
    def read(self, gaps: Sequence[int], passed_over: int) -> None:
        page = []
        for gap in gaps:
            self.position += gap
            page.append(message(self.position, source=str(self.position % 5)))
        self.position += passed_over
        self.group.offer(page, len(page) + passed_over, self.position)
        self.open |= {item.id: item for item in page}

    @precondition(lambda self: len(self.group.consumers) < 3)
    @rule(slots=st.integers(1, 4))
    def connect(self, slots: int) -> None:
        self.names += 1
        self.group.connect(str(self.names), slots)

    @precondition(lambda self: self.group.consumers)
    @rule(data=st.data())
    def disconnect(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.group.consumers)))
        self.group.disconnect(name)
        self.held = {key: held for key, held in self.held.items() if held[0] != name}

    @rule()
    def deliver(self) -> None:
        deliveries = self.group.deliver(self.now)
        for consumer, item in deliveries:
            assert item.id in self.open, "dealt with or parked, and yet it came back"
            assert item.id not in self.held, "delivered while somebody holds it"
            self.held[item.id] = consumer.name, self.now + TIMEOUT
            self.seen.add(item.id)
        if self.ordered:
            keys = [(not d.message.retry_count, *d.message.order) for d in deliveries]
            new = [key for key in keys if key[0] and not key[1]]
            retried = [key for key in keys if not key[0]]
            assert new == sorted(new)
            assert retried == sorted(retried)

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def ack(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.seen)))
        self.group.ack([key])
        if key not in self.parking:
            self._deal_with(key)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), action=st.sampled_from(Nack))
    def nack(self, data: st.DataObject, action: Nack) -> None:
        key = data.draw(st.sampled_from(sorted(self.held)))
        self.group.nack([key], action)
        del self.held[key]
        if action in (Nack.SKIP, Nack.STOP):
            self._deal_with(key)
        self._take_parkings()

    @rule(seconds=st.sampled_from([1.0, TIMEOUT / 2, TIMEOUT]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.group.expire(self.now)
        self.held = {key: held for key, held in self.held.items() if held[1] > self.now}
        self._take_parkings()

    @precondition(lambda self: self.parking)
    @rule(data=st.data())
    def write_parked(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.parking)))
        self.group.park(self.open[key], self.next_parked)
        self.next_parked += 1
        self.parking.discard(key)
        self._deal_with(key)

    @precondition(lambda self: self.group.parked.count or self.group.parked.wanted)
    @rule()
    def replay(self) -> None:
        self.group.parked.replay(None)
        wanted = self.group.parked.wanted
        page = [message(number, replayed=True) for number in wanted]
        self.group.offer_replays(page, wanted.stop)
        self.open |= {item.id: item for item in page}

    @invariant()
    def checkpoints_never_pass_an_open_event(self) -> None:
        if not hasattr(self, "group"):
            return
        checkpoint = self.group.progress.due(self.now, timer=False)
        if checkpoint is not None:
            assert checkpoint > self.checkpoint
            self.checkpoint = checkpoint
        lowest = [item.position for item in self.open.values() if not item.replayed]
        assert self.checkpoint < min(lowest, default=self.checkpoint + 1)

    @invariant()
    def the_group_counts_what_is_held(self) -> None:
        if hasattr(self, "group"):
            assert self.group.in_flight == len(self.held)

    @invariant()
    def nobody_holds_more_than_its_slots(self) -> None:
        for consumer in self.group.consumers.values() if hasattr(self, "group") else ():
            assert consumer.in_flight <= consumer.slots

    def teardown(self) -> None:
        """Nothing is lost: a consumer that stays and acks receives all open events; then all are
        done.
        """
        if not hasattr(self, "group"):
            return
        for key in list(self.parking):
            self.group.park(self.open[key], self.next_parked)
            self.next_parked += 1
            self._deal_with(key)
        for name in list(self.group.consumers):
            self.group.disconnect(name)
        self.group.connect("last", 2)
        while deliveries := self.group.deliver(self.now):
            for delivery in deliveries:
                self._deal_with(delivery.message.id)
            self.group.ack([delivery.message.id for delivery in deliveries])
        assert self.open == {}
        last = self.group.progress.due(self.now, timer=False)
        assert (self.checkpoint if last is None else last) == self.position

    def _deal_with(self, key: bytes) -> None:
        self.open.pop(key, None)
        self.held.pop(key, None)
        self.seen.discard(key)

    def _take_parkings(self) -> None:
        for parking in self.group.take_parkings():
            if parking.reason.startswith("Reached"):
                assert parking.message.retry_count >= MAX_RETRIES  # a disconnect adds one
            self.parking.add(parking.message.id)


TestGroupLaws = GroupLaws.TestCase
TestGroupLaws.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)


def test_a_retried_event_goes_before_new_ones() -> None:
    """What was tried goes first, in the order of the source; then what never was."""
    group = group_of(1, 2, 3, 4)
    group.connect("a", 3)
    group.deliver(0.0)
    group.nack([message(3).id], Nack.RETRY)
    group.nack([message(1).id], Nack.RETRY)
    group.ack([message(2).id])
    deliveries = group.deliver(0.0)
    assert [(d.message.position, d.message.retry_count) for d in deliveries] == [
        (1, 1),
        (3, 1),
        (4, 0),
    ]


def test_an_unanswered_event_is_parked_after_its_retries() -> None:
    """An event that times out is retried ``max_retry_count`` times, then parked."""
    group = group_of(1)
    group.connect("a", 1)
    for retry in range(MAX_RETRIES + 1):
        assert [d.message.retry_count for d in group.deliver(retry * TIMEOUT)] == [retry]
        group.expire((retry + 1) * TIMEOUT - 0.1)
        assert group.in_flight == 1
        group.expire((retry + 1) * TIMEOUT)
    assert group.deliver(99.0) == []
    (parking,) = group.take_parkings()
    assert parking.reason == "Reached retry count of 2"


def test_a_late_ack_counts() -> None:
    """An ack that comes when the event already waits for its retry ends it."""
    group = group_of(1)
    group.connect("a", 1)
    group.deliver(0.0)
    group.expire(TIMEOUT)
    group.ack([message(1).id])
    assert group.deliver(TIMEOUT) == []
    assert group.progress.due(TIMEOUT, timer=False) == 1


def test_events_that_share_an_id_are_not_out_together() -> None:
    """Of two events with one id the second waits for the first, since an ack names only the id."""
    group = ConsumerGroup[None](LIMITS, "RoundRobin")
    group.offer([Message(b"twin", 1, "", None), Message(b"twin", 2, "", None)], 2, 2)
    group.connect("a", 5)
    assert positions(group.deliver(0.0)) == [1]
    group.ack([b"twin"])
    assert positions(group.deliver(0.0)) == [2]


def test_what_a_lost_consumer_held_goes_to_the_others() -> None:
    """A consumer that goes gives back what it held; that alone never parks an event."""
    group = group_of(1, 2)
    for lost in range(MAX_RETRIES + 2):
        group.connect(f"lost {lost}", 2)
        assert positions(group.deliver(0.0)) == [1, 2]
        group.disconnect(f"lost {lost}")
    group.connect("stays", 2)
    assert positions(group.deliver(0.0)) == [1, 2]
    assert group.take_parkings() == []


def test_the_checkpoint_waits_for_parking() -> None:
    """An event on its way to the parked stream is not done before it is there."""
    group = group_of(1)
    group.connect("a", 1)
    group.deliver(0.0)
    group.nack([message(1).id], Nack.PARK, "broken")
    (parking,) = group.take_parkings()
    assert parking.reason == "Client explicitly NAK'ed message.\nbroken"
    assert group.progress.due(0.0, timer=False) is None
    group.park(parking.message, 0)
    assert group.progress.due(0.0, timer=False) == 1
    assert group.parked.count == 1


def test_a_replay_takes_events_out_of_the_parked_stream_at_once() -> None:
    """The parked stream is truncated behind all events to replay before they are delivered."""
    group = group_of(1)
    group.parked.add(0)
    assert group.parked.truncation() is None
    group.parked.replay(None)
    assert (group.parked.count, group.parked.wanted) == (0, range(1))
    assert group.parked.truncation() == 1
    assert group.parked.truncation() is None
    group.offer_replays([message(0, replayed=True)], 1)
    group.connect("a", 1)
    assert positions(group.deliver(0.0)) == [0]


def test_a_replay_can_stop_before_a_number() -> None:
    """Only parked events before ``stop_at`` come back; the others stay parked."""
    group = group_of(1)
    for number in range(3):
        group.parked.add(number)
    group.parked.replay(2)
    assert (group.parked.count, group.parked.wanted) == (1, range(2))


@pytest.mark.parametrize(
    ("done", "timer", "now", "checkpoint"),
    [
        (9, False, 100.0, None),
        (10, False, 0.0, 10),
        (3, True, 5.0, 3),
        (3, False, 5.0, None),
        (2, True, 5.0, None),
    ],
)
def test_when_a_checkpoint_is_due(
    done: int, timer: bool, now: float, checkpoint: int | None
) -> None:
    """At once at the maximum count; by the timer at the minimum count."""
    policy = CheckpointPolicy(least=3, most=10, after=5.0)
    group = group_of(*range(1, 21), limits=Limits(checkpoints=policy))
    group.connect("a", 20)
    group.deliver(0.0)
    group.ack([message(position).id for position in range(1, done + 1)])
    assert group.progress.due(now, timer=timer) == checkpoint


def test_the_timer_waits_between_two_checkpoints() -> None:
    """The timer writes the next checkpoint only when ``checkpoint_after`` has passed."""
    policy = CheckpointPolicy(least=1, most=10, after=5.0)
    group = group_of(1, 2, limits=Limits(checkpoints=policy))
    group.connect("a", 2)
    group.deliver(0.0)
    group.ack([message(1).id])
    assert group.progress.due(1.0, timer=True) == 1
    group.ack([message(2).id])
    assert group.progress.due(5.9, timer=True) is None
    assert group.progress.due(6.0, timer=True) == 2


def test_events_that_are_passed_over_count_for_checkpoints() -> None:
    """A group with a filter that matches nothing still moves its checkpoint."""
    group = group_of(1)
    group.connect("a", 1)
    group.deliver(0.0)
    group.offer([], 500, 900)
    assert group.progress.due(0.0, timer=False) is None
    group.ack([message(1).id])
    assert group.progress.due(0.0, timer=False) == 900


def test_the_buffer_has_room_for_whole_pages_only() -> None:
    """A page is read only while more than a page fits the history buffer."""
    limits = Limits(read_batch_size=4, history_buffer_size=10)
    group = group_of(1, 2, 3, 4, 5, limits=limits)
    assert group.has_room
    group.offer([message(6)], 1, 6)
    assert not group.has_room


def test_round_robin_takes_turns() -> None:
    """Every event goes to the next consumer; one that is full is passed over."""
    group = group_of(1, 2, 3, 4, 5)
    group.connect("a", 2)
    group.connect("b", 3)
    assert [d.consumer.name for d in group.deliver(0.0)] == ["a", "b", "a", "b", "b"]


def test_dispatch_to_single_fills_one_consumer_first() -> None:
    """All events go to one consumer until it is full, then to the next."""
    group = group_of(1, 2, 3, 4, strategy="DispatchToSingle")
    group.connect("a", 3)
    group.connect("b", 3)
    assert [d.consumer.name for d in group.deliver(0.0)] == ["a", "a", "a", "b"]


def test_pinned_keeps_a_source_with_one_consumer() -> None:
    """Events of one source go to one consumer; while it is full they wait, and others pass."""
    group = ConsumerGroup[None](LIMITS, "Pinned")
    group.connect("a", 1)
    group.connect("b", 9)
    sources = ["one", "two", "one", "two", "one"]
    group.offer([message(p, source=s) for p, s in enumerate(sources)], 5, 4)
    first = {(d.message.source, d.consumer.name) for d in group.deliver(0.0)}
    assert first == {("one", "a"), ("two", "b")}
    for done, following in [(0, 2), (2, 4)]:
        group.ack([message(done).id])
        (waited,) = group.deliver(0.0)
        assert (waited.message.position, waited.consumer.name) == (following, "a")


def test_pinned_gives_a_newcomer_its_share() -> None:
    """A consumer that joins takes over buckets, idle ones first, until the shares are even."""
    group = ConsumerGroup[None](LIMITS, "Pinned")
    group.connect("a", 9)
    group.offer([message(p, source=str(p)) for p in range(4)], 4, 3)
    group.deliver(0.0)
    group.ack([message(0).id, message(1).id])
    group.connect("b", 9)
    group.offer([message(p + 10, source=str(p)) for p in range(4)], 4, 13)
    owners = {d.message.source: d.consumer.name for d in group.deliver(0.0)}
    assert owners == {"0": "b", "1": "b", "2": "a", "3": "a"}
