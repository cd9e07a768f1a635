"""The server that skips time, and its clock, which moves only when a test says so."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from temporalio.api.testservice.v1 import SleepRequest
from temporalio.client import Client
from temporalio.service import RPCError

from application.ports import PayloadStore
from infrastructure.temporal.converting import data_converter
from tests.servers.server import LOCALHOST, free_ports
from tests.servers.temporal import time_skipping_program


@contextmanager
def time_skipping_server() -> Iterator[str]:
    """Its address. It is upstream's own test server, a double of the real one."""
    (port,) = free_ports(1)
    command = [time_skipping_program(), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"{LOCALHOST}:{port}"
    finally:
        process.kill()
        process.wait()


async def connected(
    address: str, payloads: PayloadStore | None = None, namespace: str = "default"
) -> Client:
    """A client of a server that may still be about to start."""
    for _ in range(600):
        try:
            return await Client.connect(
                address, namespace=namespace, data_converter=data_converter(payloads)
            )
        except (RuntimeError, RPCError):
            await asyncio.sleep(0.1)
    raise AssertionError(f"nothing answers at {address}")


class Clock:
    """The time of such a server."""

    def __init__(self, client: Client) -> None:
        self._service = client.test_service

    async def now(self) -> datetime:
        """As its workflows see it."""
        answer = await self._service.get_current_time(Empty())
        return answer.time.ToDatetime(UTC)

    async def skip(self, time: timedelta) -> None:
        """Let so much pass, with all that it sets off."""
        duration = Duration()
        duration.FromTimedelta(max(time, timedelta(milliseconds=1)))
        await self._service.unlock_time_skipping_with_sleep(SleepRequest(duration=duration))
