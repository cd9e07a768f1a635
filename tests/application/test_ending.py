"""Tasks are ended, whatever happens to a cancellation on its way."""

import asyncio

from application.ending import end


async def test_a_task_that_loses_its_cancellation_is_cancelled_again() -> None:
    """A driver that swallows one does not keep a task, and what waits for its end, alive."""
    lost: list[asyncio.CancelledError] = []

    async def loop() -> None:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError as cancelled:
                if lost:
                    raise
                lost.append(cancelled)

    task = asyncio.create_task(loop())
    await asyncio.sleep(0)
    await end([task], again=0.01)

    assert task.cancelled()
    assert len(lost) == 1


async def test_an_error_stays_in_its_task() -> None:
    """Ending tasks raises nothing: one that has failed before still has its error."""

    async def fail() -> None:
        raise ZeroDivisionError

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    await end([task])

    assert isinstance(task.exception(), ZeroDivisionError)
