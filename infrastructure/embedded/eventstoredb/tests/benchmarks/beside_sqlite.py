"""The embedded EventStoreDB node, on disk, through esdbclient, beside bare SQLite in this process.

Bare SQLite does the least that could be done: one table, one index, a commit that is on disk. The
ratio says what protocol, sockets, rules and the system projections cost on top of it.
"""

import asyncio
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import grpc
import psutil
from esdbclient import AsyncEventStoreDBClient, NewEvent, StreamState
from esdbclient.common import AbstractAsyncPersistentSubscription
from esdbclient.protos.Grpc import streams_pb2

from embedded_eventstoredb import NodeProcess

DATA, METADATA = b'{"ref":"' + b"x" * 170 + b'"}', b'{"c":"' + b"y" * 50 + b'"}'
BATCH, BATCHES, SINGLES, WRITERS, LARGE = 500, 40, 400, 50, 21_000
PIPELINED = 3_000


def main() -> None:
    """Measure and print a table; takes about half a minute."""
    with tempfile.TemporaryDirectory() as directory:
        bare = BareSqlite(Path(directory) / "bare.sqlite3").measure()
        started = time.perf_counter()
        with NodeProcess(Path(directory) / "node") as node:
            print(f"node started in {time.perf_counter() - started:.2f} s")
            asyncio.run(measure(node, bare))


class BareSqlite:
    """The baseline: rates per second of single commits, of events in batches, of events read."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE r (p INTEGER PRIMARY KEY, s, v, id, t, m, d)")
        self._connection.execute("CREATE UNIQUE INDEX i ON r (s, v)")
        self._version = 0

    def measure(self) -> dict[str, float]:
        single = rate(SINGLES, lambda: self._commits(SINGLES, 1))
        batch = rate(BATCH * BATCHES, lambda: self._commits(BATCHES, BATCH))
        read = rate(BATCH * BATCHES, self._scan)
        self._connection.close()
        return {"single": single, "batch": batch, "read": read}

    def _commits(self, commits: int, count: int) -> None:
        for _ in range(commits):
            self._commit(count)

    def _commit(self, count: int) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        rows = [
            (None, 1, self._version + number, uuid4().bytes, "OrderPlaced", METADATA, DATA)
            for number in range(count)
        ]
        self._connection.executemany("INSERT INTO r VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        self._connection.execute("COMMIT")
        self._version += count

    def _scan(self) -> None:
        after = 0
        query = "SELECT * FROM r WHERE p > ? ORDER BY p LIMIT 256"
        while page := self._connection.execute(query, (after,)).fetchall():
            after = page[-1][0]


async def measure(node: NodeProcess, bare: dict[str, float]) -> None:
    client = AsyncEventStoreDBClient(node.uri)
    await client.connect()
    print(f"{'':34}{'node':>12}{'bare SQLite':>14}{'ratio':>8}")
    latencies = [await single(client) for _ in range(SINGLES)]
    row(
        "append, one at a time, p50", statistics.median(latencies) * 1e3, 1e3 / bare["single"], "ms"
    )
    row("append, 50 at a time", await concurrent(client), bare["single"], "/s")
    row("append, pipelined in one call", pipelined(node.uri), bare["single"], "/s")
    row("append, batches of 500", await batches(client), bare["batch"], "events/s")
    row("catch-up subscription", await catch_up(client), bare["read"], "events/s")
    print(f"{'persistent, acknowledged':34}{await acknowledged(client):12,.0f} events/s")
    print(f"{'persistent, by category':34}{await acknowledged_links(client):12,.0f} events/s")
    print(f"{'append to live subscriber, p50':34}{await live(client) * 1e3:9.2f} ms")
    before = memory(node)
    pace = await large(client)
    print(f"{'append and read events of 10 KB':34}{pace:9,.0f} events/s")
    print(f"{'memory, before and after':34}{before:9.0f} MB, {memory(node):.0f} MB")
    await client.close()


def rate(count: int, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def row(name: str, node: float, bare: float, unit: str) -> None:
    digits = 2 if unit == "ms" else 0
    ratio = node / bare
    print(f"{name:34}{node:12,.{digits}f}{bare:14,.{digits}f}{ratio:8.2f}  {unit}")


def events(count: int, data: bytes = DATA) -> list[NewEvent]:
    return [NewEvent("OrderPlaced", data, METADATA) for _ in range(count)]


async def append(client: AsyncEventStoreDBClient, stream: str, batch: list[NewEvent]) -> None:
    await client.append_to_stream(stream, current_version=StreamState.ANY, events=batch)


async def single(client: AsyncEventStoreDBClient) -> float:
    started = time.perf_counter()
    await append(client, "single-1", events(1))
    return time.perf_counter() - started


async def concurrent(client: AsyncEventStoreDBClient) -> float:
    async def write(number: int) -> None:
        for _ in range(40):
            await append(client, f"concurrent-{number}", events(1))

    started = time.perf_counter()
    await asyncio.gather(*(write(number) for number in range(WRITERS)))
    return WRITERS * 40 / (time.perf_counter() - started)


def pipelined(uri: str) -> float:
    """One BatchAppend call with an event in each batch, as clients of other languages make it."""
    requests = [one_event(f"pipelined-{number % WRITERS}") for number in range(PIPELINED)]
    with grpc.insecure_channel(uri.removeprefix("esdb://").partition("?")[0]) as channel:
        call = channel.stream_stream(
            "/event_store.client.streams.Streams/BatchAppend",
            request_serializer=bytes,
            response_deserializer=streams_pb2.BatchAppendResp.FromString,
        )
        started = time.perf_counter()
        answers = [answer.WhichOneof("result") for answer in call(iter(requests))]
        taken = time.perf_counter() - started
    assert answers == ["success"] * PIPELINED
    return PIPELINED / taken


def one_event(stream: str) -> bytes:
    """A batch, as it goes over the wire: the client's own work is not what is measured."""
    request = streams_pb2.BatchAppendReq(is_final=True)
    request.correlation_id.string = str(uuid4())
    request.options.stream_identifier.stream_name = stream.encode()
    request.options.any.SetInParent()
    request.options.deadline.seconds = 10
    message = request.proposed_messages.add(data=DATA, custom_metadata=METADATA)
    message.id.string = str(uuid4())
    message.metadata["type"], message.metadata["content-type"] = "OrderPlaced", "application/json"
    return request.SerializeToString()


