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
from application.shop.read_models.order_summary import order_summary
from application.shop.service import SHOP
from infrastructure import memory
from infrastructure.monitoring import Alert, alerts, alerts_of, dashboard
from tests.contracts.made_up import event
from tests.promql import Scrapes
from tests.shop.infrastructure.shop import Shop, empty_shop, shop_over
from tests.waiting import until_true


def test_each_read_model_is_watched() -> None:
    """Every declared read model has an alert for being too old, failed, and unseen."""
    watched = {(alert.name, dict(alert.labels).get("projection")) for alert in alerts(SHOP)}
    kinds = ("ProjectionTooOld", "ProjectionFailed", "ProjectionUnseen")
    assert watched >= {(kind, p.name) for kind in kinds for p in SHOP.read_models}


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    """Every metric named in the dashboard is one that the service shows."""
    shop = empty_shop()
    known = {metric.name for metric in shop.metrics().registry.collect()}
    for panel in json.loads(dashboard(SHOP))["panels"]:
        for target in panel["targets"]:
            assert any(name in target["expr"] for name in known), target["expr"]


async def test_an_event_that_stops_a_projection_raises_its_alert() -> None:
    """As long as a read model has failed, the alert's expression is true of it, and of no other."""
    async with shop_over(empty_shop()) as shop:
        failed, other = (
            the("ProjectionFailed", name) for name in ("order_summary", "stock_levels")
        )
        assert not await is_true(failed, shop)

        await shop.container.streams().append("order-bad", [event("OrderPlaced", b"{}")], NO_STREAM)

        await until_true(lambda: is_true(failed, shop))
        assert not await is_true(other, shop)


async def test_a_stalled_projection_raises_its_alert_until_it_goes_on() -> None:
    """Views that cannot be written grow old: the alert is true, and no longer once they are."""
    projection = replace(order_summary, max_staleness=timedelta(milliseconds=50))
    stalled = next(alert for alert in alerts_of(projection) if alert.name == "ProjectionTooOld")
    container, going_on = empty_shop(), asyncio.Event()
    container.projections.override(providers.Object((projection,)))
    container.read_models.override(
        providers.Singleton(Stalling, container.projections, container.builds, going_on)
    )
    async with shop_over(container) as shop:
        await shop.placed()
        await until_true(lambda: is_true(stalled, shop))
        assert (await shop.http.get("/metrics")).text.count("staleness_breaches_total{") == 1

        going_on.set()
        await until_true(lambda: is_false(stalled, shop))


async def test_a_parked_event_raises_the_alert_of_its_group() -> None:
    """As long as it is in the lot, and of no other group."""
    of_group = {dict(alert.labels).get("group"): alert for alert in alerts(SHOP)}
    async with shop_over(empty_shop()) as shop:
        returns, orders = of_group["goods_return"], of_group["order_fulfilment"]
        assert not await is_true(returns, shop)

        store = shop.container.streams()
        await store.append("order-bad", [event("LinesReturned", b"{}")], NO_STREAM)
        (bad,) = [one async for one in store.read("order-bad")]
        lot = shop.container.parking("goods_return")
        await lot.park(bad, "UnreadableEvent: these bytes are no LinesReturned v1", attempts=3)

        assert await is_true(returns, shop)
        assert not await is_true(orders, shop)
        await lot.discard(bad.id, "ada", "another system wrote it")
        assert not await is_true(returns, shop)


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


def the(name: str, projection: str) -> Alert:
    labels = ("projection", projection)
    return next(alert for alert in alerts(SHOP) if alert.name == name and labels in alert.labels)


async def is_false(alert: Alert, shop: Shop) -> bool:
    return not await is_true(alert, shop)


async def is_true(alert: Alert, shop: Shop) -> bool:
    """What Prometheus would say of the rendered expression, given what the service shows now."""
    shown = (await shop.http.get("/metrics")).text
    return bool(Scrapes(shown, shown).finds(alert.expression))
