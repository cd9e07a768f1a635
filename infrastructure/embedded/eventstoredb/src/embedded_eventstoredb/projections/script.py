"""The process of a query, as the node uses it: started, asked, killed.

The dialogue: the query is sent; its definition comes back. Then batches of events and deletions are
sent; the changes of each come back, in order. In between, the process asks for the states that it
does not hold. A script that fails reports it and ends.
"""

import asyncio
import json
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from embedded_eventstoredb.projections.definitions import Faulted

JAVASCRIPT_MISSING: Final = (
    "User-defined projections need a JavaScript engine, which is not installed here: "
    "install the package quickjs (the extra 'javascript')."
)

_PROCESS: Final = Path(__file__).with_name("script_process.py")
_TOO_LONG: Final = -26  # SIGVTALRM: the process has used up the time it had given itself
_DEATH_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 60.0  # of wall-clock time, if nothing else has ended it

_Json = Any  # what JSON can hold
States = Callable[[str], list[str | None] | None]


class ScriptFailed(Faulted):
    """The script threw, hung or died; the text says which."""


class Answer(NamedTuple):
    """What the events of a batch changed, up to the one that failed, and the failure.

    Without a failure, all events were handled, or as many as should be written at once.
    """

    outcomes: list[dict[str, _Json] | None]
    failure: str | None


def engine_is_installed() -> bool:
    """Whether scripts can run here."""
    try:
        import quickjs  # noqa: F401  # only tried
    except ImportError:
        return False
    return True


class Script:
    """A query that runs. One question at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.definition: dict[str, _Json] = {}

    @classmethod
    async def started(cls, query: str) -> "Script":
        """Compile a query. Raises ScriptFailed."""
        if not engine_is_installed():
            raise ScriptFailed(JAVASCRIPT_MISSING)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", str(_PROCESS)),
            stdin=asyncio.subprocess.PIPE,  # closed when this process dies: then it ends
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the node
        )
        script = cls(process)
        try:
            answer = await script._ask(query, "compile")
            if "failed" in answer:
                raise ScriptFailed(answer["failed"])
        except BaseException:
            await script.stop()
            raise
        script.definition = answer["definition"]
        return script

    async def handle(self, items: Sequence[dict[str, _Json]], states: States) -> Answer:
        """Have a batch handled. Raises ScriptFailed if the process dies."""
        answer = await self._ask(items, "execute")
        while "load" in answer:
            answer = await self._ask(states(answer["load"]), "execute")
        return Answer(answer["outcomes"], answer.get("failed"))

    async def stop(self) -> None:
        """End the process, whatever it is doing."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()

    async def _ask(self, question: _Json, doing: str) -> dict[str, _Json]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # it was started with pipes
        assert stdout is not None
        data = json.dumps(question).encode()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                stdin.write(struct.pack(">I", len(data)) + data)
                await stdin.drain()
                (length,) = struct.unpack(">I", await stdout.readexactly(4))
                answer: dict[str, _Json] = json.loads(await stdout.readexactly(length))
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            await self._end()
        else:
            return answer
        raise ScriptFailed(self._cause_of_death(doing))

    async def _end(self) -> None:
        """Wait for the exit code of a process that has died or does not answer."""
        try:
            await asyncio.wait_for(self._process.wait(), _DEATH_SECONDS)
        except TimeoutError:
            await self.stop()

    def _cause_of_death(self, doing: str) -> str:
        code = self._process.returncode
        if code in (_TOO_LONG, -9):
            return f"Projection script took too long to {doing}"
        return f"The process of the projection's script died (exit code {code})"
