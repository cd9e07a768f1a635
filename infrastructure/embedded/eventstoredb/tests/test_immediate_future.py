"""Answers that are acted on at once."""

import asyncio

from embedded_eventstoredb.immediate_future import ImmediateFuture


async def test_whatever_becomes_of_it_is_reported_at_once() -> None:
    """A result, a failure and a cancellation are each reported once, before anything else runs."""
    reported: list[asyncio.Future[object]] = []
    loop = asyncio.get_running_loop()
    answered, failed, cancelled = (ImmediateFuture(reported.append, loop) for _ in range(3))
    answered.set_result("done")
    failed.set_exception(ValueError("no"))
    cancelled.cancel()
    cancelled.cancel()
    assert reported == [answered, failed, cancelled]
    assert await answered == "done"
    assert isinstance(failed.exception(), ValueError)
