"""Turns: first come first served, together, within bounds, and nobody is taken along."""

import asyncio
from collections.abc import Sequence

import pytest

from application.turns import StreamBusy, Turns, Waiting
from tests.virtual_time import in_virtual_time

Group = Sequence[Waiting[int, int]]


class Served:
    """Doubles numbers, one group a second, and notes the groups."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []

    async def __call__(self, _: str, group: Group) -> None:
        self.groups.append([one.wanted for one in group])
        await asyncio.sleep(1)
        for one in group:
            if one.wanted < 0:
                raise ValueError(f"{one.wanted} is no number of ours")
            one.give(2 * one.wanted)


def test_those_that_wait_together_are_served_together() -> None:
    """The first is served at once; all that come meanwhile are the next group, in their order."""
    served = Served()

    async def story() -> Sequence[int]:
        turns = Turns(served)
        return await asyncio.gather(*(turns.answer("s", number) for number in range(5)))

    assert in_virtual_time(story()) == [0, 2, 4, 6, 8]
    assert served.groups == [[0], [1, 2, 3, 4]]


def test_streams_do_not_wait_for_each_other() -> None:
    """Each stream has turns of its own."""

    async def story() -> float:
        turns = Turns(Served())
        await asyncio.gather(*(turns.answer(f"s-{number}", number) for number in range(50)))
        return asyncio.get_running_loop().time()

    assert in_virtual_time(story()) == pytest.approx(1, abs=0.01)


def test_a_group_has_a_size() -> None:
    """More than that wait for the next one: no command is overtaken."""
    served = Served()

    async def story() -> None:
        turns = Turns(served, together=2)
        await asyncio.gather(*(turns.answer("s", number) for number in range(6)))

    in_virtual_time(story())
    assert served.groups == [[0], [1, 2], [3, 4], [5]]


def test_whoever_finds_no_room_hears_it_at_once() -> None:
    """Beyond the bound a command is refused before it waits, and is not served."""
    served = Served()

    async def story() -> None:
        turns = Turns(served, waiting=2)
        waiting = [asyncio.create_task(turns.answer("s", number)) for number in range(3)]
        await asyncio.sleep(0.5)
        with pytest.raises(StreamBusy, match="2 commands wait for s: nothing was done"):
            await turns.answer("s", 99)
        assert asyncio.get_running_loop().time() == pytest.approx(0.5, abs=0.01)
        assert await asyncio.gather(*waiting) == [0, 2, 4]

    in_virtual_time(story())
    assert served.groups == [[0], [1, 2]]


def test_nobody_waits_longer_than_so_long_for_a_turn() -> None:
    """A command whose turn does not come is refused; one that is being served is waited for."""
    served = Served()

    async def story() -> Sequence[int | BaseException]:
        turns = Turns(served, patience=1.5, together=1)
        asked = (turns.answer("s", number) for number in range(4))
        return await asyncio.gather(*asked, return_exceptions=True)

    first, second, third, fourth = in_virtual_time(story())
    assert (first, second) == (0, 2), "the second one had its turn after a second"
    assert isinstance(third, StreamBusy)
    assert isinstance(fourth, StreamBusy)
    assert served.groups == [[0], [1]]


def test_a_caller_that_gives_up_takes_nobody_along() -> None:
    """Cancelled in the queue, it is not served; cancelled while it is, its group still is."""
    served = Served()

    async def story() -> Sequence[int | BaseException]:
        turns = Turns(served)
        tasks = [asyncio.create_task(turns.answer("s", number)) for number in range(5)]
        await asyncio.sleep(0.5)
        tasks[0].cancel()  # it is being served, by itself
        tasks[1].cancel()  # it waits
        await asyncio.sleep(0.5)
        tasks[2].cancel()  # it is being served, with others
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = in_virtual_time(story())
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[:3])
    assert answers[3:] == [6, 8]
    assert served.groups == [[0], [2, 3, 4]]


def test_what_serving_raises_goes_to_those_who_have_no_answer() -> None:
    """The others keep theirs, and the next group is served."""
    served = Served()

    async def story() -> Sequence[int | BaseException]:
        turns = Turns(served, together=3)
        asked = (turns.answer("s", number) for number in (0, 1, -2, 3, 4))
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = in_virtual_time(story())
    assert [type(answer) for answer in answers] == [int, int, ValueError, ValueError, int]


def test_nothing_is_kept_of_a_stream_at_rest() -> None:
    """However many streams there were: what is remembered is of those that are being served."""

    async def story() -> int:
        turns = Turns(Served())
        for _ in range(2):
            await asyncio.gather(*(turns.answer(f"s-{n % 7}", n) for n in range(20)))
            await asyncio.sleep(0)
        return len(turns._queues) + len(turns._workers)

    assert in_virtual_time(story()) == 0
