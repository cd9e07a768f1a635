"""Servers that keep running: found by the tests, started once, and no other process is ended."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.servers import ServerFailed, available
from tests.servers.__main__ import SERVERS, main
from tests.servers.kept import keep, kept, stop
from tests.servers.server import answers
from tests.servers.test_starting import BROKEN, MISSING, PAGES
from tests.waiting import has_ended


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where they are; what still runs there is ended."""
    monkeypatch.setenv("SERVERS_HOME", str(tmp_path))
    monkeypatch.setitem(SERVERS, PAGES.name, PAGES)
    monkeypatch.setitem(SERVERS, MISSING.name, MISSING)
    yield tmp_path
    stop(PAGES)


def test_starting_twice_starts_one() -> None:
    """The second time returns the address of the first."""
    address, new = keep(PAGES)
    assert (new, answers(address)) == (True, True)
    assert keep(PAGES) == (address, False)


def test_tests_find_the_one_that_runs() -> None:
    """A test uses it, and leaves it running."""
    address, _ = keep(PAGES)
    with available(PAGES) as found:
        assert found == address
    assert kept(PAGES) == address


def test_stopping_ends_it(directory: Path) -> None:
    """Stopping again does nothing."""
    address, _ = keep(PAGES)
    process = psutil.Process(json.loads((directory / "pages/running.json").read_text())["pid"])

    assert stop(PAGES)
    assert has_ended(process)
    assert not answers(address)
    assert not stop(PAGES)


def test_another_process_of_the_same_number_is_left_alone(directory: Path) -> None:
    """A process that was not started here is not ended, even if it has the number in the notice."""
    (directory / "pages").mkdir()
    notice = {"pid": os.getpid(), "created": 1.0, "address": "http://nowhere"}
    (directory / "pages/running.json").write_text(json.dumps(notice))

    assert not stop(PAGES)  # this test goes on


def test_one_that_fails_to_start_is_not_kept() -> None:
    """Its log is in the error, and the next start begins anew."""
    with pytest.raises(ServerFailed, match="the disk is full"):
        keep(BROKEN)
    assert kept(BROKEN) is None


def test_the_command_reports_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can be had is started. The exit code is 1 only where all servers are required."""
    monkeypatch.delenv("REQUIRE_SERVERS", raising=False)
    assert main(["start", "pages", "espresso"]) == 0
    printed = capsys.readouterr().out
    assert f"pages         real    {kept(PAGES)}" in printed
    assert "espresso      real    not here: needs a coffee machine" in printed

    monkeypatch.setenv("REQUIRE_SERVERS", "1")
    assert main(["start", "espresso"]) == 1


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The error has the name, and those that there are."""
    with pytest.raises(SystemExit):
        main(["start", "teapot"])
    names = ", ".join(SERVERS)
    assert f"no server is called teapot: {names}" in " ".join(capsys.readouterr().err.split())
