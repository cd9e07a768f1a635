"""Measures read models, sagas and consumer groups once in a while, and reports in metrics and log.

A read model that is older than its ``max_staleness`` is counted; one that is far behind slows
commands. Sagas are counted by state: open, stuck, overdue, failed. What only some event stores can
measure is measured there.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from application.ports import (
    NotBuilt,
    NotOurs,  # only: search
    StoreUnavailable,
)
from application.sagas import queries as saga_queries
from application.sagas.queries import SagaCounts
from application.sagas.standings import shown_by
from infrastructure.container import Container
from infrastructure.program import Check  # only: search
from infrastructure.roles import Role

LOOK_AT_GROUPS = 5.0  # seconds between two looks
COUNT_SAGAS = 5.0  # likewise: each takes a dozen queries
LOOK_APART = 10.0  # only: search
WORTH_COUNTING = (
    1.0  # seconds of lag; below, missing events are not counted: that takes many queries
)

log = structlog.stdlib.get_logger(__name__)


async def watch_read_models(container: Container) -> None:
    """Measures the read models every second, and lets their lag slow commands, where they come."""
    pressure, admits = container.backpressure().pressure, Role.API in container.roles()
    while True:
        try:
            await _look(container)
        except StoreUnavailable as error:
            log.warning("cannot see how old the read models are", reason=str(error))
        if (now := container.backpressure().pressure) is not pressure:
            pressure = now
            if admits:
                log.warning("backpressure", commands=str(pressure))
        await asyncio.sleep(1)


async def watch_sagas(container: Container) -> None:
    """Counts the open sagas by state, every few seconds.

    Counting takes a twentieth of the time at most, however many sagas there are.
    """
    while True:
        began = time.monotonic()
        counts: Mapping[str, SagaCounts] = {}
        with suppress(StoreUnavailable):
            counts = await _open_sagas(container)
        container.saga_metrics().show(counts)
        pause = COUNT_SAGAS if counts else 1.0  # they may be known in a moment
        await asyncio.sleep(max(pause, 20 * (time.monotonic() - began)))


async def watch_event_store(container: Container) -> None:
    """Measures every second what only this event store has."""
    while True:
        with suppress(StoreUnavailable):
            await container.event_side().look()
        await asyncio.sleep(1)


# only: search
async def watch_apart(container: Container, every: float = LOOK_APART) -> None:
    """Checks every ``every`` seconds the servers that have read models of their own, such as a
    search server. Logs each fault once."""
    logged = set[str]()
    while True:
        for name, check in container.read_side().apart.checks.items():
            fault = await _fault(check)
            container.metrics().apart.labels(name).set(fault is not None)
            if fault and name not in logged:
                log.warning("read models are hindered", check=name, reason=fault)
            elif name in logged and not fault:
                log.info("read models are hindered no more", check=name)
            (logged.add if fault else logged.discard)(name)
        await asyncio.sleep(every)


async def _fault(check: Check) -> str | None:
    try:
        await check()
    except (StoreUnavailable, NotOurs) as error:
        return str(error)
    return None


# end: search
async def watch_groups(container: Container) -> None:
    """Checks every few seconds whether events reach the consumer groups, and their tasks run.

    Logs each fault once.
    """
    logged: str | None = None
    logged_wrong: str | None = None
    while True:
        fault: str | None = None
        try:
            fault = await container.consumer_groups().fault()
            container.metrics().groups.show(fault is not None)
        except StoreUnavailable as error:
            container.metrics().groups.show(None)
            log.warning("cannot see whether events reach the consumer groups", reason=str(error))
        if fault and fault != logged:
            log.error("events reach no consumer group", reason=fault)
        logged = fault
        if (wrong := container.working().wrong) and wrong != logged_wrong:
            log.error("tasks are not at work", reason=wrong)
        logged_wrong = wrong
        await asyncio.sleep(LOOK_AT_GROUPS)


# only: bus
async def watch_receivers(container: Container) -> None:
    """Checks every few seconds whether records of other parties come. Logs each fault once."""
    logged: dict[str, str | None] = {}
    while True:
        await asyncio.sleep(LOOK_AT_GROUPS)  # a connection takes a moment
        for publisher, receiver in container.receivers().items():
            fault = receiver.fault
            if fault and fault != logged.get(publisher):
                log.error("nothing is received", publisher=publisher, reason=fault)
            elif logged.get(publisher) and not fault:
                log.info("records are received again", publisher=publisher)
            logged[publisher] = fault


# end: bus
async def _look(container: Container) -> None:
    lags = await container.lags().all()
    if container.counts_events() and any((lag.seconds or 0) > WORTH_COUNTING for lag in lags):
        lags = await container.lags().counted()
    container.staleness().look(lags)
    container.backpressure().look(lags)


async def _open_sagas(container: Container) -> Mapping[str, SagaCounts]:
    """By the saga's name; empty while the read model is not up to date."""
    service = container.service()
    try:
        lag = await container.lags().of(service.standings)
        if lag.seconds is None or lag.failed or lag.paused:
            return {}
        views = await container.read_models().live(service.standings)
    except NotBuilt:
        return {}
    now = datetime.now(UTC)
    version = lag.build.version
    return {
        saga: await saga_queries.saga_counts(views, saga, now, waiting=version > 1)
        for saga in shown_by(version, service.versions)
    }
