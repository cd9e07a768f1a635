"""A large log in the embedded node: how fast it opens, reads both its ends, and at what memory.

    python -m benchmarks.large_log [EVENTS]

Without an argument 200,000 events of 240 bytes; with 1,000,000 it takes a few minutes. The ratios
compare what was measured in the same run, so that they hold on other machines.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import grpc
import psutil
from esdbclient import AsyncEventStoreDBClient, EventStoreDBClient, NewEvent, StreamState
from esdbclient.protos.Grpc import streams_pb2

from embedded_eventstoredb import NodeProcess

EVENTS: Final = 200_000
BATCH: Final = 500
READERS: Final = 2
PAGE, ROUNDS = 100, 50
DATA, METADATA = b'{"ref":"' + b"x" * 170 + b'"}', b'{"c":"' + b"y" * 50 + b'"}'


def main(count: int = EVENTS) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "log"
        empty = started(path)
        with NodeProcess(path, projections=False) as node:
            pace = asyncio.run(fill(node, count))
        print(f"{f'log of {count:,} events, filled':34}{pace:12,.0f} events/s")
        full = started(path)
        print(f"{'opened, beside an empty one':34}{full:12.2f} s{empty:12.2f} s{full / empty:8.2f}")
        with NodeProcess(path, projections=False) as node:
            first, last = page(node, backwards=False), page(node, backwards=True)
            print(
                f"{f'last {PAGE} of $all, beside the first':34}{last * 1e3:11.1f} ms"
                f"{first * 1e3:11.1f} ms{last / first:8.2f}"
            )
            read_all(node, count)


def started(directory: Path) -> float:
    """Seconds from nothing to a node that listens."""
    began = time.perf_counter()
    with NodeProcess(directory, projections=False):
        return time.perf_counter() - began


async def fill(node: NodeProcess, count: int) -> float:
    """Events per second."""
    client = AsyncEventStoreDBClient(node.uri)
    await client.connect()
    began = time.perf_counter()
    for number in range(count // BATCH):
        events = [NewEvent("OrderPlaced", DATA, METADATA) for _ in range(BATCH)]
        stream = f"order-{number}"
        await client.append_to_stream(stream, current_version=StreamState.ANY, events=events)
    pace = count / (time.perf_counter() - began)
    await client.close()
    return pace


def page(node: NodeProcess, *, backwards: bool) -> float:
    """Seconds, the median of many."""
    taken = []
    with EventStoreDBClient(node.uri) as client:
        for _ in range(ROUNDS):
            began = time.perf_counter()
            assert len(list(client.read_all(backwards=backwards, limit=PAGE))) == PAGE
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def read_all(node: NodeProcess, count: int) -> None:
    """Some clients read all there is, at once; the node's memory before and at most."""
    process = psutil.Process(node.pid)
    before = most = process.memory_info().rss
    began = time.perf_counter()
    with ThreadPoolExecutor(READERS) as readers:
        reading = [readers.submit(raw_read, node) for _ in range(READERS)]
        while not all(reader.done() for reader in reading):
            most = max(most, process.memory_info().rss)
            time.sleep(0.05)
    assert all(reader.result() >= count for reader in reading)
    pace = READERS * count / (time.perf_counter() - began)
    print(f"{f'{READERS} clients read all of it':34}{pace:12,.0f} events/s")
    print(f"{'memory, before and at most':34}{before / 2**20:9.0f} MB, {most / 2**20:.0f} MB")


def raw_read(node: NodeProcess) -> int:
    """All events, as bytes: a client that understood them would be the slower of the two."""
    options = streams_pb2.ReadReq.Options(count=1 << 62)
    for chosen in (options.all.start, options.no_filter, options.uuid_option.string):
        chosen.SetInParent()
    target = node.uri.removeprefix("esdb://").partition("?")[0]
    with grpc.insecure_channel(target) as channel:
        call = channel.unary_stream(
            "/event_store.client.streams.Streams/Read",
            request_serializer=streams_pb2.ReadReq.SerializeToString,
            response_deserializer=bytes,
        )
        return sum(1 for _ in call(streams_pb2.ReadReq(options=options)))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
