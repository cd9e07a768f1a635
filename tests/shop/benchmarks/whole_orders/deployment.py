"""The real service and its servers, each in processes of their own, as long as a block lasts."""

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal
from urllib.request import Request, urlopen

import psutil
import psycopg

from embedded_eventstoredb import NodeProcess
from infrastructure.shop.simulated_providers import SimulatedProviders
from tests.servers import postgres_server
from tests.shop.benchmarks.whole_orders import load
from tests.shop.e2e.cli import COMMAND, environment

Store = Literal["postgres", "node"]
ROLES: Final = ("api", "projections", "sagas")
PATIENCE: Final = 120.0  # seconds in which a process starts, or answers
_METERED: Final = "tests.shop.benchmarks.whole_orders.metered"
_LOAD: Final = "tests.shop.benchmarks.whole_orders.load"
_COMMITS: Final = "SELECT sum(xact_commit) FROM pg_stat_database"
_KINDS: Final = ("slow", "unavailable", "drop", "late", "twice")
_LIMITS: Final = ("backpressure_slow_seconds", "backpressure_refuse_seconds")


@dataclass(frozen=True)
class Process:
    """One process of the service."""

    role: str
    url: str
    process: psutil.Popen
    parts_file: Path
    output: Path

    @property
    def parts(self) -> Mapping[str, float]:
        """Seconds of the processor so far, by part."""
        self.parts_file.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        wait_until(self.parts_file.exists, self.ended)
        parts: dict[str, float] = json.loads(self.parts_file.read_text())
        return parts

    def end(self) -> None:
        """As an operator ends it. An ended one is left alone."""
        if not self.ended():
            self.process.terminate()
            self.process.wait(PATIENCE)

    def wait_until_ready(self) -> None:
        """Raises ``RuntimeError`` with what it printed, if it does not start."""
        try:
            wait_until_ready(self.url, self.ended)
        except RuntimeError as error:
            raise RuntimeError(f"{self.role}: {self.output.read_text()[-2000:]}") from error

    def ended(self) -> bool:
        return self.process.poll() is not None


@dataclass(frozen=True)
class Taken:
    """Seconds of the processor so far."""

    processes: Mapping[str, float]
    """By process: those of the service by role, and its servers."""
    parts: Mapping[str, Mapping[str, float]]
    """By role, by part."""
    commits: int
    """Transactions of PostgreSQL."""

    def since(self, before: "Taken") -> "Taken":
        """What was taken between two moments."""
        return Taken(
            _less(self.processes, before.processes),
            {role: _less(parts, before.parts[role]) for role, parts in self.parts.items()},
            self.commits - before.commits,
        )


def _less(now: Mapping[str, float], before: Mapping[str, float]) -> Mapping[str, float]:
    return {name: seconds - before.get(name, 0.0) for name, seconds in now.items()}


