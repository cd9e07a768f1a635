"""A PostgreSQL that a test may stop, start and kill, always at the same address."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

from infrastructure.embedded.postgres import EmbeddedPostgres
from tests.waiting import PATIENCE


class Server:
    """One server over one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._postgres = EmbeddedPostgres(directory)
        self.uri = ""  # the same after each start

    def start(self) -> None:
        self.uri = self._postgres.start().uri

    def stop(self) -> None:
        """As an operator does: clients are thrown out, what is committed is on disk."""
        self._postgres.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    def crash(self) -> None:
        """``kill -9`` of all its processes: what was only in memory is gone. It starts again."""
        postmaster = self._postmaster()
        postmaster.suspend()  # so that no more are born
        processes = [postmaster, *postmaster.children(recursive=True)]
        for act in (psutil.Process.suspend, psutil.Process.kill):
            for process in processes:
                with suppress(psutil.NoSuchProcess):  # a backend whose client has just left
                    act(process)
        psutil.wait_procs(processes, timeout=PATIENCE)
        self.restart()

    def suspend(self, role: str) -> None:
        """That process of it does nothing more, until the server crashes."""
        for process in self._postmaster().children():
            with suppress(psutil.NoSuchProcess):  # a backend whose client has just left
                if role in " ".join(process.cmdline()):
                    process.suspend()

    def _postmaster(self) -> psutil.Process:
        pid = int((self._directory / "data" / "postmaster.pid").read_text().split()[0])
        return psutil.Process(pid)

    def configure(self, **settings: object) -> None:
        """Settings that hold from its next start on."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            for name, value in settings.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())

    def terminate(self, application: str = "headwater") -> int:
        """End all connections of programs whose name begins like that; how many there were."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            found = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE starts_with(application_name, %s) AND pid <> pg_backend_pid()",
                [application],
            ).fetchone()
        return int(found[0]) if found else 0


@contextmanager
def server_in(directory: Path) -> Iterator[Server]:
    """One that runs as long as the block lasts."""
    server = Server(directory)
    server.start()
    try:
        yield server
    finally:
        server.stop()
