"""Which part of a process takes how much of the processor: by task, and by what tasks call.

Each step of a task is charged to the task's name; a task without a name to the part that made it.
Parts that are called, such as an append, are charged by themselves and not to their callers. The
clock of a thread's processor is dear, so it is not read at each step: a timer asks which part runs.
"""

import asyncio
import atexit
import re
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Generator, Mapping
from typing import Any, Final

LOOP: Final = "loop, sockets"
"""What a loop does between the steps of tasks: sockets, parsers of protocols, timers."""
_TASK: Final = "task "
_UNNAMED: Final = re.compile(r"Task-\d+")
_REQUEST: Final = "RequestResponseCycle.run_asgi"  # of uvicorn
_EVERY: Final = 0.001  # seconds of the processor; the system may ask less often


class Meter:
    """Accounts for the time of one thread, in seconds: what passed between two samples is charged
    to the part that runs at the later one."""

    def __init__(self) -> None:
        self._taken: defaultdict[str, float] = defaultdict(float)
        self._part, self._since = LOOP, time.thread_time()

    @property
    def part(self) -> str:
        """The part that runs now."""
        return self._part

    @property
    def taken(self) -> Mapping[str, float]:
        """Seconds of the processor so far, by part."""
        self.sample()
        return dict(self._taken)

    def start(self) -> None:
        """Sample from now on, in the main thread, as long as the process lasts."""
        signal.signal(signal.SIGPROF, self.sample)
        signal.siginterrupt(signal.SIGPROF, False)
        signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
        atexit.register(signal.setitimer, signal.ITIMER_PROF, 0)  # its handler ends before it

    def sample(self, *_: object) -> None:
        """Charge the time since the last sample to the part that runs now."""
        now = time.thread_time()
        self._taken[self._part] += now - self._since
        self._since = now

    def enter(self, part: str) -> str:
        """From now on, this part runs. Returns the part that ran before."""
        before, self._part = self._part, part
        return before

    def calls(self, of: type[object], method: str, part: str) -> None:
        """Charge this coroutine method of a class to that part."""
        original: Callable[..., Coroutine[Any, Any, Any]] = getattr(of, method)

        def metered(*args: Any, **kwargs: Any) -> "_Metered":
            return _Metered(self, original(*args, **kwargs), part)

        setattr(of, method, metered)

    def task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
    ) -> asyncio.Task[Any]:
        """A task factory."""
        metered = _Metered(self, coroutine, _request(coroutine), made_by=self._part)
        task: asyncio.Task[Any] = asyncio.Task(metered, loop=loop, **options)
        metered.task = task
        return task


class _Metered(Coroutine[Any, Any, Any]):
    """A coroutine whose steps are charged to a part."""

    task: asyncio.Task[Any] | None = None

    def __init__(
        self, meter: Meter, of: Coroutine[Any, Any, Any], part: str | None, made_by: str = LOOP
    ) -> None:
        self._meter, self._of, self._part, self._made_by = meter, of, part, made_by

    def send(self, value: Any) -> Any:
        before = self._meter.enter(self._part or self._named())
        try:
            return self._of.send(value)
        finally:
            self._meter.enter(before)

    def throw(self, *error: Any) -> Any:
        before = self._meter.enter(self._part or self._named())
        try:
            return self._of.throw(*error)
        finally:
            self._meter.enter(before)

    def close(self) -> None:
        self._of.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self  # it has all that `await` uses of a generator

    def __iter__(self) -> "_Metered":
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)  # cr_frame and the like, for who inspects tasks

    def _named(self) -> str:
        """The part of a task, which has its name by its first step."""
        name = self.task.get_name() if self.task else LOOP
        if not _UNNAMED.fullmatch(name):
            self._part = name
        elif self._made_by == LOOP or self._made_by.startswith(_TASK):
            self._part = f"{_TASK}{getattr(self._of, '__qualname__', '')}"
        else:
            self._part = self._made_by
        return self._part


def _request(coroutine: Any) -> str | None:
    """The part of a task that answers a request: its method, and the first word of its path."""
    if getattr(coroutine, "__qualname__", "") != _REQUEST:
        return None
    scope = coroutine.cr_frame.f_locals["self"].scope
    return f"{scope['method']} /{scope['path'].split('/')[1]}"
