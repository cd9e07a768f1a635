"""The node as a process: durable, alone on its directory and port, clear when it cannot start."""

import asyncio
import itertools
import os
import random
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from esdbclient import AsyncEventStoreDBClient, EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import EventStoreDBClientException, NotFound, ServiceUnavailable

from embedded_eventstoredb import NodeFailed, NodeProcess
from waiting import PATIENCE, has_ended, wait_until

ANY, NO_STREAM = StreamState.ANY, StreamState.NO_STREAM
COMMAND = [sys.executable, "-m", "embedded_eventstoredb"]
UNTIL_KILLED = 10.0  # seconds that whoever stops a node gives it


async def test_acknowledged_survives_kill(tmp_path: Path) -> None:
    """What was acknowledged is there after SIGKILL, in its order; nothing else is but the last try.

    A node is killed eight times, sooner or later, while ten clients append.
    """
    acknowledged: dict[str, list[UUID]] = {f"order-{number}": [] for number in range(10)}
    attempted: dict[str, UUID] = {}

    async def write(client: AsyncEventStoreDBClient, stream: str) -> None:
        for count in itertools.count():
            if count == last:
                enough.set()
            event = NewEvent("Happened", os.urandom(random.randrange(20, 2000)))
            attempted[stream] = event.id
            await client.append_to_stream(stream, current_version=ANY, events=[event])
            acknowledged[stream].append(event.id)

    for _ in range(8):
        node = await asyncio.to_thread(NodeProcess(tmp_path).start)
        client = AsyncEventStoreDBClient(node.uri)
        await client.connect()
        await check_streams(client, acknowledged, attempted)
        enough, last = asyncio.Event(), random.randrange(1, 15)
        writers = [asyncio.create_task(write(client, name)) for name in acknowledged]
        await enough.wait()
        node.kill()
        results = await asyncio.gather(*writers, return_exceptions=True)
        assert all(isinstance(result, EventStoreDBClientException) for result in results)
        await client.close()
    async with NodeProcess(tmp_path) as node:
        client = AsyncEventStoreDBClient(node.uri)
        await client.connect()
        await check_streams(client, acknowledged, attempted)
        await client.close()
    assert all(acknowledged.values())


async def check_streams(
    client: AsyncEventStoreDBClient,
    acknowledged: dict[str, list[UUID]],
    attempted: dict[str, UUID],
) -> None:
    for stream, ids in acknowledged.items():
        stored = await ids_in(client, stream)
        assert stored[: len(ids)] == ids
        assert stored[len(ids) :] in ([], [attempted.get(stream)])
        ids[:] = stored


async def ids_in(client: AsyncEventStoreDBClient, stream: str) -> list[UUID]:
    try:
        return [event.id for event in await client.get_stream(stream)]
    except NotFound:  # not even the first try got through
        return []


def test_a_second_start_finds_everything(tmp_path: Path) -> None:
    """A node that was stopped has its events, and goes on counting, when it is started again."""
    event = NewEvent("Happened", b"{}")
    for version in range(3):
        with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
            client.append_to_stream("order-1", current_version=ANY, events=[NewEvent("A", b"")])
            assert client.get_current_version("order-1") == version
            client.append_to_stream("order-2", current_version=NO_STREAM, events=[event])
            assert len(client.get_stream("order-2")) == 1


def test_one_node_to_a_directory(tmp_path: Path) -> None:
    """A second node on a directory refuses, and names the process that holds it."""
    with (
        NodeProcess(tmp_path) as node,
        pytest.raises(NodeFailed, match=f"in use by another node .process {node.pid}.;"),
    ):
        NodeProcess(tmp_path).start()


def test_a_node_that_is_ending_is_waited_for(tmp_path: Path) -> None:
    """A node on the directory of one that ends meanwhile starts when that one has ended."""
    node, event = NodeProcess(tmp_path).start(), NewEvent("Happened", b"{}")
    with EventStoreDBClient(node.uri) as client:
        client.append_to_stream("order-1", current_version=ANY, events=[event])
    with ThreadPoolExecutor() as thread:
        starting = thread.submit(NodeProcess(tmp_path).start)
        wait_until(lambda: len(holders(tmp_path / "node.lock")) == 2)
        node.stop()
        second = starting.result()
    try:
        with EventStoreDBClient(second.uri) as client:
            assert client.get_current_version("order-1") == 0
    finally:
        second.stop()


def holders(file: Path) -> list[int]:
    """The processes of ours that have the file open."""
    ours = psutil.Process().children()
    return [one.pid for one in ours if str(file) in {open.path for open in one.open_files()}]


def test_one_node_to_a_port(node: NodeProcess) -> None:
    """A second node on a port refuses, and names the port."""
    port = int(node.uri.rpartition(":")[2].partition("?")[0])
    with pytest.raises(NodeFailed, match=f"cannot listen on 127.0.0.1:{port}"):
        NodeProcess(port=port).start()