@dataclass(frozen=True)
class Deployment:
    """A service that runs."""

    processes: Sequence[Process]
    servers: Mapping[str, int]
    """The process of each server, by its name."""
    environment: Mapping[str, str]
    """Of its processes, and of commands that look at it."""

    @property
    def postgres_uri(self) -> str:
        return self.environment["HEADWATER_POSTGRES_URI"]

    @property
    def events_uri(self) -> str:
        """Where the events are."""
        return self.environment.get("HEADWATER_EVENTSTOREDB_URI", self.postgres_uri)

    @property
    def url(self) -> str:
        """The API."""
        return self.processes[0].url

    def taken(self) -> Taken:
        own: defaultdict[str, float] = defaultdict(float)
        parts: dict[str, Counter[str]] = {}
        for one in self.processes:
            parts.setdefault(one.role, Counter()).update(one.parts)
            own[one.role] += processor_of(one.process.pid)
        others = {name: processor_of(pid) for name, pid in self.servers.items()}
        return Taken({**own, **others}, parts, self._commits())

    def strike(self, rate: float) -> None:
        """Let this share of the calls to providers go wrong, in each of five ways."""
        faults = [{"kind": kind, "rate": rate / len(_KINDS)} for kind in _KINDS]
        provider = self.environment["HEADWATER_CARRIER_URI"].rpartition("/")[0]
        body = json.dumps({"faults": faults}).encode()
        urlopen(Request(f"{provider}/faults", data=body, method="PUT"), timeout=PATIENCE).close()

    def audit(self) -> str:
        """The verdict on all events and the records of the providers, as the command prints it.

        Raises ``RuntimeError`` when something does not add up.
        """
        ended = subprocess.run(
            [*COMMAND, "audit"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise RuntimeError(f"{ended.stdout}{ended.stderr}")
        return ended.stdout

    def _commits(self) -> int:
        with psycopg.connect(self.postgres_uri) as connection:
            ((count,),) = connection.execute(_COMMITS).fetchall()
            return int(count)

    def leave_the_api_alone(self) -> None:
        """End all processes of the service but the API."""
        for worker in self.processes[1:]:
            worker.end()


def customers(url: str, task: load.Task) -> load.Load:
    """What came of this load, by a process of its own. Raises ``RuntimeError``."""
    command = [sys.executable, "-m", _LOAD, url, json.dumps(asdict(task))]
    with tempfile.TemporaryFile() as printed:  # a pipe holds 64 KB, and uvloop may not wait for it
        if subprocess.run(command, stdout=printed, check=False).returncode:
            raise RuntimeError("the customers failed: see above")
        printed.seek(0)
        return load.loaded(printed.read().decode())


def processor_of(pid: int) -> float:
    """Seconds of the processor that a process and its children took, ended ones included."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    taken = times.user + times.system + times.children_user + times.children_system
    for child in process.children():
        try:
            taken += processor_of(child.pid)
        except psutil.NoSuchProcess:  # its parent counts it from now on
            continue
    return float(taken)


def wait_until_ready(url: str, ended: Callable[[], bool], health: str = "ready") -> None:
    """Return when the process that answers there is ready, or ``live``. Raises ``RuntimeError``."""
    wait_until(partial(_answers, f"{url}/health/{health}"), ended)


def wait_until(condition: Callable[[], bool], ended: Callable[[], bool]) -> None:
    """Raises ``RuntimeError`` when the process has ended, or it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if ended() or time.monotonic() > deadline:
            raise RuntimeError("a process has ended, or does not answer")
        time.sleep(0.02)


def _answers(url: str) -> bool:
    try:
        urlopen(url, timeout=PATIENCE).close()
    except OSError:  # it does not answer yet, or not with 200
        return False
    return True


@contextmanager
def deployed(
    store: Store,
    roles: Sequence[str] = ROLES,
    *,
    metered: bool = True,
    patient: bool = False,
    program: str = "infrastructure.shop",
) -> Iterator[Deployment]:
    """The service, ready: a process for each of these roles, the first of which is the API.

    ``metered``: each process accounts for its parts. ``patient``: commands are never refused for
    the lag of read models, for an API that nobody works for. ``program``: another one than the
    shop, not metered.
    """
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings, servers = _servers(stack, store, home)
        if patient:
            for number, limit in enumerate(_LIMITS):
                settings[f"HEADWATER_{limit.upper()}"] = str(1e6 + number)
        processes = [
            stack.enter_context(_process(role, home, settings, program, metered=metered))
            for role in roles
        ]
        for process in processes:
            process.wait_until_ready()
        yield Deployment(processes, servers, environment(home, settings))


def _servers(
    stack: ExitStack, store: Store, home: Path
) -> tuple[dict[str, str], Mapping[str, int]]:
    """Their addresses as settings, and their processes."""
    postgres = stack.enter_context(postgres_server())
    providers = stack.enter_context(SimulatedProviders(home / "journal.sqlite3"))
    uris = {"postgres_uri": postgres, **providers.uris}
    pids = {"PostgreSQL": server_pid(postgres), "simulated providers": providers.pid}
    if store == "node":
        node = stack.enter_context(NodeProcess(home / "node"))
        uris["eventstoredb_uri"], pids["node"] = node.uri, node.pid
    named = {f"HEADWATER_{field.upper()}": uri for field, uri in uris.items()}
    kind = "postgres" if store == "postgres" else "eventstoredb"
    return {**named, "HEADWATER_EVENT_STORE": kind}, pids


def server_pid(uri: str) -> int:
    """The first process of the PostgreSQL that is at that address, on this machine."""
    with psycopg.connect(uri) as connection:
        ((backend,),) = connection.execute("SELECT pg_backend_pid()").fetchall()
        return int(psutil.Process(backend).ppid())


@contextmanager
def _process(
    role: str, home: Path, settings: Mapping[str, str], module: str, *, metered: bool
) -> Iterator[Process]:
    port = free_port()
    parts, output = home / f"{role}-{port}.json", home / f"{role}-{port}.txt"
    program = [_METERED, str(parts)] if metered else [module]
    arguments = ["serve"] if role == "all" else ["serve", "--role", role]
    with output.open("w") as file:
        process = psutil.Popen(
            [sys.executable, "-m", *program, *arguments],
            env={**environment(home, settings), "HEADWATER_HTTP_PORT": str(port)},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    started = Process(role, f"http://127.0.0.1:{port}", process, parts, output)
    try:
        yield started
    finally:
        started.end()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
