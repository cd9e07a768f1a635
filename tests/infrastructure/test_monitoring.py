"""Alert rules and dashboard: made from the declarations, and true when it counts."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from dependency_injector import providers

from application.ports import NO_STREAM, V
from application.projections.builds import WHOLE, Build, Shard
from application.projections.projection import Projection
from infrastructure import memory
from infrastructure.monitoring import Alert, alerts, alerts_of, dashboard
from infrastructure.postgres.events.held_back_metrics import (
    HeldBackMetrics,
)  # only: postgres_events
from tests.contracts.made_up import event
from tests.promql import Scrapes
from tests.sample.client import Bank, bank_over, empty_bank
from tests.sample.read_models import transfer_summary
from tests.sample.service import SAMPLE
from tests.waiting import until_true


def test_each_read_model_is_watched() -> None:
    """Every declared read model has an alert for being too old, failed, and unseen."""
    watched = {(alert.name, dict(alert.labels).get("projection")) for alert in alerts(SAMPLE)}
    kinds = ("ProjectionTooOld", "ProjectionFailed", "ProjectionUnseen")
    assert watched >= {(kind, p.name) for kind in kinds for p in SAMPLE.read_models}


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    """Every metric named in the dashboard is one that the service shows."""
    bank = empty_bank()
    known = {metric.name for metric in bank.metrics().registry.collect()}
    known |= HeldBackMetrics.names  # only: postgres_events
    for panel in json.loads(dashboard(SAMPLE))["panels"]:
        for target in panel["targets"]:
            assert any(name in target["expr"] for name in known), target["expr"]


async def test_an_event_that_stops_a_projection_raises_its_alert() -> None:
    """As long as a read model has failed, the alert's expression is true of it, and of no other."""
    async with bank_over(empty_bank()) as bank:
        failed, other = (the("ProjectionFailed", name) for name in ("transfer_summary", "balances"))
        assert not await is_true(failed, bank)

        await bank.container.streams().append(
            "transfer-bad", [event("TransferRequested", b"{}")], NO_STREAM
        )

        await until_true(lambda: is_true(failed, bank))
        assert not await is_true(other, bank)


async def test_a_stalled_projection_raises_its_alert_until_it_goes_on() -> None:
    """Views that cannot be written grow old: the alert is true, and no longer once they are."""
    projection = replace(transfer_summary, max_staleness=timedelta(milliseconds=50))
    stalled = next(alert for alert in alerts_of(projection) if alert.name == "ProjectionTooOld")
    container, going_on = empty_bank(), asyncio.Event()
    container.projections.override(providers.Object((projection,)))
    container.read_models.override(
        providers.Singleton(Stalling, container.projections, container.builds, going_on)
    )
    async with bank_over(container) as bank:
        await bank.requested()
        await until_true(lambda: is_true(stalled, bank))
        assert (await bank.http.get("/metrics")).text.count("staleness_breaches_total{") == 1

        going_on.set()
        await until_true(lambda: is_false(stalled, bank))


async def test_a_parked_event_raises_the_alert_of_its_group() -> None:
    """As long as it is parked, and of no other group."""
    of_group = {dict(alert.labels).get("group"): alert for alert in alerts(SAMPLE)}
    async with bank_over(empty_bank()) as bank:
        thanks, transfers = of_group["thanks"], of_group["money_transfer"]
        assert not await is_true(thanks, bank)

        store = bank.container.streams()
        await store.append("transfer-bad", [event("TransferRequested", b"{}")], NO_STREAM)
        (bad,) = [one async for one in store.read("transfer-bad")]
        parking = bank.container.parking("thanks")
        await parking.park(
            bad, "UnreadableEvent: these bytes are no TransferRequested v2", attempts=3
        )

        assert await is_true(thanks, bank)
        assert not await is_true(transfers, bank)
        await parking.discard(bad.id, "ada", "another system wrote it")
        assert not await is_true(thanks, bank)


class Stalling(memory.ReadModels):
    """Read models in which nothing can be written until it is said to go on."""

    def __init__(self, projections: Any, builds: Any, going_on: asyncio.Event) -> None:
        super().__init__(projections, builds)
        self._going_on = going_on

    def of(self, projection: Projection[V], build: Build, shard: Shard = WHOLE) -> memory.Views[V]:
        views = super().of(projection, build, shard)
        save = views.save

        async def stalled_save(*args: Any, **kwargs: Any) -> None:
            await self._going_on.wait()
            await save(*args, **kwargs)

        views.save = stalled_save  # type: ignore[method-assign]  # the point of it
        return views


async def test_a_role_that_no_process_has_raises_its_alert() -> None:
    """Whichever process shows the role is enough; the alert names the role that is missing."""
    missing = next(one for one in alerts(SAMPLE) if dict(one.labels).get("role") == "sagas")
    other, sagas = (f'headwater_process_role{{role="{role}"}} 1.0\n' for role in ("api", "sagas"))

    assert Scrapes(other, other).finds(missing.expression)
    assert not Scrapes(other, other, [sagas]).finds(missing.expression)


def test_what_two_processes_know_is_one_alert() -> None:
    """Both show the lag of a read model: one alert, from the larger value on."""
    old = the("ProjectionTooOld", "balances")
    low, high = (
        f'headwater_projection_lag_seconds{{projection="balances",build="b",role="live"}} {n}\n'
        for n in (0, 1000)
    )
    assert len(Scrapes(low, low, [high, high]).finds(old.expression)) == 1
    assert not Scrapes(low, low, [low]).finds(old.expression)


def test_every_query_of_the_dashboard_is_over_all_processes() -> None:
    """Each is a largest value, a sum, or a quantile of sums: never one curve for each process."""
    for panel in json.loads(dashboard(SAMPLE))["panels"]:
        for target in panel["targets"]:
            assert target["expr"].startswith(("max ", "sum ", "histogram_quantile(")), target


def the(name: str, projection: str) -> Alert:
    labels = ("projection", projection)
    return next(alert for alert in alerts(SAMPLE) if alert.name == name and labels in alert.labels)


async def is_false(alert: Alert, bank: Bank) -> bool:
    return not await is_true(alert, bank)


async def is_true(alert: Alert, bank: Bank) -> bool:
    """What Prometheus would say of the rendered expression, given what the service shows now."""
    shown = (await bank.http.get("/metrics")).text
    return bool(Scrapes(shown, shown).finds(alert.expression))
