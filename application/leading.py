"""Work that one process does at a time: it holds a lease, and others wait to take over."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from application.ending import until_one_ends
from application.ports import Leases, StoreUnavailable

LEASE: Final = 5.0  # seconds that it holds without renewal
_RENEWALS: Final = 5  # in that time


class LeaseLost(Exception):
    """Another process holds the lease now."""


async def leading(
    work: Callable[[], Coroutine[Any, Any, None]],
    leases: Leases,
    name: str,
    holder: str,
    *,
    seconds: float = LEASE,
) -> None:
    """Wait for the lease, do the work while holding it, and release it in the end.

    Raises :class:`LeaseLost` when another process has taken it, after the work was cancelled and
    has ended. The work goes on while the store of the leases does not answer, since a lease only
    saves double work. Raises ``StoreUnavailable`` when the lease cannot be claimed at first.
    """
    while not await leases.claim(name, holder, seconds=seconds):  # noqa: ASYNC110 - a store's
        await asyncio.sleep(seconds / _RENEWALS)
    try:
        await until_one_ends(work(), _renewing(leases, name, holder, seconds))
    finally:
        with suppress(StoreUnavailable):
            await leases.release(name, holder)


async def _renewing(leases: Leases, name: str, holder: str, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds / _RENEWALS)
        with suppress(StoreUnavailable):
            if not await leases.claim(name, holder, seconds=seconds):
                raise LeaseLost(f"{name} is held by another process")
