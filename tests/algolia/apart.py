"""The recorded server in a thread of its own, for services in other processes."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread

from tests.algolia.server import KEY, NAME, Recorded


@contextmanager
def recorded_apart() -> Iterator[Mapping[str, str]]:
    """The settings that lead to it."""
    started: SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Event, Recorded]] = SimpleQueue()

    async def serve() -> None:
        async with Recorded.started() as server:
            ended = asyncio.Event()
            started.put((asyncio.get_running_loop(), ended, server))
            await ended.wait()

    thread = Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    loop, ended, server = started.get(timeout=60)
    try:
        yield {
            "HEADWATER_SEARCH": "algolia",
            "HEADWATER_ALGOLIA_APPLICATION_ID": NAME,
            "HEADWATER_ALGOLIA_API_KEY": KEY,
            "HEADWATER_ALGOLIA_HOSTS": ",".join(server.addresses),
        }
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(timeout=60)
