"""The embedded PostgreSQL: it starts, keeps its data, and never outlives its owner."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from infrastructure.embedded.postgres import EmbeddedPostgres, PostgresFailed
from infrastructure.embedded.postgres.installation import binary
from tests.waiting import PATIENCE, has_ended

_HOLD = """
import sys, time
from pathlib import Path
from infrastructure.embedded.postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print(server.uri, flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(directory: Path, **environment: str) -> Iterator[tuple[psutil.Popen, str]]:
    """A process that runs the server of that directory until it is told or killed."""
    process = psutil.Popen(
        [sys.executable, "-c", _HOLD, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(directory), **environment},  # a power cut leaves sockets
    )
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(PATIENCE)
        process.stdout.close()


def kill_at_once(processes: Sequence[psutil.Process]) -> None:
    """As a power cut would: none of them sees another one die."""
    for act in (psutil.Process.suspend, psutil.Process.kill):
        for process in processes:
            with suppress(psutil.NoSuchProcess):  # a backend whose client has left just now
                act(process)
    psutil.wait_procs(processes, timeout=PATIENCE)


def ask(uri: str, question: str) -> object:
    with psycopg.connect(uri, autocommit=True) as connection:
        answer = connection.execute(question.encode())
        return answer.fetchone() if answer.description else None


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which a server has run before; making one takes a second."""
    directory = tmp_path_factory.mktemp("postgres")
    with EmbeddedPostgres(directory) as server:
        ask(server.uri, "CREATE TABLE kept (word text)")
        ask(server.uri, "INSERT INTO kept VALUES ('there')")
    return directory


def is_there(uri: str) -> bool:
    return ask(uri, "SELECT word FROM kept") == ("there",)


def test_data_is_there_after_a_restart(made: Path) -> None:
    """What was written before the server was stopped is found by the next one."""
    for _ in range(2):
        with EmbeddedPostgres(made) as server:
            assert is_there(server.uri)


def test_stopped_means_stopped(made: Path) -> None:
    """After stop no process and no socket is left, and stopping again is no fault."""
    server = EmbeddedPostgres(made).start()
    sockets = Path(ask(server.uri, "SHOW unix_socket_directories")[0])  # type: ignore[index]  # one row
    pid = int((made / "data" / "postmaster.pid").read_text().split()[0])

    server.stop()
    server.stop()

    assert not psutil.pid_exists(pid)
    assert not sockets.exists()
    with pytest.raises(PostgresFailed, match="not running"):
        _ = server.uri


def test_it_listens_to_nobody_outside(made: Path) -> None:
    """No port is open, and only its user can reach the socket."""
    with EmbeddedPostgres(made) as server:
        assert ask(server.uri, "SHOW listen_addresses") == ("",)
        sockets = Path(ask(server.uri, "SHOW unix_socket_directories")[0])  # type: ignore[index]  # one row
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    """A project may lie deeper than the 107 bytes that a socket's path may have."""
    deep = tmp_path / ("d" * 100) / ("e" * 100)

    with EmbeddedPostgres(deep) as server:
        assert ask(server.uri, "SELECT 1") == (1,)


def test_a_second_process_shares_the_server(made: Path) -> None:
    """A command beside a running service uses its server, and leaves it running."""
    with another_process(made) as (_, uri):
        with EmbeddedPostgres(made) as server:
            assert server.uri == uri
            assert is_there(server.uri)

        assert is_there(uri)


def test_the_server_ends_with_a_killed_owner(made: Path) -> None:
    """After kill -9 of the service its server ends by itself, and the next start is not upset."""
    with another_process(made) as (owner, _):
        family = owner.children(recursive=True)
        owner.kill()

        gone, alive = psutil.wait_procs(family, timeout=PATIENCE)

        assert (len(gone) > 3, alive) == (True, [])
    with EmbeddedPostgres(made) as server:
        assert is_there(server.uri)


def test_it_starts_again_after_a_power_cut(made: Path) -> None:
    """After kill -9 of the service and all of the server, the data is there."""
    with another_process(made) as (owner, uri):
        ask(uri, "CREATE TABLE new (n int)")
        family = [owner, *owner.children(recursive=True)]
        kill_at_once(family)

    with EmbeddedPostgres(made) as server:
        assert is_there(server.uri)
        assert ask(server.uri, "DROP TABLE new") is None


def test_an_orphan_is_ended_first(made: Path) -> None:
    """A server that lost its owner and its guard at once is in nobody's way."""
    with another_process(made) as (owner, _):
        guard = owner.children()[0]
        orphan = next(child for child in guard.children() if child.name() == "postgres")
        kill_at_once([owner, guard, *(child for child in guard.children() if child != orphan)])

    with EmbeddedPostgres(made) as server:
        assert is_there(server.uri)
        assert has_ended(orphan)


def test_a_process_with_the_old_number_is_not_mistaken_for_the_server(made: Path) -> None:
    """After a crash the recorded process number may be anybody's, in a container soon is."""
    with another_process(made) as (owner, _):
        family = [owner, *owner.children(recursive=True)]
        kill_at_once(family)
    record = made / "data" / "postmaster.pid"
    user = record.stat()
    stranger = subprocess.Popen(["sleep", "60"], user=user.st_uid)
    lines = record.read_text().splitlines(keepends=True)
    record.write_text("".join([f"{stranger.pid}\n", *lines[1:]]))

    try:
        with EmbeddedPostgres(made) as server:
            assert is_there(server.uri)
    finally:
        stranger.kill()
        stranger.wait()


def test_a_cut_off_first_start_is_begun_anew(tmp_path: Path) -> None:
    """What a killed first start left behind is thrown away, not built upon."""
    (tmp_path / "data.new").mkdir()
    (tmp_path / "data.new" / "PG_VERSION").write_text("18")

    with EmbeddedPostgres(tmp_path) as server:
        assert ask(server.uri, "SELECT 1") == (1,)
    assert not (tmp_path / "data.new").exists()


def test_data_of_another_version_is_left_alone(tmp_path: Path) -> None:
    """The message says what is there, what is needed, and how nothing is lost."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("16\n")

    with pytest.raises(PostgresFailed, match="made by PostgreSQL 16, this is 18: dump it"):
        EmbeddedPostgres(tmp_path).start()


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """A file where the directory should be: a sentence, not a stack of errors."""
    (tmp_path / "file").touch()

    with pytest.raises(PostgresFailed, match=r"file/postgres cannot be used: "):
        EmbeddedPostgres(tmp_path / "file" / "postgres").start()


def test_a_server_that_does_not_start_says_why(made: Path) -> None:
    """The last words of the server are in the message, and the directory is free again."""
    settings = made / "data" / "postgresql.auto.conf"
    before = settings.read_bytes()
    settings.write_text("shared_buffers = 'plenty'\n")
    try:
        with pytest.raises(PostgresFailed, match=r"did not start:(.|\n)*plenty"):
            EmbeddedPostgres(made).start()
    finally:
        settings.write_bytes(before)

    with EmbeddedPostgres(made) as server:
        assert is_there(server.uri)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_started_by_root_it_opens_no_directory_to_others(tmp_path: Path) -> None:
    """The server passes a directory like /root, and its permissions stay as they were."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)

    with EmbeddedPostgres(private / "postgres") as server:
        assert ask(server.uri, "SELECT 1") == (1,)
        record = private / "postgres" / "data" / "postmaster.pid"
        process = psutil.Process(int(record.read_text().split()[0]))
        assert process.uids().effective != 0

    assert stat.S_IMODE(private.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_started_by_root_it_may_be_installed_where_only_root_may_look(tmp_path: Path) -> None:
    """As in a checkout below /root: the server asks whether it may before it reads its programs."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    installed = binary("postgres").parents[2]
    for folder in (installed, installed.with_suffix(".libs")):
        shutil.copytree(folder, private / folder.name, symlinks=True, copy_function=linked)

    asked = "from infrastructure.embedded.postgres.installation import binary; print(binary('x'))"
    here = {**os.environ, "PYTHONPATH": str(private)}
    found = subprocess.run([sys.executable, "-c", asked], env=here, capture_output=True, text=True)
    assert found.stdout.startswith(str(private)), found.stderr
    with another_process(tmp_path / "home", PYTHONPATH=str(private)) as (_, uri):
        assert ask(uri, "SELECT 1") == (1,)


def linked(source: str, target: str) -> None:
    """Sooner than a copy, where both are on one disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
