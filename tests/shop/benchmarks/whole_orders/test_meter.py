"""What whole orders cost is charged to the part that took it, and nothing is lost."""

import asyncio
import subprocess
import sys
import time
from typing import Final

from tests.shop.benchmarks.whole_orders.meter import LOOP, Meter
from tests.shop.benchmarks.whole_orders.yardstick import Yardstick

WORK: Final = 0.005  # seconds of the processor


def measured(*, appends: bool) -> Meter:
    """A named task that works, starts a nameless one, and appends perhaps; each work is sampled."""
    meter = Meter()

    def work() -> None:
        meter.sample()
        until = time.thread_time() + WORK
        while time.thread_time() < until:
            pass
        meter.sample()

    class Metered:
        """Works before and after it waits."""

        async def append(self) -> None:
            work()
            await asyncio.sleep(0)
            work()

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


def test_the_timer_samples_by_itself() -> None:
    """A process that works is sampled without being asked: what it took is charged as it goes."""
    program = (
        "from tests.shop.benchmarks.whole_orders.meter import Meter\n"
        "meter = Meter()\n"
        "meter.start()\n"
        "meter.enter('work')\n"
        "while 'work' not in meter._taken: pass\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_yardstick_has_a_length() -> None:
    """The same work is timed several times, and its median counts."""
    yardstick = Yardstick()
    for _ in range(3):
        yardstick.measure()
    assert 0 < yardstick.length < 1_000
