"""An eye on the read models: who breaks a promise is counted, who is far behind slows commands."""

import asyncio

import structlog

from application.ports import StoreUnavailable
from infrastructure.container import Container

WORTH_COUNTING = 1.0  # from this lag on, ask how many events are missing: that is many questions

log = structlog.stdlib.get_logger("headwater.watching")


async def watch(container: Container) -> None:
    """Look every second how old the read models are, and let that slow commands where it must."""
    pressure = container.backpressure().pressure
    while True:
        try:
            await _look(container)
        except StoreUnavailable as error:
            log.warning("cannot see how old the read models are", reason=str(error))
        if (now := container.backpressure().pressure) is not pressure:
            pressure = now
            log.warning("backpressure", commands=str(pressure))
        await asyncio.sleep(1)


async def _look(container: Container) -> None:
    lags = await container.lags().all()
    if any((lag.seconds or 0) > WORTH_COUNTING for lag in lags):
        lags = await container.lags().counted()
    container.staleness().look(lags)
    container.backpressure().look(lags)
