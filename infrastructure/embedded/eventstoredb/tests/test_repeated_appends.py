"""Repeated appends: what the server recognises, what it forgets, and what it drops."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import EventStoreDBClientException
from esdbclient.protos.Grpc import code_pb2, shared_pb2, streams_pb2, streams_pb2_grpc

from embedded_eventstoredb import NodeProcess
from embedded_eventstoredb.errors import EXPECT_ANY, NotCommitted
from embedded_eventstoredb.recent_ids import RecentIds
from embedded_eventstoredb.storage import NewRecord, Storage
from embedded_eventstoredb.streams import append
from waiting import eventually
from writing import append_message, batch, part, plain, proposed

ANY, NO_STREAM, EXISTS = StreamState.ANY, StreamState.NO_STREAM, StreamState.EXISTS
Stub = streams_pb2_grpc.StreamsStub


@pytest.mark.parametrize("expected", [ANY, EXISTS])
def test_any_version_is_forgotten(tmp_path: Path, expected: StreamState) -> None:
    """After a restart, an append at any version is written again; at an exact one it is known."""
    batch_ = [NewEvent("Happened", b"{}") for _ in range(2)]
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        client.append_to_stream("order-1", current_version=NO_STREAM, events=batch_)
        client.append_to_stream("order-1", current_version=expected, events=batch_)
        assert len(client.get_stream("order-1")) == 2
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        client.append_to_stream("order-1", current_version=NO_STREAM, events=batch_)
        assert len(client.get_stream("order-1")) == 2
        client.append_to_stream("order-1", current_version=expected, events=batch_)
        assert len(client.get_stream("order-1")) == 4


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    storage = Storage()
    yield storage
    storage.close()


async def write(storage: Storage, expected: int, *records: NewRecord, stream: str = "a") -> int:
    """Append; the version of the last record."""
    answer = await storage.write(lambda tx: append(tx, stream, expected, records))
    return answer.last_version


async def test_memory_is_bounded(storage: Storage) -> None:
    """An id that 40,000 others came after is forgotten where any version will do."""
    record = NewRecord("Happened")
    assert await write(storage, EXPECT_ANY, record) == 0
    for _ in range(2):
        noise = [NewRecord("Noise") for _ in range(19_000)]
        await write(storage, EXPECT_ANY, *noise, stream="b")
        assert await write(storage, EXPECT_ANY, record) == 0
    for _ in range(2):
        await write(storage, EXPECT_ANY, *[NewRecord("Noise") for _ in range(20_000)], stream="b")
    assert await write(storage, EXPECT_ANY, record) == 1
    assert await write(storage, -1, record) == 0


async def test_an_id_stands_for_its_first_version(storage: Storage) -> None:
    """An id that was written twice stands for the first; the answer is that of the last id."""
    one, two = NewRecord("One"), NewRecord("Two")
    await write(storage, EXPECT_ANY, one, two)
    assert await write(storage, 1, one) == 2  # at the current version ids are not looked at
    assert await write(storage, EXPECT_ANY, one) == 0
    assert await write(storage, EXPECT_ANY, two, one) == 0
    assert await write(storage, EXPECT_ANY, one, two) == 1


async def test_an_id_of_another_stream(storage: Storage) -> None:
    """An id stands for the first stream that it was written to: in a second it is not known."""
    record = NewRecord("Happened")
    for version in range(2):
        await write(storage, EXPECT_ANY, record, stream="a")
        assert await write(storage, EXPECT_ANY, record, stream="b") == version
    assert len(storage.read_log(-1)) == 3


async def test_what_is_refused_is_not_remembered(storage: Storage) -> None:
    """Ids of a job that fails are not known afterwards."""
    record = NewRecord("Happened")

    def broken(transaction: object) -> None:
        append(transaction, "a", EXPECT_ANY, [record])  # type: ignore[arg-type]  # a Transaction
        raise LookupError("on purpose")

    with pytest.raises(LookupError):
        await storage.write(broken)
    assert await write(storage, EXPECT_ANY, record) == 0


def test_ids_that_came_to_nothing() -> None:
    """Ids that are taken back are forgotten, and no others."""
    ids = RecentIds()
    assert [ids.put(name, 1, 0) for name in (b"a", b"b", b"a")] == [True, True, False]
    ids.take_back(1)
    assert (ids.version_of(1, b"a"), ids.version_of(1, b"b")) == (0, None)


@pytest.mark.parametrize("expected", [EXPECT_ANY, -1])
async def test_racing_appends_are_dropped(storage: Storage, expected: int) -> None:
    """Of equal appends, those that come before the first is committed are dropped."""
    record = NewRecord("Happened")
    racing = [write(storage, expected, record) for _ in range(20)]
    results = await asyncio.gather(*racing, return_exceptions=True)
    assert [type(result) for result in results] == [int, *[NotCommitted] * 19]
    assert await write(storage, expected, record) == 0
    assert len(storage.read_log(-1)) == 1


async def test_racing_conflicts_are_answered(storage: Storage) -> None:
    """Other events at the same version are a conflict at once, committed or not."""
    racing = [write(storage, -1, NewRecord("Happened")) for _ in range(5)]
    results = await asyncio.gather(*racing, return_exceptions=True)
    names = [type(result).__name__ for result in results]
    assert names == ["int", *["WrongExpectedVersion"] * 4]


async def test_racing_batches(stub: Stub, stream: str) -> None:
    """Equal appends of one batch call: one is written, others may time out, after 2 to 3 s."""
    for number in range(20):  # on a busy machine each may be committed before the next one comes
        event = proposed(str(uuid4()))
        started = asyncio.get_running_loop().time()
        answers = await batch(stub, *(part("", f"{stream}-{number}", event) for _ in range(20)))
        taken = [answer for answer in answers if answer.WhichOneof("result") == "success"]
        assert {answer.success.current_revision for answer in taken} == {0}
        if dropped := [answer for answer in answers if answer.WhichOneof("result") == "error"]:
            break
    assert dropped
    for answer in dropped:
        assert (answer.error.code, answer.error.message) == (code_pb2.DEADLINE_EXCEEDED, "Timeout")
        assert answer.error.details.Is(shared_pb2.Timeout.DESCRIPTOR)
    assert asyncio.get_running_loop().time() - started > 1.9


async def race(
    send: Callable[
        [str], "grpc.aio.StreamUnaryCall[streams_pb2.AppendReq, streams_pb2.AppendResp]"
    ],
    stream: str,
) -> list[grpc.aio.AioRpcError]:
    """The errors of twenty equal appends, of a first race in which there are any."""
    for number in range(200):  # on a loaded machine most of them do not meet
        calls = [send(f"{stream}-{number}") for _ in range(20)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        errors = [result for result in results if isinstance(result, grpc.aio.AioRpcError)]
        assert len(errors) < 20  # one of them wins
        if errors:
            return errors
    raise AssertionError("no append was ever in the way of its equal")


async def test_racing_plain_appends(stub: Stub, stream: str) -> None:
    """A plain append that is dropped hears nothing for 2 to 3 s, and then of a timeout."""
    message = append_message()
    errors = await race(lambda name: stub.Append(plain(name, message)), stream)
    assert {error.code() for error in errors} == {grpc.StatusCode.ABORTED}
    assert errors[0].details() == "Operation timed out: Commit phase timeout."


async def test_racing_plain_appends_with_a_deadline(stub: Stub, stream: str) -> None:
    """A client with an earlier deadline gets DEADLINE_EXCEEDED only."""
    message = append_message()
    errors = await race(lambda name: stub.Append(plain(name, message), timeout=1), stream)
    assert {error.code() for error in errors} == {grpc.StatusCode.DEADLINE_EXCEEDED}


def test_a_new_leader_remembers_nothing(stream: str) -> None:
    """After a change of leader, an append at any version is written again."""
    event = NewEvent("Happened", b"{}")
    with NodeProcess(cluster=True) as node, EventStoreDBClient(node.uri) as client:
        client.append_to_stream(stream, current_version=ANY, events=[event])
        client.append_to_stream(stream, current_version=ANY, events=[event])
        assert client.get_current_version(stream) == 0
        node.step_down()
        eventually(lambda: repeated(client, stream, event), "written")
        client.append_to_stream(stream, current_version=ANY, events=[event])
        assert client.get_current_version(stream) == 1


def repeated(client: EventStoreDBClient, stream: str, event: NewEvent) -> str:
    """Append the event again, also while there is no leader. Returns the outcome."""
    try:
        client.append_to_stream(stream, current_version=ANY, events=[event])
    except EventStoreDBClientException as error:
        return repr(error)
    return "written" if client.get_current_version(stream) == 1 else "known"
