"""What servers were seen to answer, and what the adapter takes it for."""

import asyncio
import time
from itertools import count

import pytest
from esdbclient.protos.Grpc import shared_pb2, status_pb2
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendReq, BatchAppendResp, ReadResp
from google.protobuf import any_pb2

from application.ports import (
    NO_STREAM,
    Appended,
    Progress,
    StoreUnavailable,
    StreamDeleted,
    WrongExpectedVersion,
)
from infrastructure.eventstoredb import EventStore, Subscriptions, system_projections
from infrastructure.eventstoredb import client as client_module
from tests.contracts.made_up import all_of, event, only
from tests.infrastructure.scripted_server import (
    CAUGHT_UP,
    NOWHERE,
    Script,
    checkpoint,
    recorded,
    scripted,
)
from tests.sample.service import SAMPLE
from tests.waiting import PATIENCE, until


async def followed(script: Script, after: int | None, count: int) -> list[object]:
    async with (
        scripted(script) as client,
        Subscriptions(client, SAMPLE.catalogue).catch_up(
            after=after, only=only("Noted")
        ) as messages,
        asyncio.timeout(PATIENCE),
    ):
        return [await anext(messages) for _ in range(count)]


@pytest.mark.parametrize("after", [None, -1])
async def test_a_checkpoint_before_everything_is_no_position(after: int | None) -> None:
    """A fresh server sends 2^64-1 for "nothing looked at yet": it has caught up at the start."""
    script = Script()
    script.subscription = [checkpoint(NOWHERE, NOWHERE), CAUGHT_UP]

    assert await followed(script, after, 1) == [Progress(-1, caught_up=True)]


async def test_only_the_commit_position_of_a_checkpoint_counts() -> None:
    """Its prepare position may be 0, or nowhere."""
    script = Script()
    script.subscription = [checkpoint(1140, 0), checkpoint(3269, NOWHERE), CAUGHT_UP]

    assert await followed(script, None, 3) == [
        Progress(1140, caught_up=False),
        Progress(3269, caught_up=False),
        Progress(3269, caught_up=True),
    ]


async def test_a_checkpoint_never_leads_back() -> None:
    """One that lies before what was seen already would have events told twice."""
    script = Script()
    script.subscription = [checkpoint(0, 0), CAUGHT_UP]

    assert await followed(script, 77, 1) == [Progress(77, caught_up=True)]


@pytest.mark.parametrize(("version", "position"), [(NOWHERE, 5), (5, NOWHERE)])
async def test_an_event_at_no_place_is_refused(version: int, position: int) -> None:
    """Neither a subscription nor a read passes a number on that is no version or position."""
    script = Script()
    there = recorded(event(), "transfer-1", version, position)
    script.subscription, script.read = [there], lambda _: [there]

    with pytest.raises(StoreUnavailable, match=f"{NOWHERE} as the (version|position) of an event"):
        await followed(script, None, 1)
    with pytest.raises(StoreUnavailable, match=f"{NOWHERE} as the (version|position) of an event"):
        async with scripted(script) as client:
            await all_of(EventStore(client, SAMPLE.catalogue).read("transfer-1"))


def success(version: int, position: int) -> BatchAppendResp:
    answer = BatchAppendResp(success=BatchAppendResp.Success(current_revision=version))
    answer.success.position.commit_position = position
    return answer


def wrong(found: shared_pb2.WrongExpectedVersion) -> BatchAppendResp:
    details = any_pb2.Any()
    details.Pack(found)
    return BatchAppendResp(error=status_pb2.Status(message="WrongExpectedVersion", details=details))


async def appended(script: Script, *, expected: int = NO_STREAM) -> Appended:
    async with scripted(script) as client, asyncio.timeout(PATIENCE):
        store = EventStore(client, SAMPLE.catalogue, patience=0.3)
        return await store.append("transfer-1", [event()], expected)


