"""Servers of the tests: one that cannot start is reported, and none outlives the tests."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Final

import psutil
import pytest

from tests.servers import NotHere, Server, ServerFailed, available, started
from tests.servers.server import LOCALHOST, Launch, answers, free_ports
from tests.waiting import has_ended, until

ROOT: Final = Path(__file__).parents[2]


def nothing() -> None:
    """Of what it needs, nothing is missing."""


def launch(_: Path) -> Launch:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "http.server", "--bind", LOCALHOST, f"{port}"]
    return Launch(command, f"http://{LOCALHOST}:{port}")


def launch_of_a_broken_one(_: Path) -> Launch:
    script = "import sys; print('reading its settings', flush=True); sys.exit('the disk is full')"
    return Launch([sys.executable, "-c", script], "http://nowhere")


def not_here() -> None:
    raise NotHere("needs a coffee machine")


PAGES: Final = Server("pages", "PAGES_URI", nothing, nothing, launch, answers)
BROKEN: Final = Server(
    "broken", "BROKEN_URI", nothing, nothing, launch_of_a_broken_one, lambda _: False
)
MISSING: Final = Server("espresso", "ESPRESSO_URI", not_here, not_here, launch, answers)
KILLED: Final = """
import time
from tests.servers import started
from tests.servers.test_starting import PAGES
with started(PAGES) as running:
    print(running.pid, running.directory, flush=True)
    time.sleep(600)
"""


def test_a_server_that_cannot_start_is_reported_with_its_log() -> None:
    """The error has its name, its exit code, and what it printed last."""
    with pytest.raises(ServerFailed) as failed, started(BROKEN):
        pass

    assert "broken ended with 1 during its start" in str(failed.value)
    assert "reading its settings\nthe disk is full" in str(failed.value)


def test_a_server_ends_with_its_tests() -> None:
    """It answers in the block; then it and its directory are gone."""
    with started(PAGES) as running:
        assert answers(running.address)
        process = psutil.Process(running.pid)

    assert has_ended(process)
    assert not running.directory.exists()


def test_a_server_that_was_killed_starts_again_where_it_was() -> None:
    """At the same address, and what it had stored is there."""
    with started(PAGES) as running:
        (running.directory / "kept.txt").write_text("kept")
        running.kill()
        assert not answers(running.address)

        running.start_again()
        assert answers(f"{running.address}/kept.txt")


async def test_a_server_ends_when_its_tests_are_killed() -> None:
    """SIGKILL of the test process ends the server too, and removes its data."""
    tests = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, cwd=ROOT, stdout=subprocess.PIPE
    )
    assert tests.stdout is not None
    pid, directory = (await tests.stdout.readline()).decode().split()
    server = psutil.Process(int(pid))

    tests.kill()
    await tests.wait()

    await until(lambda: has_ended(server) and not Path(directory).exists())


def test_an_address_in_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is started, and nothing needs to be installed."""
    monkeypatch.setenv("ESPRESSO_URI", "http://kitchen")
    with available(MISSING) as address:
        assert address == "http://kitchen"


def test_without_a_server_a_test_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is about the machine."""
    monkeypatch.delenv("REQUIRE_SERVERS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="espresso needs a coffee machine"):
        available(MISSING).__enter__()


def test_a_required_server_that_is_missing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``REQUIRE_SERVERS``, as in CI, a skip becomes a failure that names the server."""
    monkeypatch.setenv("REQUIRE_SERVERS", "1")
    with pytest.raises(pytest.fail.Exception, match="espresso needs a coffee machine"):
        available(MISSING).__enter__()
