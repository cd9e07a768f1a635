"""A child process: started, queried, started again on its port, and always ended."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from embedded_eventstoredb import ChildFailed, ChildProcess
from waiting import has_ended, wait_until

_SERVER = """
import socket, sys
port = int(sys.argv[sys.argv.index("--port") + 1])
if "--refuse" in sys.argv:
    sys.exit("there is no room")
if "--silent" not in sys.argv:
    with socket.create_server(("127.0.0.1", port)) as listening:
        print(f"ready tiny://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        for line in sys.stdin:
            print("ready", *line.split()[::-1], flush=True) if line.strip() else sys.exit()
else:
    sys.stdin.read()
"""
_PARENT = """
import sys
from pathlib import Path
from embedded_eventstoredb import ChildProcess
child = ChildProcess("tiny", 0, [], source=Path(sys.argv[1])).start()
print(child.pid, flush=True)
sys.stdin.read()
"""


class Tiny(ChildProcess):
    name = "the tiny server"
    start_seconds = 60.0


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "tiny.py").write_text(_SERVER)
    return tmp_path


def tiny(source: Path, *options: str) -> Tiny:
    return Tiny("tiny", 0, options, source=source)


def test_it_answers_what_it_is_asked(source: Path) -> None:
    """Each request has its own answer; a line that is sent alone is not waited for."""
    with tiny(source) as child:
        assert child.ready.startswith("tiny://127.0.0.1:")
        assert (child.request("a b"), child.request("c d")) == ("b a", "d c")


def test_it_is_started_again_where_it_was(source: Path) -> None:
    """A child that was killed comes back at its address, in a process of its own."""
    with tiny(source) as child:
        before, address = child.pid, child.ready
        psutil.Process(before).kill()
        wait_until(lambda: child.ended)
        assert child.start_again().ready == address
        assert child.pid != before


def test_a_refusal_to_start_has_its_reason(source: Path) -> None:
    """What the child prints on stderr is the error's text, and nothing is left of it."""
    child = tiny(source, "--refuse")
    with pytest.raises(ChildFailed, match="there is no room"):
        child.start()
    with pytest.raises(ChildFailed, match="the tiny server is not running"):
        _ = child.ready


def test_a_child_that_says_nothing_is_given_up(source: Path) -> None:
    """When no line comes in time, the child is killed, and the error names the time."""
    child = tiny(source, "--silent")
    child.start_seconds = 0.2
    with pytest.raises(ChildFailed, match="the tiny server did not start in"):
        child.start()
    assert child.ended


def test_what_has_ended_answers_no_more(source: Path) -> None:
    """A request to a child that has ended fails, by name; stopping it twice does no harm."""
    with tiny(source) as child:
        with pytest.raises(ChildFailed, match="the tiny server has ended"):
            child.request("")
        child.stop()
    child.stop()
    with pytest.raises(ChildFailed, match="the tiny server"):
        child.send("a")


async def test_it_is_used_from_asyncio(source: Path) -> None:
    """``async with`` starts and stops it."""
    async with tiny(source) as child:
        process = psutil.Process(child.pid)
        assert not has_ended(process)
    assert has_ended(process)


def test_it_ends_with_its_parent(source: Path) -> None:
    """The child of a process that is killed ends by itself."""
    command = [sys.executable, "-c", _PARENT, str(source)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None  # it was started with a pipe
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    wait_until(lambda: has_ended(child))
