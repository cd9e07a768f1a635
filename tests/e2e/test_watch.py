"""``projections list --watch`` on a terminal: while no process fills the read models, and later."""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.bank import BANK
from tests.e2e.command_line import Service, until
from tests.stores import USUAL

WATCH = ("projections", "list", "--watch")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("watch") / "home"
    with BANK.running(home, HEADWATER_EVENT_STORE=USUAL[-1]) as service:
        until(lambda: service.is_ready, service)
        yield service


@contextmanager
def unfilled(service: Service) -> Iterator[None]:
    """Its read models are filled by nobody, and every command has noticed that."""

    def noticed() -> bool:
        return all(one["status"] == "nobody runs it" for one in standings(service))

    filling = service.child("part projections")
    assert filling
    filling.suspend()
    try:
        until(noticed, service)
        yield
    finally:
        filling.resume()


def standings(service: Service) -> list[dict[str, Any]]:
    return list(json.loads(BANK.run(service.home, "projections", "list", "--json").stdout))


def standing(service: Service, read_model: str) -> dict[str, Any]:
    return next(one for one in standings(service) if one["name"] == read_model)


class Shown:
    """A command on a terminal."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        given = {**BANK.environment(home, {}), "TERM": "xterm"}
        command = [*BANK.command, *arguments]
        self.process = subprocess.Popen(
            command, env=given, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self.written = ""

    def read_until(self, text: str) -> None:
        """Read on, up to that text, which has to come."""
        while text not in self.written:
            some = self._read()
            assert some, self.written
            self.written += some

    def end(self) -> int:
        """Read to the end; the exit code."""
        while some := self._read():
            self.written += some
        os.close(self._ours)
        return self.process.wait()

    def _read(self) -> str:
        try:
            return os.read(self._ours, 65_536).decode(errors="replace")
        except OSError:  # as Linux ends it
            return ""


def test_it_ends_when_all_have_caught_up(service: Service) -> None:
    """In place, and with 0: so a script can wait for it, too."""
    with unfilled(service):
        shown = Shown(service.home, *WATCH)
        shown.read_until("nobody runs it")

    assert shown.end() == 0, shown.written
    last = shown.written.rpartition("\x1b[1A")[2]
    assert "balances" in last
    assert "nobody" not in last


def test_ctrl_c_ends_it(service: Service) -> None:
    """With the exit code of every command that is stopped before its end, and the cursor back."""
    with unfilled(service):
        shown = Shown(service.home, *WATCH)
        shown.read_until("nobody runs it")
        shown.process.send_signal(signal.SIGINT)

        assert shown.end() == 130, shown.written
    assert "\x1b[?25h" in shown.written
    assert "stopped before the end" in shown.written


def test_what_cannot_catch_up_is_named(service: Service) -> None:
    """It is not waited for: a person has to act. Exit code 1, on a pipe as well."""

    def behind() -> bool:  # its process notices the pause later than the command ends
        service.post("/accounts/a-1/deposits", {"amount": 5})
        return bool(standing(service, "balances")["lag_events"] > 0)

    BANK.run(service.home, "projections", "pause", "balances", "--reason", "a look")
    try:
        until(behind, service)
        ended = BANK.run(service.home, *WATCH)
    finally:
        BANK.run(service.home, "projections", "resume", "balances")

    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "is paused by" in ended.stderr
    assert "\x1b" not in ended.stdout
