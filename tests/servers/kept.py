"""Servers that ``make servers`` starts, and that run until ``make servers-stop``.

Each has a directory below :func:`home`, with its log and a notice of its process and address. Its
data is new at each start.
"""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.servers.installing import home
from tests.servers.server import Server
from tests.servers.starting import begin, end, wait_until_ready


def kept(server: Server) -> str | None:
    """The address of the one that runs and answers."""
    found = _noticed(server)
    return found[1] if found and server.is_ready(found[1]) else None


def keep(server: Server) -> tuple[str, bool]:
    """Its address, and whether it was started now. Raises ``NotHere``, ``ServerFailed``."""
    with _locked(server):
        server.install()
        if address := kept(server):
            return address, False
        _end(server)  # what does not answer
        return _start(server), True


def stop(server: Server) -> bool:
    """End the one that runs, and no other process. Whether there was one."""
    with _locked(server):
        return _end(server)


def _start(server: Server) -> str:
    data = home() / server.name / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    launch, log = server.launch(data), data / "log.txt"
    process = begin(launch, log)
    leader = psutil.Process(process.pid)
    notice = {"pid": process.pid, "created": leader.create_time(), "address": launch.address}
    _notice(server).write_text(json.dumps(notice))
    try:
        wait_until_ready(server, launch.address, process, log)
    except BaseException:
        _end(server)
        raise
    return launch.address


def _end(server: Server) -> bool:
    found = _noticed(server)
    if found:
        end(found[0], server.ends_on)
    _notice(server).unlink(missing_ok=True)
    return found is not None


def _noticed(server: Server) -> tuple[psutil.Process, str] | None:
    """The process and its address, if it is the process that was started."""
    with suppress(OSError, ValueError, KeyError, psutil.NoSuchProcess):
        notice = json.loads(_notice(server).read_text())
        process = psutil.Process(notice["pid"])
        if process.create_time() == notice["created"]:  # else the number is another's by now
            return process, notice["address"]
    return None


def _notice(server: Server) -> Path:
    return home() / server.name / "running.json"


@contextmanager
def _locked(server: Server) -> Iterator[None]:
    """Of two commands at the same time, one waits."""
    directory = home() / server.name
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