async def test_where_an_append_ended_is_what_the_server_says() -> None:
    """Its version and its position; neither is made up of what was expected."""
    script = Script()
    script.append = lambda _: success(5, 815)

    assert await appended(script, expected=4) == Appended(5, 815)


async def test_a_stream_that_the_server_began_anew_is_told() -> None:
    """One that was deleted goes on counting where it was: the decision saw only a part of it."""
    script = Script()
    script.append = lambda _: success(3, 815)

    with pytest.raises(StreamDeleted, match="transfer-1"):
        await appended(script)


@pytest.mark.parametrize(("found", "actual"), [(7, 7), (None, NO_STREAM)])
async def test_a_conflict_names_the_version_that_the_server_found(
    found: int | None, actual: int
) -> None:
    """As a number of the protocol, whatever the client writes into its message."""
    version = shared_pb2.WrongExpectedVersion()
    if found is None:
        version.current_no_stream.SetInParent()
    else:
        version.current_stream_revision = found
    script = Script()
    script.append = lambda _: wrong(version)

    with pytest.raises(WrongExpectedVersion) as conflict:
        await appended(script, expected=4)
    assert conflict.value.actual == actual


class Silent(Script):
    """It stores what it is asked to append, and does not say so; now and then it only drops it."""

    def __init__(self, drops: int = 0) -> None:
        super().__init__()
        self.drops, self.stored = drops, list[ReadResp]()
        self.append, self.read = self._keep, lambda _: self.stored

    def _keep(self, request: BatchAppendReq) -> None:
        if len(self.appends) > self.drops:
            stream = request.options.stream_identifier.stream_name.decode()
            first = (
                request.options.stream_position + 1
                if request.options.HasField("stream_position")
                else 0
            )
            self.stored = [
                _as_read(message, stream, first + number, 100 + number)
                for number, message in enumerate(request.proposed_messages)
            ]


def _as_read(
    message: BatchAppendReq.ProposedMessage, stream: str, version: int, position: int
) -> ReadResp:
    there = recorded(event(), stream, version, position)
    there.event.event.id.CopyFrom(message.id)
    return there


async def test_an_append_that_is_not_answered_is_looked_for() -> None:
    """Long before its time is out: it is answered as if it had been the first time."""
    script = Silent()

    async with scripted(script) as client, asyncio.timeout(PATIENCE):
        store = EventStore(client, SAMPLE.catalogue, patience=2 * PATIENCE)
        assert await store.append("transfer-1", [event()], 4) == Appended(5, 100)
    assert len(script.appends) == 1


async def test_a_slow_server_is_not_asked_where_appends_are() -> None:
    """While it answers one after the other, those that wait are not read: that would add to it."""
    script, turn, number = Script(), asyncio.Lock(), count()

    async def answer(_: BatchAppendReq) -> BatchAppendResp:
        async with turn:
            await asyncio.sleep(0.05)
        return success(0, next(number))

    script.append_later = answer
    async with scripted(script) as client, asyncio.timeout(PATIENCE):
        store = EventStore(client, SAMPLE.catalogue, patience=PATIENCE)
        streams = [f"transfer-{number}" for number in range(12)]
        began = time.monotonic()
        read = script.reads
        await asyncio.gather(*(store.append(one, [event()], NO_STREAM) for one in streams))
        assert time.monotonic() - began > 0.5, "long enough for a look"
    assert script.reads == read


async def test_an_append_that_is_passed_over_is_looked_for() -> None:
    """It is not answered while later ones are: it is looked for, however busy the server is."""
    script = Silent()
    script.append_later = lambda request: _unless_first(request)

    async with scripted(script) as client, asyncio.timeout(PATIENCE):
        store = EventStore(client, SAMPLE.catalogue, patience=2 * PATIENCE)
        first = asyncio.create_task(store.append("transfer-1", [event()], 4))
        await until(lambda: bool(script.appends))
        number = 0
        while not first.done():
            await store.append(f"transfer-{number + 2}", [event()], NO_STREAM)
            number += 1
        assert first.result() == Appended(5, 100)


