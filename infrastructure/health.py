"""Whether the service can do its work now, and if not, what is in the way."""

import asyncio
from collections.abc import Awaitable, Mapping

from application.ports import StoreUnavailable
from infrastructure.container import Container

PATIENCE = 2.0  # seconds that a server may take to answer before it counts as gone


async def readiness(wiring: Container) -> Mapping[str, str]:
    """Each thing the service needs, and ``ok`` or what is wrong with it."""
    store, views = await asyncio.gather(
        _answers(_read_something(wiring)), _answers(wiring.builds().standings())
    )
    checks = {"event store": store, "read models": views}
    if views == "ok" and store == "ok":
        for lag in await wiring.lags().all():
            if lag.answers:
                checks[lag.build.name] = wiring.staleness().verdict(lag)
    return checks


async def _read_something(wiring: Container) -> None:
    async for _ in wiring.event_store().read("order-any", limit=1):
        pass


async def _answers(question: Awaitable[object]) -> str:
    try:
        await asyncio.wait_for(question, PATIENCE)
    except StoreUnavailable as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    return "ok"
