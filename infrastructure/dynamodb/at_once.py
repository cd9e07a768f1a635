"""Many calls at once, but never more than the server and this process can bear."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

A = TypeVar("A")
B = TypeVar("B")

_MOST: Final = 32  # calls in flight


async def at_once(call: Callable[[A], Awaitable[B]], of: Iterable[A]) -> Sequence[B]:
    """``call`` of each, at most 32 at a time; the results in their order.

    Raises the first error; then, and when it is cancelled, the calls in flight are cancelled.
    """
    jobs = list(of)
    results: dict[int, B] = {}
    waiting = iter(enumerate(jobs))
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(_MOST, len(jobs))):
                group.create_task(_work(call, waiting, results))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [results[place] for place in range(len(jobs))]


async def _work(
    call: Callable[[A], Awaitable[B]], waiting: Iterator[tuple[int, A]], results: dict[int, B]
) -> None:
    for place, one in waiting:
        results[place] = await call(one)
