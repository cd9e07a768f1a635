"""``run`` and ``serve`` of the bank: start, stop, kill, start again, and what refuses to start."""

import signal
import socket
from pathlib import Path

import pytest

from infrastructure.settings import EventStore
from tests.e2e.bank import (
    BANK,
    NOWHERE,  # only: reference
)
from tests.e2e.command_line import Service, refusal, until


def test_a_service_that_was_killed_starts_again_with_everything(
    event_store: EventStore, tmp_path: Path
) -> None:
    """Killed with commands behind it: nothing is lost, and the saga goes on to its end."""
    home = tmp_path / "home"
    with BANK.running(home, HEADWATER_EVENT_STORE=event_store) as service:
        assert service.post("/accounts/a-1/deposits", {"amount": 5}).status_code == 201
        transfer = requested(service)
        assert "is running in" in refusal(BANK.run(home, "run"), 1)
        service.end(signal.SIGKILL)

    with BANK.running(home) as service:
        until(lambda: service.is_ready, service)
        until(lambda: service.get(f"{transfer}/progress").get("status") == "completed", service)
        until(lambda: service.get("/accounts/a-2").get("balance") == 3, service)
        assert "TransferCompleted" in BANK.run(home, "stream", stream_of(transfer)).stdout
        assert service.end(signal.SIGINT) == 0
        assert "Traceback" not in service.said


def requested(service: Service) -> str:
    """The path of a new transfer."""
    answer = service.post("/transfers", {"source": "a-1", "target": "a-2", "amount": 3})
    return str(answer.headers["Location"])


def stream_of(transfer: str) -> str:
    return f"transfer-{transfer.removeprefix('/transfers/')}"


def test_a_stop_during_the_start_is_a_clean_stop(tmp_path: Path) -> None:
    """Ctrl-C while the servers are starting ends everything, and the next start works.

    No process has a secret among its arguments, and no file has it.
    """
    home, secret = tmp_path / "home", "sesame-sesame-sesame"
    with BANK.running(home, HEADWATER_API_TOKEN=secret) as service:
        assert service.url
        for process in (service.process, *service.process.children(recursive=True)):
            assert secret not in " ".join(process.cmdline())
        assert service.end(signal.SIGINT) == 0
        assert "Traceback" not in service.said
        assert secret not in service.said
    written = [file for file in home.rglob("*") if file.is_file()]
    assert [file for file in written if secret.encode() in file.read_bytes()] == []


def test_a_taken_port_is_named_with_the_setting_that_changes_it(tmp_path: Path) -> None:
    """One line, exit code 1, for the API as for the node."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for setting in (
            "HEADWATER_HTTP_PORT",
            "HEADWATER_EVENTSTOREDB_PORT",  # only: eventstoredb
        ):
            ended = BANK.run(tmp_path / "home", "run", **{setting: port})
            line = refusal(ended, 1)
            assert port in line
            assert setting in line


def test_a_home_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """A file in the way, or a directory that cannot be made: one line, exit code 1."""
    (tmp_path / "file").write_text("in the way")
    for home in (tmp_path / "file", tmp_path / "file" / "home"):
        assert "HEADWATER_HOME" in refusal(BANK.run(home, "run"), 1)


def test_a_bad_setting_is_named(tmp_path: Path) -> None:
    """One line that says which and why, exit code 2."""
    ended = BANK.run(tmp_path / "home", "run", HEADWATER_HTTP_PORT="http")

    assert refusal(ended, 2).startswith("bank: HEADWATER_HTTP_PORT: 'http' cannot be used")


# only: reference
@pytest.mark.parametrize(
    ("names", "told"),
    [("balances", "in two databases"), ("sales", "there is no sales, but balances")],
)
@pytest.mark.parametrize("command", ["run", "serve"])
def test_a_read_model_cannot_be_inline_over_two_stores(
    tmp_path: Path, command: str, names: str, told: str
) -> None:
    """One line that says why and what to do instead, exit code 2, before anything is started."""
    ended = BANK.run(
        tmp_path / "home",
        command,
        HEADWATER_INLINE_PROJECTIONS=names,
        **(NOWHERE if command == "serve" else {}),
    )

    assert told in refusal(ended, 2)
    assert not (tmp_path / "home" / "postgres").exists()


# end: reference
@pytest.mark.parametrize("signalled", [signal.SIGSTOP, signal.SIGKILL])
def test_a_stop_ends_everything_whatever_hangs(tmp_path: Path, signalled: signal.Signals) -> None:
    """Frozen or dead servers hold up no stop, and nothing is left: no process, no socket."""
    with BANK.running(tmp_path / "home") as service:
        until(lambda: service.is_ready, service)
        for child in service.process.children():
            child.send_signal(signalled)
        assert service.end(signal.SIGTERM) in (0, 1)
        assert not (tmp_path / "home" / "postgres" / "sockets").exists()


@pytest.mark.parametrize(
    "killed",
    [
        "embedded_eventstoredb",  # only: eventstoredb
        "bin/postgres -D",
    ],
)
def test_a_server_that_dies_is_started_again(tmp_path: Path, killed: str) -> None:
    """Whichever embedded server is killed, commands are accepted and carried out again."""
    with BANK.running(tmp_path / "home") as service:
        carried_out(service)
        dead = service.child(killed)
        assert dead is not None
        dead.kill()
        until(lambda: service.child(killed) not in (None, dead), service)
        until(lambda: service.is_ready, service)
        carried_out(service)
        assert service.end(signal.SIGTERM) == 0


def carried_out(service: Service) -> None:
    """A deposit and a transfer, as soon as it is ready."""
    until(lambda: service.is_ready, service)
    assert service.post("/accounts/a-1/deposits", {"amount": 5}).status_code == 201
    transfer = requested(service)
    until(lambda: service.get(f"{transfer}/progress").get("status") == "completed", service)
