"""The plain Append, one call for one append: what esdbclient does not ask of it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import psutil
import pytest
from esdbclient.protos.Grpc import streams_pb2, streams_pb2_grpc

from embedded_eventstoredb import NodeProcess
from waiting import eventually
from writing import (
    NO_REVISION,
    AppendReq,
    append_message,
    append_options,
    identifier,
    plain,
)

Call = grpc.aio.StreamUnaryCall[AppendReq, streams_pb2.AppendResp]
Stub = streams_pb2_grpc.StreamsStub
MIB = 1 << 20


async def refused(call: Call) -> str:
    """Status and text of a call that fails."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return f"{raised.value.code().name}: {raised.value.details()}"


async def written(stub: Stub, stream: str) -> bool:
    """Whether the stream has an event, once all that was sent before on this channel is done."""
    for number in range(3):
        await stub.Append(plain(f"{stream}-other-{number}"))
    answer = await stub.Append(plain(stream, revision=NO_REVISION))
    return bool(answer.HasField("wrong_expected_version"))


async def started(stub: Stub, stream: str, **options: float) -> Call:
    """An append call that has sent its options and event, but has not ended."""
    call: Call = stub.Append(**options)
    await call.write(append_options(stream))
    await call.write(append_message())
    return call


async def test_cancelled(stub: Stub, stream: str) -> None:
    """An append that its client cancels before its end is never committed."""
    names = [f"{stream}-{number}" for number in range(50)]
    for call in await asyncio.gather(*(started(stub, name) for name in names)):
        call.cancel()
    assert not any([await written(stub, name) for name in names])


async def test_deadline_passed(stub: Stub, stream: str) -> None:
    """An append is not committed if its deadline passes before its end."""
    names = [f"{stream}-{number}" for number in range(50)]
    for call in await asyncio.gather(*(started(stub, name, timeout=0.3) for name in names)):
        assert (await refused(call)).startswith("DEADLINE_EXCEEDED")
    assert not any([await written(stub, name) for name in names])


DYING = """
import sys
import threading
import grpc
from esdbclient.protos.Grpc import streams_pb2_grpc
from writing import append_message, append_options

def requests(name):
    yield append_options(name)
    yield append_message()
    threading.Event().wait()

channel = grpc.insecure_channel(sys.argv[1])
stub = streams_pb2_grpc.StreamsStub(channel)
calls = [stub.Append.future(requests(name)) for name in sys.argv[2:]]
stub.Append(iter([append_options(sys.argv[2] + "-done"), append_message()]))
print("sent", flush=True)
threading.Event().wait()
"""


async def test_client_dies(node: NodeProcess, stub: Stub, stream: str) -> None:
    """An append is not committed if its client is killed before its end."""
    names = [f"{stream}-{number}" for number in range(5)]
    await asyncio.to_thread(send_and_die, node, names)
    assert not any([await written(stub, name) for name in names])


def send_and_die(node: NodeProcess, names: list[str]) -> None:
    """Kill a client that has begun to append; returns when the node has lost its connection."""
    target = node.uri.removeprefix("esdb://").partition("?")[0]
    command = [sys.executable, "-c", DYING, target, *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parent) as client:
        assert client.stdout is not None  # it was started with a pipe
        client.stdout.readline()
        (port,) = ports(client.pid, int(target.rpartition(":")[2]))
        client.kill()
    eventually(lambda: port in ports_of_clients(node.pid), False)


def ports(pid: int, to: int) -> set[int]:
    """Where the connections of a process to that port begin."""
    connections = psutil.Process(pid).net_connections("tcp")
    return {item.laddr.port for item in connections if item.raddr and item.raddr.port == to}


def ports_of_clients(pid: int) -> set[int]:
    return {item.raddr.port for item in psutil.Process(pid).net_connections("tcp") if item.raddr}


async def test_message_too_large(stub: Stub, stream: str) -> None:
    """A message that is too large ends the call, and what was sent before it is not committed."""
    text = "Received message exceeds the maximum configured message size."
    for megabytes in (17, 70):
        name = f"{stream}-{megabytes}"
        large = append_message(custom_metadata=bytes(megabytes * MIB))
        answer = await refused(stub.Append(plain(name, append_message(), large)))
        assert answer.startswith("RESOURCE_EXHAUSTED")
        assert text in answer or megabytes > 64
        assert not await written(stub, name)


