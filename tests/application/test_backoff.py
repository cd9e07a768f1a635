"""Pauses between attempts grow, have a limit, and are not the same for all."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from application.backoff import Backoff
from tests.virtual_time import in_virtual_time


@given(st.integers(0, 10_000))
def test_a_pause_grows_up_to_its_limit(attempt: int) -> None:
    """Twice as long each time, never above the limit, however many attempts there were."""
    backoff = Backoff(0.1, most=5.0)
    longest = backoff.longest(attempt)

    assert longest == min(5.0, 0.1 * 2.0 ** min(attempt, 1000))
    assert backoff.longest(attempt + 1) >= longest


@given(st.integers(0, 20), st.floats(0, 1))
def test_it_waits_by_chance_between_its_share_and_all_of_it(attempt: int, share: float) -> None:
    """So that those who failed together do not come back together."""
    backoff = Backoff(0.1, most=5.0, at_least=share)
    waited = in_virtual_time(_waited(backoff, attempt))

    longest = backoff.longest(attempt)
    assert share * longest <= waited + 1e-9
    assert waited <= longest + 1e-9


async def _waited(backoff: Backoff, attempt: int) -> float:
    began = asyncio.get_running_loop().time()
    await backoff(attempt)
    return asyncio.get_running_loop().time() - began
