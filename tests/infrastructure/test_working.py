"""Tasks in the background: one that ends is started again, and readiness hears of it."""

import asyncio

from infrastructure.working import Working
from tests.waiting import until


class Task:
    """Fails so many times, then works."""

    def __init__(self, fails: int) -> None:
        self.fails, self.starts = fails, 0

    async def run(self) -> None:
        self.starts += 1
        if self.starts <= self.fails:
            raise RuntimeError("nobody has thought of this")
        await asyncio.Event().wait()


async def test_a_task_that_fails_is_started_again_and_told() -> None:
    """Its error is told until it has been at work for a while; the pauses grow."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    task, working = Task(fails=3), Working(pause, steady=0.05)
    async with working.at_work(transfers=task.run):
        await until(lambda: task.starts == 4)
        assert working.wrong == "transfers: RuntimeError: nobody has thought of this"
        await until(lambda: working.wrong is None)

    assert pauses == sorted(pauses)
    assert len(pauses) == 3


async def test_a_task_that_merely_ends_is_started_again() -> None:
    """None of them has an end: what returns has failed, too."""
    starts = 0

    async def ends() -> None:
        nonlocal starts
        starts += 1
        if starts == 3:
            await asyncio.Event().wait()

    working = Working(_no_pause)
    async with working.at_work(watch=ends):
        await until(lambda: starts == 3)
        assert working.wrong == "watch: it ended"


async def _no_pause(_seconds: float) -> None:
    await asyncio.sleep(0)


async def test_tasks_end_with_the_block() -> None:
    """And nothing starts them again."""
    task = Task(fails=0)
    async with Working(_no_pause).at_work(one=task.run):
        await until(lambda: task.starts == 1)
    await asyncio.sleep(0)

    assert task.starts == 1