async def test_size_is_that_of_the_data(stub: Stub, stream: str) -> None:
    """Data of exactly 1 MiB is taken, whatever its metadata and types add; a byte more is not."""
    half = append_message(
        data=bytes(MIB // 2), custom_metadata=bytes(3 * MIB), type="T" * 1000, content_type="x"
    )
    assert (await stub.Append(plain(stream, half, half))).WhichOneof("result") == "success"
    refusal = await refused(stub.Append(plain(stream, half, half, append_message(data=b"x"))))
    assert refusal == "INVALID_ARGUMENT: Maximum Append Size of 1048576 Exceeded."


async def test_size_is_a_setting(stream: str) -> None:
    """The limit of an append is one of the node, by name and in its refusal."""
    with NodeProcess(max_append_size=64) as node:
        target = node.uri.removeprefix("esdb://").partition("?")[0]
        async with grpc.aio.insecure_channel(target) as channel:
            stub = Stub(channel)  # type: ignore[no-untyped-call]  # generated
            exact, over = (append_message(data=bytes(size)) for size in (64, 65))
            assert (await stub.Append(plain(stream, exact))).WhichOneof("result") == "success"
            refusal = await refused(stub.Append(plain(stream, over)))
            assert refusal == "INVALID_ARGUMENT: Maximum Append Size of 64 Exceeded."


@pytest.mark.parametrize("size", ["0", "16767217"])
def test_impossible_setting(size: str) -> None:
    """A limit above that of a message is refused by name when the node is started."""
    command = [sys.executable, "-m", "embedded_eventstoredb", "--port", "0"]
    ended = subprocess.run(
        [*command, "--max-append-size", size], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert f"an append of {size} bytes cannot be the maximum" in ended.stderr


async def test_revision_of_no_stream(stub: Stub, stream: str) -> None:
    """The highest revision that can be sent stands for "no stream", and comes back as such."""
    taken = await stub.Append(plain(stream, revision=NO_REVISION))
    assert taken.success.current_revision == 0
    wrong = (await stub.Append(plain(stream, revision=NO_REVISION))).wrong_expected_version
    assert wrong.WhichOneof("expected_revision_option") == "expected_revision"
    assert (wrong.expected_revision, wrong.expected_revision_20_6_0) == (NO_REVISION, NO_REVISION)
    assert (wrong.current_revision, wrong.current_revision_20_6_0) == (0, 0)


async def test_impossible_revision(stub: Stub, stream: str) -> None:
    """A revision that no event can have is refused."""
    refusal = await refused(stub.Append(plain(stream, revision=2**63)))
    assert refusal.startswith("INVALID_ARGUMENT: 9223372036854775808 is not a revision")


async def test_no_stream_by_revision_in_deletes(stub: Stub, stream: str) -> None:
    """By that revision a delete finds no stream to delete, and a tombstone is written."""
    delete = streams_pb2.DeleteReq.Options(
        stream_identifier=identifier(stream), revision=NO_REVISION
    )
    with pytest.raises(grpc.aio.AioRpcError, match="Expected version: -1, Actual version: -1"):
        await stub.Delete(streams_pb2.DeleteReq(options=delete))
    tombstone = streams_pb2.TombstoneReq.Options(
        stream_identifier=identifier(stream), revision=NO_REVISION
    )
    answer = await stub.Tombstone(streams_pb2.TombstoneReq(options=tombstone))
    assert answer.position.commit_position
    assert (await refused(stub.Append(plain(stream)))).endswith("is deleted.")


async def test_tombstoned_metadata(stub: Stub, stream: str) -> None:
    """The metadata of a tombstoned stream is refused as deleted, under its own name."""
    options = streams_pb2.TombstoneReq.Options(stream_identifier=identifier(stream))
    options.any.SetInParent()
    await stub.Tombstone(streams_pb2.TombstoneReq(options=options))
    refusal = await refused(stub.Append(plain(f"$${stream}")))
    assert refusal == f"FAILED_PRECONDITION: Event stream '$${stream}' is deleted."


async def test_refused_when_read(stub: Stub, stream: str) -> None:
    """An append is refused when its client has sent all of it, not in between."""
    ended: list[bool] = []

    async def requests() -> AsyncIterator[AppendReq]:
        yield append_options("$all")
        for _ in range(50):
            yield append_message(data=bytes(100_000))
        ended.append(True)

    assert (await refused(stub.Append(requests()))).startswith("INVALID_ARGUMENT")
    assert ended
    names = iter([append_options(stream), append_options(stream)])
    assert "come its messages" in await refused(stub.Append(names))