async def _unless_first(request: BatchAppendReq) -> BatchAppendResp | None:
    first = request.options.stream_identifier.stream_name == b"transfer-1"
    return None if first else success(0, 200)


async def test_an_append_that_is_nowhere_is_repeated_once() -> None:
    """With the same ids and the same expected version, so that it cannot be there twice."""
    script = Silent(drops=1)

    assert await appended(script, expected=4) == Appended(5, 100)
    first, second = script.appends
    assert first.proposed_messages == second.proposed_messages
    assert first.options.stream_position == second.options.stream_position == 4


async def test_an_append_that_stays_unknown_is_unavailable() -> None:
    """After two attempts; the error says that it may be there nevertheless."""
    with pytest.raises(StoreUnavailable, match="may be there"):
        await appended(Silent(drops=2))


async def test_an_append_whose_caller_goes_leaves_nothing_running() -> None:
    """Cancelled, it ends its looks: no task of it is left, and the call goes on for the others."""
    script = Script()

    async with scripted(script) as client, asyncio.timeout(PATIENCE):
        store = EventStore(client, SAMPLE.catalogue, patience=2 * PATIENCE)
        script.append = lambda _: success(0, 100)
        await store.append("transfer-1", [event()], NO_STREAM)
        script.append = lambda _: None
        before = asyncio.all_tasks()
        appending = asyncio.create_task(store.append("transfer-1", [event()], 4))
        await until(lambda: len(script.appends) == 2 and script.reads > 0)
        appending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await appending
        await until(lambda: asyncio.all_tasks() <= before)
        script.append = lambda _: success(5, 815)
        assert await store.append("transfer-1", [event()], 4) == Appended(5, 815)
        assert script.calls == 1


async def test_appends_share_a_call_and_are_answered_in_any_order() -> None:
    """Each gets the answer to its own request, also where the server answers the last one first."""
    script, both = Script(), asyncio.Event()

    async def answer(request: BatchAppendReq) -> BatchAppendResp:
        if request.options.stream_identifier.stream_name == b"transfer-1":
            await both.wait()
            return success(5, 100)
        both.set()
        return success(8, 200)

    script.append_later = answer
    async with scripted(script) as client, asyncio.timeout(PATIENCE):
        store = EventStore(client, SAMPLE.catalogue)
        first, second = await asyncio.gather(
            store.append("transfer-1", [event()], 4), store.append("transfer-2", [event()], 7)
        )
    assert (first, second) == (Appended(5, 100), Appended(8, 200))
    assert script.calls == 1


async def test_a_call_that_breaks_fails_its_appends_and_no_later_one() -> None:
    """Those under way are looked for and repeated, on a call that the others share again."""
    script = Script()
    script.breaks = 1
    script.append = lambda _: success(0, 100)

    async with scripted(script) as client, asyncio.timeout(PATIENCE):
        store = EventStore(client, SAMPLE.catalogue)
        streams = [f"transfer-{number}" for number in range(5)]
        await asyncio.gather(*(store.append(one, [event()], NO_STREAM) for one in streams))
        assert await store.append("transfer-9", [event()], NO_STREAM) == Appended(0, 100)
    assert script.calls == 2


async def test_a_large_append_has_a_call_of_its_own() -> None:
    """If the server finds it too large, it ends that call, and no other append is concerned."""
    script = Script()
    script.append = lambda _: success(0, 100)

    async with scripted(script) as client, asyncio.timeout(PATIENCE):
        store = EventStore(client, SAMPLE.catalogue)
        await store.append("transfer-1", [event()], NO_STREAM)
        await store.append("transfer-2", [event(data=b"x" * (1 << 19))], NO_STREAM)
        await until(lambda: script.answering == 1)
        await store.append("transfer-3", [event()], NO_STREAM)
    assert script.calls == 2


