"""Health, metrics and who may ask: what those see who run the service."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest
from dependency_injector import providers
from prometheus_client.parser import text_string_to_metric_families

from application.claim_check import ClaimCheck
from application.messages import Context
from application.ports import NO_STREAM, StoreUnavailable
from application.projections.builds import Standing
from application.shop.service import SHOP
from domain.stock import ReceiveStock
from infrastructure import memory
from infrastructure.http.app import create_app
from infrastructure.metrics import MeasuredDispatch, Metrics
from tests.application.snapped import declared
from tests.contracts.made_up import event
from tests.infrastructure.test_http_problems import Broken, problem
from tests.shop.infrastructure.shop import ORDER, Shop, empty_shop, shop_over
from tests.waiting import until_true

TOKEN = "a-token-of-sixteen"
SUMMARY = ("order_summary_v1", "order_summary", "live")  # build, projection, role


async def samples(shop: Shop) -> dict[tuple[str, tuple[str, ...]], float]:
    """All samples by name and label values."""
    text = (await shop.get("/metrics")).text
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_service_that_has_caught_up_is_ready(shop: Shop) -> None:
    """Every check is ok, also after new events have come in."""
    await shop.placed()

    answer = await shop.get("/health/ready")

    assert answer.status_code == 200
    assert set(answer.json()["checks"].values()) == {"ok"}
    assert {"event store", "read models", "order_summary"} <= set(answer.json()["checks"])


async def test_a_failed_projection_makes_it_unready_and_is_named(shop: Shop) -> None:
    """503 says which projection stopped, where and why; the others go on; it still lives."""
    bad = event("OrderPlaced", b'{"lines": "none"}')
    await shop.container.streams().append("order-bad", [bad], NO_STREAM)
    await has_failed(shop, "order_summary")

    told = problem(await shop.get("/health/ready"), 503)

    assert str(bad.id) in told["checks"]["order_summary"]
    assert told["checks"]["stock_levels"] == "ok"
    assert (await shop.get("/health/live")).status_code == 200
    assert (await samples(shop))["headwater_projection_failed", SUMMARY] == 1


async def has_failed(shop: Shop, name: str) -> None:
    async def failed() -> bool:
        return any(s.build.name == name and s.failure for s in await standings(shop))

    await until_true(failed)


async def standings(shop: Shop) -> Sequence[Standing]:
    """How all builds stand."""
    found: Sequence[Standing] = await shop.container.builds().standings()
    return found


async def test_a_lag_that_nobody_knows_is_no_sample() -> None:
    """Where nobody fills a read model its lag is unknown: there is no sample, and never a 0."""
    container = empty_shop()
    app = create_app(container)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
    ):
        unfilled = (await http.get("/metrics")).text
    async with shop_over(container) as shop:
        filled = await samples(shop)

    assert "headwater_projection_lag_seconds{" not in unfilled
    assert ("headwater_projection_lag_seconds", SUMMARY) in filled


async def test_a_store_that_is_gone_makes_it_unready() -> None:
    """503 with what the store says, and when to ask again."""
    container = empty_shop()
    container.streams.override(providers.Object(Broken(StoreUnavailable("nobody at port 2113"))))
    container.subscriptions.override(empty_shop().subscriptions)
    async with shop_over(container) as shop:
        answer = await shop.http.get("/health/ready")

    assert problem(answer, 503)["checks"]["event store"] == "nobody at port 2113"
    assert answer.headers["Retry-After"]


async def test_commands_are_counted_by_what_came_of_them(shop: Shop) -> None:
    """Done, repeated, nothing to do, refused: each command under its name."""
    key = {"Idempotency-Key": "once"}
    order = (await shop.post("/orders", ORDER, key)).headers["Location"]
    await shop.post("/orders", ORDER, key)
    for _ in range(2):
        await shop.post(f"{order}/cancellation", {"reason": "too late"})
    await shop.post(f"{order}/returns", {"lines": [{"line": 1, "quantity": 1}]})

    counted = await samples(shop)

    name = "headwater_command_seconds_count"
    assert counted[name, ("PlaceOrder", "done")] == 1
    assert counted[name, ("PlaceOrder", "repeated")] == 1
    assert counted[name, ("CancelOrder", "done")] == 1
    assert counted[name, ("CancelOrder", "nothing_to_do")] == 1
    assert counted[name, ("ReturnLines", "refused")] == 1


async def test_useless_snapshots_are_counted_by_category() -> None:
    """One that cannot be kept fails no command, and shows in the metrics."""
    too_large = ClaimCheck(memory.EventStore(SHOP.catalogue), None, limit=100)
    metrics = Metrics()
    dispatch = MeasuredDispatch(too_large, declared(every=1, of=SHOP.catalogue), metrics)

    context = Context.start("a test", uuid4(), datetime.now(UTC))
    await dispatch("a", ReceiveStock(receipt_id="r-1", quantity=1), context)

    counted = metrics.registry.get_sample_value(
        "headwater_useless_snapshots_total", {"category": "stock"}
    )
    assert counted == 1


async def test_requests_are_counted_by_route_and_not_by_path(shop: Shop) -> None:
    """Ids in paths would make endless metrics, and so would made-up paths and methods."""
    for path in ("/orders/o-1", "/orders/o-2", "/nowhere/1", "/nowhere/2"):
        await shop.get(path)
    await shop.http.request("BREW", "/orders")

    counted = await samples(shop)

    name = "headwater_http_request_seconds_count"
    assert counted[name, ("GET", "/orders/{order_id}", "404")] == 2
    assert counted[name, ("GET", "(none)", "404")] == 2
    assert counted[name, ("(other)", "/orders", "405")] == 1


async def test_projections_show_how_far_they_are(shop: Shop) -> None:
    """Position and lag of each, once they are known."""
    await shop.placed()

    async def is_up_to_date() -> bool:
        return (await samples(shop)).get(("headwater_projection_lag_seconds", SUMMARY)) == 0

    await until_true(is_up_to_date)  # whoever fills it may have told last that it was behind
    counted = await samples(shop)

    assert counted["headwater_projection_position", SUMMARY] >= 0
    assert counted["headwater_projection_failed", SUMMARY] == 0


@pytest.mark.parametrize("path", ["/orders", "/metrics", "/docs", "/openapi.json", "/nowhere"])
async def test_with_a_token_set_nothing_is_open(path: str) -> None:
    """401 without the token or with another one; with it, as always."""
    async with shop_over(empty_shop(api_token=TOKEN)) as shop:
        for headers in ({}, {"Authorization": "Bearer other"}, {"Authorization": TOKEN}):
            answer = await shop.http.get(path, headers=headers)
            assert "Bearer" in problem(answer, 401)["detail"]
            assert answer.headers["WWW-Authenticate"] == "Bearer"

        answer = await shop.http.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == (404 if path == "/nowhere" else 200)


async def test_health_is_open_to_all() -> None:
    """Who restarts containers has no token."""
    async with shop_over(empty_shop(api_token=TOKEN)) as shop:
        assert (await shop.get("/health/live")).status_code == 200
        assert (await shop.get("/health/ready")).status_code == 200


async def test_two_services_in_one_process_do_not_mix() -> None:
    """Each has its own store, its own read models and its own metrics."""
    async with shop_over(empty_shop()) as one, shop_over(empty_shop()) as other:
        order = await one.placed()

        assert (await other.get(order)).status_code == 404
        assert not any(
            name == "headwater_command_seconds_count" for name, _ in await samples(other)
        )
