"""``headwater import`` in a process of its own, killed without warning, and run again."""

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL
from subprocess import DEVNULL

import psutil
import pytest

from application.claim_check import ClaimCheck
from application.command_dispatch import CommandDispatch
from application.messages import RecordedEvent
from application.ports import Subscriptions
from application.shop.importing import Report, import_history
from application.shop.importing.rows import COLUMNS
from application.shop.service import SHOP
from infrastructure import memory
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment
from infrastructure.settings import EventStore, Settings
from infrastructure.shop.online_retail import History
from infrastructure.shop.program import PROGRAM
from tests.shop.application.histories import row
from tests.shop.e2e.cli import COMMAND, PATIENCE, cli
from tests.shop.stores import opened
from tests.waiting import until

Streams = dict[str, list[tuple[object, ...]]]
"""By name, all that an import puts in a stream."""

LAST_LARGE = "order-1290"


async def clean_run(file: Path) -> tuple[Report, Streams]:
    """What comes of a history when nothing happens to its import."""
    store = memory.EventStore(SHOP.catalogue)
    dispatch = CommandDispatch(ClaimCheck(store, memory.PayloadStore()), SHOP.catalogue)
    report = await import_history(History(file), dispatch)
    streams: Streams = defaultdict(list)
    for event in store.after(-1, 10_000):
        streams[event.stream].append(content(event))
    return report, streams


def content(event: RecordedEvent) -> tuple[object, ...]:
    data, metadata = json.loads(event.data), json.loads(event.metadata_json)
    return event.version, event.id, event.type, data, metadata


async def streams_in(subscriptions: Subscriptions) -> Streams:
    """What is in the store, read from the beginning to the end."""
    streams: Streams = defaultdict(list)
    async with subscriptions.catch_up(after=None, only=SHOP.catalogue.own) as messages:
        async for message in messages:
            if isinstance(message, RecordedEvent):
                streams[message.stream].append(content(message))
            elif message.caught_up:
                break
    return streams


@contextmanager
def importing(file: Path, home: Path, settings: Mapping[str, str]) -> Iterator[psutil.Popen]:
    """``headwater import``, killed after the block, without warning; its servers end with it."""
    process = psutil.Popen(
        [*COMMAND, "import", str(file)],
        env={**os.environ, "HEADWATER_HOME": str(home), **settings},
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    try:
        yield process
    finally:
        family = process.children(recursive=True) if process.is_running() else []
        process.kill()
        process.wait()
        psutil.wait_procs(family, timeout=PATIENCE)


@contextmanager
def without_an_end(home: Path, streams: Streams) -> Iterator[Path]:
    """The directory of payloads, where no import comes past the last large order.

    Whoever looks whether that payload is there already waits in vain.
    """
    ((*_, data, _), *_) = streams[LAST_LARGE]
    assert isinstance(data, dict)
    barrier = home / "payloads" / data["$claimCheck"]["sha256"]
    barrier.parent.mkdir(exist_ok=True)
    os.mkfifo(barrier)
    try:
        yield barrier.parent
    finally:
        barrier.unlink()


def to_its_end(file: Path, home: Path, settings: Mapping[str, str]) -> Report:
    """The same, but left alone: the report that it wrote."""
    result = home / "report.json"
    ended = cli(home, "import", str(file), "--report", str(result), **settings)
    assert ended.returncode == 0, ended.stderr
    report = Report.model_validate_json(result.read_text())
    assert report.render() in ended.stdout
    return report


async def stored(subscriptions: Subscriptions, events: int) -> None:
    """Wait until the store has got so many events."""
    async with subscriptions.catch_up(after=None, only=SHOP.catalogue.own) as messages:
        async for message in messages:
            events -= isinstance(message, RecordedEvent)
            if events <= 0:
                break


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A history with returns, and with orders too large for the store."""
    rows = [",".join(COLUMNS)]
    for number in range(1000, 1300):
        lines = range(3 if number % 10 else 150)
        rows += [row(f"{number}", f"x{line}", description=f"OF {number}") for line in lines]
        rows.append(row(f"C{number}", "x2", -1))
    file = tmp_path / "history.csv"
    file.write_text("\n".join(rows))
    return file


async def test_killed_again_and_again_it_ends_as_one_clean_run(
    servers: Mapping[str, str], file: Path, tmp_path: Path
) -> None:
    """Killed when so many events were stored: data, metadata, ids and versions come out equal."""
    report, streams = await clean_run(file)

    async with opened(servers) as container:
        subscriptions = container.subscriptions()
        for events in (1, 200, 400):  # of 600
            with without_an_end(tmp_path, streams), importing(file, tmp_path, servers):
                async with asyncio.timeout(PATIENCE):
                    await stored(subscriptions, events)
            assert await streams_in(subscriptions) != streams, "it had ended before it was killed"

        assert to_its_end(file, tmp_path, servers) == report
        assert await streams_in(subscriptions) == streams


async def test_killed_with_its_own_store_it_ends_as_one_clean_run(
    event_store: EventStore, file: Path, tmp_path: Path
) -> None:
    """Import and store die together, just when a payload is there and its event perhaps not."""
    report, streams = await clean_run(file)

    settings = {
        "HEADWATER_EVENT_STORE": event_store,
        "HEADWATER_EVENTSTOREDB_URI": "",  # only: eventstoredb
        "HEADWATER_POSTGRES_URI": "",  # only: postgres
    }
    with (
        without_an_end(tmp_path, streams) as payloads,
        importing(file, tmp_path, settings) as process,
    ):
        await until(lambda: process.poll() is not None or len(list(payloads.iterdir())) > 1)
    assert process.returncode == -SIGKILL, "it had ended before it was killed"

    assert to_its_end(file, tmp_path, settings) == report
    async with opened_for(Deployment(PROGRAM, Settings(home=tmp_path)), EVENTS) as container:
        assert await streams_in(container.subscriptions()) == streams
