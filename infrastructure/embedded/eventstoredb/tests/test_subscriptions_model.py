"""Subscriptions and a consumer group, which look on at random appends and deletes of streams."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from embedded_eventstoredb.consumer_group import Nack
from embedded_eventstoredb.errors import Refusal, StreamDeleted
from embedded_eventstoredb.group_connection import Client, Connection
from embedded_eventstoredb.group_settings import GroupSettings
from embedded_eventstoredb.persistent_subscriptions import PersistentSubscriptions
from embedded_eventstoredb.read_options import Position
from embedded_eventstoredb.readers import Readers
from embedded_eventstoredb.running_group import RunningGroup
from embedded_eventstoredb.streams import Resolved
from embedded_eventstoredb.subscriptions import (
    CaughtUp,
    LogSubscription,
    Signal,
    StreamSubscription,
)
from test_streams_model import NAMES, Model, Streams
from waiting import until

PATIENCE: Final = 20.0  # seconds; what is awaited takes a millisecond, on a quiet machine
SLOTS: Final = 2
NEVER_ENOUGH: Final = 1 << 62
CHECKPOINT: Final = 3  # events that are done make a checkpoint, and nothing else does
GROUP: Final = GroupSettings("a", "group", max_retry_count=1_000, max_checkpoint_count=CHECKPOINT)


@dataclass
class Subscriber:
    """A catch-up subscription to a stream, or to the log (None), and what it was sent."""

    stream: str | None
    after: int  # version, or position in the log
    signals: AsyncIterator[Iterable[Signal]]
    received: list[bytes] = field(default_factory=list)
    caught_up: bool = False

    async def drain(self, count: int) -> None:
        """Receive until it has caught up, and so many events."""
        async with asyncio.timeout(PATIENCE):
            while not self.caught_up or len(self.received) < count:
                for signal in await anext(self.signals):
                    self.caught_up = self.caught_up or isinstance(signal, CaughtUp)
                    if isinstance(signal, Resolved):
                        self.received.append(signal.original.id)


@dataclass
class GroupModel:
    """The expected state of a group on a stream: what was read and is not done."""

    read_to: int = -1
    checkpoint: int | None = None
    open: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    """Each with what was read before it: how many events, and up to where."""
    parked: int = 0
    count: int = 0
    counted: int = 0

    def read(self, stream: Model) -> None:
        """What the stream shows now is read; what it hides later stays open."""
        for version in range(max(self.read_to + 1, stream.first), len(stream.ids)):
            if not stream.hidden:
                self.open[stream.ids[version]] = self.count, self.read_to
                self.count += 1
                self.read_to = version

    def finish(self, *events: bytes) -> None:
        """They are dealt with; a checkpoint is written when there are enough."""
        for event in events:
            del self.open[event]
        done, position = next(iter(self.open.values()), (self.count, self.read_to))
        if done - self.counted >= CHECKPOINT:
            self.counted, self.checkpoint = done, position

    def restart(self) -> None:
        """It reads again from its last checkpoint."""
        self.read_to = -1 if self.checkpoint is None else self.checkpoint
        self.count = self.counted = 0
        self.open.clear()


class Subscriptions(Streams):
    """All that can be done to streams, with subscribers and a consumer group on ``a``."""

    @initialize()
    def open(self) -> None:
        super().open()
        self.subscribers: list[Subscriber] = []
        self.readers = Readers(held=1)  # each page is given up as soon as another one is read
        self.model, self.held = GroupModel(), set[bytes]()
        self.connection: Connection | None = None
        self.groups = PersistentSubscriptions(self.storage)
        self.run_in_loop(self.groups.start)
        self.run_in_loop(self.groups.create, GROUP)

    @property
    def group(self) -> RunningGroup:
        return self.groups.find(GROUP.stream, GROUP.group)

    @rule(name=NAMES, after=st.integers(-1, 6))
    def subscribe(self, name: str, after: int) -> None:
        if self.models[name].tombstoned:
            with pytest.raises(StreamDeleted):
                StreamSubscription(self.storage, self.readers, name, after)
            return
        subscription = StreamSubscription(self.storage, self.readers, name, after)
        self.subscribers.append(Subscriber(name, after, subscription.signals()))

    @rule(data=st.data())
    def subscribe_to_all(self, data: st.DataObject) -> None:
        places = [-1, *(position for _, _, position in self.written)]
        after = data.draw(st.sampled_from(places))
        start = Position(after, after)
        subscription = LogSubscription(
            self.storage,
            self.readers,
            start,
            lambda record: record.type == "Happened",
            window=(4, 1),
        )
        self.subscribers.append(Subscriber(None, after, subscription.signals()))

    @precondition(lambda self: self.connection is None)
    @rule()
    def connect(self) -> None:
        self.connection = self.run_in_loop(
            self.group.connect, SLOTS, Client("", "consumer", "user")
        )

    @precondition(lambda self: self.connection is not None)
    @rule()
    def disconnect(self) -> None:
        """What a consumer held is open for the next one."""
        self.run_in_loop(self.group.disconnect, self.connection)
        self.connection = None
        self.held.clear()

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def ack(self, data: st.DataObject) -> None:
        event = data.draw(st.sampled_from(sorted(self.held)))
        self.run_in_loop(self.group.ack, [event])
        self.held.remove(event)
        self.model.finish(event)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), action=st.sampled_from([Nack.RETRY, Nack.PARK, Nack.SKIP]))
    def nack(self, data: st.DataObject, action: Nack) -> None:
        """Only what is to be retried stays open."""
        event = data.draw(st.sampled_from(sorted(self.held)))
        self.run_in_loop(self.group.nack, [event], action, "on purpose")
        self.held.remove(event)
        if action is not Nack.RETRY:
            self.model.finish(event)
        self.model.parked += action is Nack.PARK

    @rule()
    def restart(self) -> None:
        """The consumer is dropped; what comes behind the last checkpoint comes again."""
        self.run_in_loop(self.groups.restart)
        if self.connection is not None:
            with pytest.raises(Refusal, match="was dropped"):
                self.run_in_loop(self.connection.receive)
        self.connection = None
        self.held.clear()
        self.model.restart()

    @invariant()
    def subscribers_have_all_that_happened_once_and_in_order(self) -> None:
        for subscriber in list(self.subscribers):
            if subscriber.stream and self.models[subscriber.stream].tombstoned:
                self.subscribers.remove(subscriber)
                with pytest.raises(StreamDeleted):
                    self.run_in_loop(subscriber.drain, NEVER_ENOUGH)
                continue
            news = self._news(subscriber)
            expected = subscriber.received + news
            self.run_in_loop(subscriber.drain, len(expected))
            assert subscriber.received == expected

    def _news(self, subscriber: Subscriber) -> list[bytes]:
        """What has come since it was looked at; each of its events is shown at that time."""
        after = subscriber.after
        if subscriber.stream is None:
            if self.written:
                subscriber.after = max(after, self.written[-1][2])
            batches = [records for _, records, position in self.written if position > after]
            return [record.id for records in batches for record in records]
        stream = self.models[subscriber.stream]
        if stream.visible is None:
            return []
        subscriber.after = max(after, len(stream.ids) - 1)
        return stream.ids[max(after + 1, stream.first) :]

    @invariant()
    def the_consumer_holds_all_that_is_open_and_fits(self) -> None:
        self.model.read(self.models[GROUP.stream])
        self.run_in_loop(self._settle)
        assert self.group.state.in_flight == len(self.held)

    async def _settle(self) -> None:
        group, model = self.group, self.model
        group.wake()
        async with asyncio.timeout(PATIENCE):
            while self.connection and len(self.held) < min(SLOTS, len(model.open)):
                event = (await self.connection.receive()).id
                assert event in model.open, "dealt with, and yet it came"
                assert event not in self.held, "the consumer holds it already"
                self.held.add(event)
        await until(lambda: group.state.parked.count == model.parked, PATIENCE)
        await until(lambda: group.state.progress.checkpoint == model.checkpoint, PATIENCE)
        await until(lambda: (group.last_known or 0) == max(model.read_to, 0), PATIENCE)

    def teardown(self) -> None:
        """Nothing is lost: a consumer that acknowledges all it gets, gets all that is open."""
        if self.connection is None:
            self.connect()
        while self.model.open:
            self.run_in_loop(self._settle)
            self.run_in_loop(self.group.ack, list(self.held))
            self.model.finish(*self.held)
            self.held.clear()
        self.run_in_loop(self.groups.stop)
        super().teardown()


TestSubscriptions = Subscriptions.TestCase
TestSubscriptions.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
