"""Batches of callers: who is served at once, and who waits for others."""

import asyncio
from collections import deque
from collections.abc import Sequence

from application.pacing import MOMENT
from infrastructure.batching import Batcher, Waiting, give
from tests.virtual_time import in_virtual_time

SERVING = 0.002  # seconds that a batch takes


def every(waiting: deque[Waiting[int, int]]) -> Sequence[Waiting[int, int]]:
    """All that wait."""
    batch = list(waiting)
    waiting.clear()
    return batch


async def served(batch: Sequence[Waiting[int, int]]) -> None:
    await asyncio.sleep(SERVING)
    for number, answer in batch:
        give(answer, number)


async def sizes(callers: int, apart: float, moment: float = MOMENT) -> tuple[Sequence[int], float]:
    """The batches of callers that come so many seconds apart, and how long the last one took."""
    batches: list[int] = []
    batcher = Batcher(every, served, batches.append, moment=moment)
    clock = asyncio.get_running_loop().time

    async def call(number: int) -> float:
        await asyncio.sleep(number * apart)
        began = clock()
        assert await batcher.answer(number) == number
        return clock() - began

    waited = await asyncio.gather(*map(call, range(callers)))
    return batches, waited[-1]


def test_one_that_comes_alone_is_served_at_once() -> None:
    """However often that happens, no caller waits for another."""
    batches, waited = in_virtual_time(sizes(20, apart=0.01))

    assert batches == [1] * 20
    assert waited <= SERVING * 1.01


def test_callers_that_keep_coming_wait_a_moment_for_one_another() -> None:
    """One comes in each half millisecond: there are far fewer batches than without the pause."""
    batches, waited = in_virtual_time(sizes(400, apart=0.0005))

    assert sum(batches) == 400
    assert len(batches) <= 60
    assert waited <= 0.02


def test_a_longer_moment_makes_fewer_batches() -> None:
    """Callers in no hurry wait longer for each other; one that comes alone waits for none."""
    many, _ = in_virtual_time(sizes(400, apart=0.0005))
    few, _ = in_virtual_time(sizes(400, apart=0.0005, moment=4 * MOMENT))
    _, alone = in_virtual_time(sizes(20, apart=0.1, moment=4 * MOMENT))

    assert len(few) <= len(many) / 2
    assert alone <= SERVING * 1.01
