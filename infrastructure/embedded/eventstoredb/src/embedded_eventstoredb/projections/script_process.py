"""Runs a query in its own process: a script that hangs, crashes or grows too large ends only
itself.

Runs as a file and imports nothing of the node. Messages on its standard streams are a length of
four bytes, then JSON. ``script.py``, the other end, describes the dialogue.
"""

import json
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import Any, Final

import quickjs

_COMPILE_SECONDS: Final = 0.5  # the server's own limits; here they count the script's CPU time
_EVENT_SECONDS: Final = 0.25
_MEMORY: Final = 64 << 20
_STACK: Final = 1 << 20
_PARTITIONS: Final = 4_000
_STATES: Final = 16 << 20  # characters of states that are held from batch to batch
_ANSWER: Final = 4 << 20  # characters of outcomes after which a batch is answered as far as it is
_PROCESS: Final = 1 << 30  # bytes of address space: whatever else may grow

_Json = Any  # what JSON can hold


class Failed(Exception):
    """The script has thrown; the text is its message."""


class Script:
    """A compiled query, with the states of recently used partitions."""

    def __init__(self, query: str) -> None:
        """Raises Failed."""
        self.said = 0
        """Characters of all outcomes since this was last set to 0."""
        self._context = quickjs.Context()
        self._context.set_memory_limit(_MEMORY)
        self._context.set_max_stack_size(_STACK)
        with _TimeLimit(_COMPILE_SECONDS):
            language = Path(__file__).with_name("query_language.js").read_text()
            try:
                self._turn = self._context.eval(language)
                self._context.eval(query)
            except quickjs.JSException as error:
                raise Failed(_message(error)) from None
            self.definition = self._run("define")
        self._states: dict[str, list[str | None]] = {}
        self._loaded: str | None = None

    def forget_old(self) -> None:
        """Keep the memory of partitions small; only between batches, when all are on disk."""
        size = sum(len(text) for state in self._states.values() for text in state if text)
        while len(self._states) > _PARTITIONS or size > _STATES:
            oldest = self._states.pop(next(iter(self._states)))
            size -= sum(len(text) for text in oldest if text)

    def handle(self, item: dict[str, _Json]) -> dict[str, _Json] | None:
        """The changes of an event or a deletion; None if it is in no partition. Raises Failed."""
        event, deletion = item.get("event"), item.get("deletion")
        with _TimeLimit(_EVENT_SECONDS):
            partition = deletion or self._partition(item)
            if partition is None:
                return None
            is_new = self._load(partition)
            if event is None:
                outcome = self._run("deletion")
            else:
                outcome = self._run("event", {"event": event, "isNew": is_new})
        return self._changes(partition, outcome)

    def _partition(self, item: dict[str, _Json]) -> str | None:
        if not self.definition["byPartition"]:
            partition: str = item["partition"]
            return partition
        chosen: str | None = self._run("partition", {**item["event"], "partition": ""})
        return chosen

    def _load(self, partition: str) -> bool:
        if partition == self._loaded:
            return False
        wanted = {"partition": partition, "state": self._state(partition)[0]}
        if self.definition["options"].get("biState"):
            wanted["shared"] = self._state("")[0]
        self._loaded = partition
        return bool(self._run("load", wanted))

    def _state(self, partition: str) -> list[str | None]:
        if partition not in self._states:
            send({"load": partition})
            self._states[partition] = receive() or ["", None]
        return self._states[partition]

    def _changes(self, partition: str, outcome: dict[str, _Json]) -> dict[str, _Json]:
        states: dict[str, list[str | None]] = {}
        changes = {"partition": partition, "states": states, **outcome}
        if "state" in outcome:
            before = self._state(partition)
            after = [outcome["state"], outcome["result"]]
            changes["isNew"] = before == ["", None]
            if before[1] == after[1]:
                del changes["result"]
            states[partition] = self._states[partition] = after
        if "shared" in outcome and partition and [outcome["shared"], None] != self._state(""):
            states[""] = self._states[""] = [outcome["shared"], None]
        return changes

    def _run(self, turn: str, given: _Json = None) -> _Json:
        try:
            text = self._turn(turn, json.dumps(given))
            self.said += len(text)
            told = json.loads(text)
        except quickjs.JSException as error:
            raise Failed(_message(error)) from None
        if "error" in told:
            raise Failed(told["error"])
        return told.get("answer")


class _TimeLimit:
    """Ends the process, whatever it does, after so many seconds of CPU time.

    A regular expression that never ends cannot be interrupted from within.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _message(error: Exception) -> str:
    first = str(error).partition("\n")[0]
    return "out of memory" if first in ("null", "") else first


def send(message: _Json) -> None:
    data = json.dumps(message).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(data)) + data)
    sys.stdout.buffer.flush()


def receive() -> _Json:
    """The next message. Ends the process at the end of the input."""
    length = sys.stdin.buffer.read(4)
    if len(length) < 4:
        sys.exit()
    return json.loads(sys.stdin.buffer.read(struct.unpack(">I", length)[0]))


def main() -> None:
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (_PROCESS, _PROCESS))
    try:
        script = Script(receive())
    except Failed as failure:
        send({"failed": str(failure)})
        return
    send({"definition": script.definition})
    while True:
        answer = handle_batch(script, receive())
        send(answer)
        if "failed" in answer:
            return  # after a failure its state is undefined


def handle_batch(script: Script, items: list[dict[str, _Json]]) -> dict[str, _Json]:
    """The outcomes of all items, or of the first ones if they grow too large, and the failure."""
    script.forget_old()
    script.said = 0
    outcomes: list[dict[str, _Json] | None] = []
    for item in items:
        try:
            outcomes.append(script.handle(item))
        except Failed as failure:
            return {"outcomes": outcomes, "failed": str(failure)}
        if script.said > _ANSWER:
            break
    return {"outcomes": outcomes}


if __name__ == "__main__":
    main()