def test_a_port_of_another_program() -> None:
    """A port that any other program listens on is refused as well."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(NodeFailed, match=f"cannot listen on 127.0.0.1:{port}"):
            NodeProcess(port=port).start()


def damaged(directory: Path) -> Path:
    (directory / "log.sqlite3").write_bytes(b"this is no log" * 1000)
    return directory


def foreign(directory: Path) -> Path:
    subprocess.run(
        [sys.executable, "-c", _FOREIGN, directory / "log.sqlite3"], check=True, timeout=PATIENCE
    )
    return directory


_FOREIGN = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('CREATE TABLE t (a)')"


def not_a_directory(directory: Path) -> Path:
    (directory / "file").touch()
    return directory / "file" / "data"


def read_only(directory: Path) -> Path:
    directory.chmod(0o555)
    return directory


def read_only_with_a_log(directory: Path) -> Path:
    with NodeProcess(directory):
        pass
    return read_only(directory)


# Root may write anywhere, until it gives up CAP_DAC_OVERRIDE (1); anybody else has nothing to drop.
_BOUND_BY_PERMISSIONS = """
import ctypes, os, sys
if os.geteuid() == 0 and hasattr(libc := ctypes.CDLL(None), "prctl"):
    PR_CAPBSET_DROP = 24
    libc.prctl(PR_CAPBSET_DROP, 1)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (damaged, "is damaged"),
        (foreign, "another program's SQLite file"),
        (not_a_directory, "cannot write in"),
        (read_only, "cannot write in"),
        (read_only_with_a_log, "check the directory's permissions"),
        (lambda _: Path("/proc/nowhere"), "cannot write in"),
    ],
)
def test_unusable_directory(tmp_path: Path, spoil: Callable[[Path], Path], text: str) -> None:
    """A directory that cannot be used ends the node with one clear line and exit code 1."""
    python, *module = COMMAND
    command = [python, "-c", _BOUND_BY_PERMISSIONS, *module]
    command += ["--port", "0", "--data-dir", str(spoil(tmp_path))]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert text in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_clean_stop(tmp_path: Path, number: signal.Signals) -> None:
    """A signal ends the node with code 0, also with open subscriptions, without a kill."""
    node = await asyncio.to_thread(NodeProcess(tmp_path).start)
    client = AsyncEventStoreDBClient(node.uri)
    await client.connect()
    subscription = await client.subscribe_to_all()
    os.kill(node.pid, number)
    with pytest.raises((EventStoreDBClientException, StopAsyncIteration)):
        async with asyncio.timeout(UNTIL_KILLED):
            await anext(subscription)
    assert await asyncio.to_thread(node.wait, UNTIL_KILLED) == 0
    assert {"log.sqlite3", "node.lock"} == set(os.listdir(tmp_path))  # all is in the one file
    await client.close()


def test_dies_with_its_parent() -> None:
    """A node ends when the process that started it is killed."""
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    node = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    wait_until(lambda: has_ended(node))
    parent.stdout.close()


_PARENT = """
from embedded_eventstoredb import NodeProcess
import time
print(NodeProcess().start().pid, flush=True)
time.sleep(60)
"""


def test_import_is_cheap() -> None:
    """Importing the package loads neither gRPC nor the client."""
    code = (
        "import sys, embedded_eventstoredb;"
        "print([name for name in sys.modules if name.startswith(('grpc', 'esdbclient'))])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


async def test_full_disk(tmp_path: Path) -> None:
    """An append that the disk refuses is refused; reads go on, and appends when there is room."""
    async with NodeProcess(tmp_path) as node:
        client = AsyncEventStoreDBClient(node.uri)
        await client.connect()
        event = NewEvent("Happened", os.urandom(900_000))
        await client.append_to_stream("order-1", current_version=ANY, events=[event])
        unlimited = resource.prlimit(node.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (100_000, unlimited[1]))
        more = NewEvent("Happened", os.urandom(900_000))
        with pytest.raises(ServiceUnavailable, match="cannot write the log"):
            await client.append_to_stream("order-1", current_version=ANY, events=[more])
        assert [stored.id for stored in await client.get_stream("order-1")] == [event.id]
        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, unlimited)
        await client.append_to_stream("order-1", current_version=0, events=[more])
        await client.close()


async def test_background_work_outlasts_a_full_disk(tmp_path: Path) -> None:
    """Projections and consumer groups wait while the disk is full, and go on when there is room."""
    async with NodeProcess(tmp_path) as node:
        consumer, writer = (AsyncEventStoreDBClient(node.uri) for _ in range(2))
        await asyncio.gather(consumer.connect(), writer.connect())
        await consumer.create_subscription_to_stream("group", "order-1")
        subscription = await consumer.read_subscription_to_stream("group", "order-1")
        await append(writer)
        event = await anext(subscription)
        unlimited = resource.prlimit(node.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (1, unlimited[1]))
        await subscription.nack(event, "park")
        with pytest.raises(ServiceUnavailable, match="cannot write the log"):
            await append(writer)
        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, unlimited)
        await append(writer)
        async with (
            asyncio.timeout(PATIENCE),
            await writer.subscribe_to_stream("$ce-order") as links,
        ):
            assert (await anext(subscription)).stream_position == 1
            assert [(await anext(links)).data for _ in range(2)] == [b"0@order-1", b"1@order-1"]
        parked = "$persistentsubscription-order-1::group-parked"
        async with asyncio.timeout(PATIENCE), await writer.subscribe_to_stream(parked) as links:
            assert (await anext(links)).data == b"0@order-1"
        await subscription.stop()
        await asyncio.gather(consumer.close(), writer.close())


async def append(client: AsyncEventStoreDBClient) -> None:
    event = NewEvent("Happened", b"{}")
    await client.append_to_stream("order-1", current_version=ANY, events=[event])