async def batches(client: AsyncEventStoreDBClient) -> float:
    prepared = [events(BATCH) for _ in range(BATCHES)]
    started = time.perf_counter()
    for number, batch in enumerate(prepared):
        await append(client, f"batch-{number}", batch)
    return BATCH * BATCHES / (time.perf_counter() - started)


async def catch_up(client: AsyncEventStoreDBClient) -> float:
    started = time.perf_counter()
    async with await client.subscribe_to_all() as subscription:
        for _ in range(BATCH * BATCHES):
            await anext(subscription)
    return BATCH * BATCHES / (time.perf_counter() - started)


async def acknowledged(client: AsyncEventStoreDBClient) -> float:
    await client.create_subscription_to_all("bench", filter_include=("OrderPlaced",))
    return await consumed(await client.read_subscription_to_all("bench", event_buffer_size=1000))


async def acknowledged_links(client: AsyncEventStoreDBClient) -> float:
    await client.create_subscription_to_stream("bench", "$ce-batch", resolve_links=True)
    async with await client.subscribe_to_stream("$ce-batch") as links:
        while (await anext(links)).stream_position < BATCH * BATCHES - 1:
            pass  # what is measured is the group, not the projection
    return await consumed(
        await client.read_subscription_to_stream("bench", "$ce-batch", event_buffer_size=1000)
    )


async def consumed(subscription: AbstractAsyncPersistentSubscription) -> float:
    """Events that a consumer acknowledges in a second."""
    count = BATCH * BATCHES
    started = time.perf_counter()
    for _ in range(count):
        await subscription.ack(await anext(subscription))
    rate = count / (time.perf_counter() - started)
    await subscription.stop()
    return rate


async def live(client: AsyncEventStoreDBClient) -> float:
    delays: list[float] = []
    async with await client.subscribe_to_all(from_end=True) as subscription:
        for _ in range(SINGLES):
            started = time.perf_counter()
            await append(client, "live-1", events(1))
            await anext(subscription)
            delays.append(time.perf_counter() - started)
    return statistics.median(delays)


async def large(client: AsyncEventStoreDBClient) -> float:
    started = time.perf_counter()
    for number in range(LARGE // 100):
        await append(client, f"large-{number}", events(100, os.urandom(10_000)))
    read = await client.read_all(filter_include=("large-.*",), filter_by_stream_name=True)
    assert len([None async for _ in read]) == LARGE
    return LARGE / (time.perf_counter() - started)


def memory(node: NodeProcess) -> float:
    return psutil.Process(node.pid).memory_info().rss / 2**20


if __name__ == "__main__":
    main()