async def test_a_stream_that_never_was_is_asked_for_its_deletion_once() -> None:
    """Read again at once, it costs one call, not two; after an append of ours it is asked anew."""
    script = Script()
    missing = ReadResp(stream_not_found=ReadResp.StreamNotFound())
    script.append = lambda _: success(0, 100)

    async with scripted(script) as client, asyncio.timeout(PATIENCE):
        script.read = lambda _: [missing]
        store, began = EventStore(client, SAMPLE.catalogue), script.reads
        for _ in range(5):
            assert await all_of(store.read("transfer-1")) == []
        assert script.reads - began == 6
        await store.append("transfer-1", [event()], NO_STREAM)
        await all_of(store.read("transfer-1"))
        assert script.reads - began == 8


async def test_a_call_that_the_client_repeats_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client makes it again when its deadline has passed: the caller waits for one deadline."""
    monkeypatch.setattr(client_module, "DEADLINE", 0.3)
    monkeypatch.setattr(system_projections, "DEADLINE", 0.2)
    script = Script()

    async with scripted(script) as client, asyncio.timeout(PATIENCE):
        with pytest.raises(StoreUnavailable, match=r"its projections within 0\.3 s"):
            await system_projections.category_links_hindered(client)


async def test_a_server_that_is_not_ready_is_unavailable() -> None:
    """While members of a cluster elect, a batch is answered an error without code or details."""
    script, nothing = Script(), any_pb2.Any()
    nothing.Pack(shared_pb2.Empty())
    script.append = lambda _: BatchAppendResp(
        error=status_pb2.Status(message="Server Is Not Ready", details=nothing)
    )

    with pytest.raises(StoreUnavailable):
        await appended(script)


async def test_a_subscription_that_ends_without_an_error_is_unavailable() -> None:
    """As one does whose leader stops: there is no end, so whoever follows begins again."""
    script = Script()
    script.subscription, script.lasts = [CAUGHT_UP], False

    with pytest.raises(StoreUnavailable, match="ended"):
        await followed(script, None, 2)


async def test_a_subscription_that_is_never_confirmed_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that hangs keeps nobody waiting without a bound."""
    monkeypatch.setattr(client_module, "DEADLINE", 0.2)
    script = Script()
    script.confirms = False

    with pytest.raises(StoreUnavailable, match=r"within 0\.2 s"):
        await followed(script, None, 1)


async def test_appends_that_are_under_way_together_are_sent_together() -> None:
    """Beside one that is not answered yet, an append is sent a moment after the last one; one that
    is alone is sent at once."""
    script, numbers, held, arrivals = Script(), count(), asyncio.Event(), list[float]()
    clock = asyncio.get_running_loop().time

    async def answer(_: BatchAppendReq) -> BatchAppendResp:
        arrivals.append(clock())
        await held.wait()
        return success(0, next(numbers))

    script.append_later = answer
    moment = 0.5
    async with scripted(script) as client, asyncio.timeout(PATIENCE):
        store = EventStore(client, SAMPLE.catalogue, moment=moment, patience=PATIENCE)
        began = clock()
        first = asyncio.create_task(store.append("transfer-1", [event()], NO_STREAM))
        await until(lambda: len(arrivals) == 1)
        later = [
            asyncio.create_task(store.append(f"transfer-{number}", [event()], NO_STREAM))
            for number in (2, 3)
        ]
        await until(lambda: len(arrivals) == 3)
        held.set()
        await asyncio.gather(first, *later)
    assert min(arrivals[1:]) >= began + moment

    script.append_later = None
    script.append = lambda _: success(0, next(numbers))
    async with scripted(script) as client, asyncio.timeout(PATIENCE):
        patient = EventStore(client, SAMPLE.catalogue, moment=2 * PATIENCE)
        for number in range(3):
            await patient.append(f"transfer-{number}", [event()], NO_STREAM)
