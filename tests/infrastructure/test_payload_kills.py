"""A process that is killed between storing a payload and appending its event (SIGKILL)."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from urllib.parse import urlsplit

import pytest

from infrastructure.container import wired
from tests.application.swept import HOUR, large
from tests.infrastructure.test_payload_commands import Drill
from tests.infrastructure.test_payload_commands import servers as servers
from tests.sample.program import BANK
from tests.silent_proxy import silent_proxy
from tests.stores import settings_of
from tests.waiting import PATIENCE, until_true

STREAM = "transfer-killed"
DIGEST = sha256(large(STREAM).data).hexdigest()


@asynccontextmanager
async def writer(servers: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that is connected, and is about to append. It is killed after the block."""
    program = (sys.executable, "-m", "tests.infrastructure.appending_large", STREAM)
    environment = {**os.environ, **servers}
    process = await asyncio.create_subprocess_exec(
        *program, stdin=PIPE, stdout=PIPE, env=environment
    )
    assert process.stdin is not None
    try:
        assert await said(process) == "connected"
        process.stdin.write(b"\n")
        yield process
    finally:
        process.kill()
        await process.wait()


async def said(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        return (await process.stdout.readline()).decode().strip()


async def killed_before_its_append(servers: Mapping[str, str]) -> None:
    """Its payload arrives, and what it sends to the event store does not."""
    payloads = wired(BANK, settings_of(servers)).payload_store()
    port = urlsplit(servers["HEADWATER_EVENTSTOREDB_URI"]).port

    async def is_stored() -> bool:
        return DIGEST in [one.digest async for one in payloads.stored()]

    async with silent_proxy(lambda: asyncio.open_connection("127.0.0.1", port)) as (proxy, at):
        through = f"esdb://127.0.0.1:{at}?tls=false"
        async with writer({**servers, "HEADWATER_EVENTSTOREDB_URI": through}):
            proxy.fall_silent()
            await until_true(is_stored)


async def appended(servers: Mapping[str, str]) -> None:
    async with writer(servers) as process:
        assert await said(process) == "appended"


@pytest.mark.parametrize("servers", ["s3 (real)"], indirect=True)
def test_a_killed_writer_leaves_an_orphan_and_no_dangling_event(
    servers: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The payload is there, its event is not; a sweep removes it, and it can be stored again."""
    drill = Drill(servers)

    asyncio.run(killed_before_its_append(servers))

    assert "different payloads: 1; events whose payload is missing or damaged: 0" in drill.payloads(
        "verify"
    )
    for passed in (HOUR, 2 * HOUR):
        drill.swept(later=passed)
    assert f"{DIGEST}  {len(large(STREAM).data):,} bytes" in capsys.readouterr().out
    assert json.loads(drill.payloads("sweep", "--json"))["waiting"] == []
    asyncio.run(appended(servers))
    assert "different payloads: 2; events whose payload is missing or damaged: 0" in drill.payloads(
        "verify"
    )
