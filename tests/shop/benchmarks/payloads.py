"""Payloads of 50 KB in S3 (SeaweedFS: real), beside bare obstore on the same server.

    python -m tests.shop.benchmarks.payloads [PAYLOADS]

Rounds alternate. Ours hashes what it writes and what it reads, and writes only what is not there.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

import obstore
from obstore.store import S3Store

from infrastructure import s3
from infrastructure.s3.bucket import Bucket
from tests.payload_stores import Keys
from tests.servers import S3, S3_SERVER, NotHere, started

SIZE: Final = 50_000
PAYLOADS: Final = 200  # in one round
AT_ONCE: Final = (1, 16)
ROUNDS: Final = 5

Call = Callable[[bytes], Awaitable[str]]
Fetch = Callable[[str], Awaitable[object]]


@dataclass(frozen=True)
class Side:
    """One of two that are compared, and what each round has measured."""

    put: Call
    get: Fetch
    seconds: dict[str, list[float]] = field(default_factory=dict)
    processor: dict[str, list[float]] = field(default_factory=dict)

    async def round(self, count: int, at_once: int) -> None:
        """Store payloads that are new, and read them."""
        datas = [os.urandom(SIZE) for _ in range(count)]
        names = await self._timed("put", self.put, datas, at_once)
        await self._timed("get", self.get, names, at_once)

    async def _timed(
        self, what: str, call: Callable[..., Awaitable[object]], each: Sequence[object], many: int
    ) -> list[object]:
        limit = asyncio.Semaphore(many)

        async def one(given: object) -> object:
            async with limit:
                return await call(given)

        began, spent = time.perf_counter(), time.process_time()
        done = await asyncio.gather(*map(one, each))
        self.seconds.setdefault(what, []).append(time.perf_counter() - began)
        self.processor.setdefault(what, []).append(time.process_time() - spent)
        return done


def bare(objects: S3Store) -> Side:
    """obstore, by names that are known."""
    numbers = iter(range(sys.maxsize))

    async def put(data: bytes) -> str:
        name = f"bare-{next(numbers)}"
        await obstore.put_async(objects, name, data)
        return name

    async def get(name: str) -> object:
        return await (await obstore.get_async(objects, name)).bytes_async()

    return Side(put, get)


async def compare(server: S3, count: int) -> None:
    """Print both, and their ratio."""
    bucket = Bucket(server.bucket(), "", server.endpoint, server.region)
    keys = Keys(server.key, server.secret)
    ours = s3.PayloadStore(bucket, keys)  # type: ignore[arg-type]  # obstore takes any callable
    for at_once in AT_ONCE:
        here, there = (
            Side(ours.put, ours.get),
            bare(bucket.open(keys)),  # type: ignore[arg-type]  # as above
        )
        for _ in range(ROUNDS):
            for side in (here, there):
                await side.round(count, at_once)
        for what in ("put", "get"):
            _print(f"{what}, {at_once} at a time", count, what, here, there)


def _print(title: str, count: int, what: str, here: Side, there: Side) -> None:
    ratio = median(b / a for a, b in zip(here.seconds[what], there.seconds[what], strict=True))
    rates = [count / median(side.seconds[what]) for side in (here, there)]
    spent = [median(side.processor[what]) * 1e3 / count for side in (here, there)]
    print(
        f"{title:22} {rates[0]:6,.0f}/s, bare obstore {rates[1]:6,.0f}/s: {ratio:.2f}; "
        f"ms of processor {spent[0]:.2f} and {spent[1]:.2f}"
    )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else PAYLOADS
    try:
        with started(S3_SERVER) as server:
            asyncio.run(compare(S3.at(server.address), count))
    except NotHere as missing:
        print(f"left out: {missing}")


if __name__ == "__main__":
    main()
