"""Writes log lines in a thread, so that a slow disk or a full pipe delays no request."""

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Thread
from typing import Final

WAITING: Final = 10_000  # lines that wait; more are dropped, and counted
_AT_ONCE: Final = 1_000  # lines in one write
_APART: Final = 0.1  # seconds between writes: each wakes a thread, which delays the others
_PATIENCE: Final = 2.0  # seconds for the last lines at the end


class Aside(logging.Handler):
    """Renders a record at once, and has another handler write it in a thread."""

    def __init__(self, target: logging.Handler) -> None:
        super().__init__()
        self._target = target
        self._lines: Queue[str | None] = Queue(WAITING)
        self._lost = 0
        self._thread = Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Have a line written; it is counted as lost if too many wait."""
        try:
            self._lines.put_nowait(line)
        except Full:
            self._lost += 1

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.put(self.format(record))
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Write the lines that wait, as far as that is possible in time."""
        try:
            self._lines.put(None, timeout=_PATIENCE)
        except Full:
            return
        self._thread.join(_PATIENCE)
        self._target.close()  # not in the thread: it needs a lock that is held here
        super().close()

    def _waiting(self) -> Iterator[str | None]:
        """The next line, once there is one, and those that wait behind it."""
        first = self._lines.get()
        yield first
        if first is not None:
            time.sleep(_APART)
        with suppress(Empty):
            for _ in range(_AT_ONCE - 1):
                yield self._lines.get_nowait()

    def _write(self) -> None:
        going_on = True
        while going_on:
            lines = [*self._waiting()]
            going_on = None not in lines
            text = "\n".join(filter(None, lines))
            if text:
                self._target.handle(logging.makeLogRecord({"msg": text}))
            if self._lost:
                lost, self._lost = self._lost, 0
                line = f'{{"level": "warning", "event": "{lost:,} log lines were lost"}}'
                self._target.handle(logging.makeLogRecord({"msg": line}))


class Seldom(logging.Filter):
    """Limits repeated records of libraries to one per interval, with their number.

    A client can make a server log the same record thousands of times a second.
    """

    def __init__(self, pause: float = 10.0) -> None:
        super().__init__()
        self._pause = pause
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name not in _TALKATIVE:
            return True
        first = record.getMessage().partition("\n")[0]
        key, now = (record.name, first), time.monotonic()
        at, times = self._said.get(key, (-self._pause, 0))
        if now - at < self._pause:
            self._said[key] = at, times + 1
            return False
        if len(self._said) > 1000:
            self._said.clear()
        self._said[key] = now, 0
        if times:
            record.msg, record.args = f"{first} (and {times:,} times more before)", None
        return True


_TALKATIVE: Final = frozenset(
    [
        "asyncio",
        "psycopg.pool",  # only: postgres
        "uvicorn.error",
    ]
)
