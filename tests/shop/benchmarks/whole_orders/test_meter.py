"""What whole orders cost is charged to the part that took it, and nothing is lost."""

import asyncio
import time
from typing import Final

from tests.shop.benchmarks.whole_orders.meter import LOOP, Meter

WORK: Final = 0.005  # seconds of the processor


def work() -> None:
    until = time.thread_time() + WORK
    while time.thread_time() < until:
        pass


class Store:
    """Works before and after it waits."""

    async def append(self) -> None:
        work()
        await asyncio.sleep(0)
        work()


def measured(*, appends: bool) -> Meter:
    """A named task that works, starts a nameless one, and appends perhaps."""

    class Metered(Store):
        pass

    meter = Meter()
    meter.calls(Metered, "append", "append")

    async def projection() -> None:
        work()
        await asyncio.create_task(nameless())
        if appends:
            await Metered().append()

    async def nameless() -> None:
        work()

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(meter.task)
        await asyncio.create_task(projection(), name="projection sales")

    asyncio.run(main())
    return meter


def test_a_task_pays_for_the_nameless_ones_that_it_makes() -> None:
    """A part is all that a named task does, and the tasks without a name that it starts."""
    taken = measured(appends=False).taken
    assert taken["projection sales"] >= 2 * WORK
    assert "append" not in taken


def test_a_called_part_is_not_charged_to_its_caller() -> None:
    """An append is a part by itself, whoever calls it."""
    taken = measured(appends=True).taken
    assert taken["append"] >= 2 * WORK
    assert 2 * WORK <= taken["projection sales"] < 4 * WORK


def test_the_parts_add_up_to_what_the_thread_took() -> None:
    """All of a thread's time is in some part; what is in no task is the loop's."""
    began = time.thread_time()
    meter = measured(appends=True)
    taken = meter.taken
    assert began + sum(taken.values()) <= time.thread_time()
    assert sum(taken.values()) >= 4 * WORK
    assert taken[LOOP] > 0
