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
from application.projections.builds import BuildStanding
from infrastructure import memory
from infrastructure.http.app import create_app
from infrastructure.metrics import MeasuredDispatch, Metrics
from tests.application.snapped import declared
from tests.contracts.made_up import event
from tests.infrastructure.test_http_problems import Broken, problem
from tests.sample.accounts import Deposit
from tests.sample.client import TRANSFER, Bank, bank_over, empty_bank
from tests.sample.service import SAMPLE
from tests.waiting import until_true

TOKEN = "a-token-of-sixteen"
SUMMARY = ("transfer_summary_v1", "transfer_summary", "live")  # build, projection, role


async def samples(bank: Bank) -> dict[tuple[str, tuple[str, ...]], float]:
    """All samples by name and label values."""
    text = (await bank.get("/metrics")).text
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_service_that_has_caught_up_is_ready(bank: Bank) -> None:
    """Every check is ok, also after new events have come in."""
    await bank.requested()

    answer = await bank.get("/health/ready")

    assert answer.status_code == 200
    assert set(answer.json()["checks"].values()) == {"ok"}
    assert {"event store", "read models", "transfer_summary"} <= set(answer.json()["checks"])


async def test_a_failed_projection_makes_it_unready_and_is_named(bank: Bank) -> None:
    """503 says which projection stopped, where and why; the others go on; it still lives."""
    bad = event("TransferRequested", b'{"amount": "none"}')
    await bank.container.streams().append("transfer-bad", [bad], NO_STREAM)
    await has_failed(bank, "transfer_summary")

    told = problem(await bank.get("/health/ready"), 503)

    assert str(bad.id) in told["checks"]["transfer_summary"]
    assert told["checks"]["balances"] == "ok"
    assert (await bank.get("/health/live")).status_code == 200
    assert (await samples(bank))["headwater_projection_failed", SUMMARY] == 1


async def has_failed(bank: Bank, name: str) -> None:
    async def failed() -> bool:
        return any(s.build.name == name and s.failure for s in await standings(bank))

    await until_true(failed)


async def standings(bank: Bank) -> Sequence[BuildStanding]:
    """How all builds stand."""
    found: Sequence[BuildStanding] = await bank.container.builds().standings()
    return found


async def test_a_lag_that_nobody_knows_is_no_sample() -> None:
    """Where nobody fills a read model its lag is unknown: there is no sample, and never a 0."""
    container = empty_bank()
    app = create_app(container)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
    ):
        unfilled = (await http.get("/metrics")).text
    async with bank_over(container) as bank:
        filled = await samples(bank)

    assert "headwater_projection_lag_seconds{" not in unfilled
    assert ("headwater_projection_lag_seconds", SUMMARY) in filled


async def test_a_store_that_is_gone_makes_it_unready() -> None:
    """503 with what the store says, and when to ask again."""
    container = empty_bank()
    container.streams.override(providers.Object(Broken(StoreUnavailable("nobody at port 2113"))))
    container.subscriptions.override(empty_bank().subscriptions)
    async with bank_over(container) as bank:
        answer = await bank.http.get("/health/ready")

    assert problem(answer, 503)["checks"]["event store"] == "nobody at port 2113"
    assert answer.headers["Retry-After"]


async def test_commands_are_counted_by_what_came_of_them(bank: Bank) -> None:
    """Done, repeated, nothing to do, refused: each command under its name."""
    key = {"Idempotency-Key": "once"}
    transfer = (await bank.post("/transfers", TRANSFER, key)).headers["Location"]
    await bank.post("/transfers", TRANSFER, key)
    for _ in range(2):
        await bank.post(f"{transfer}/cancellation", {"reason": "too late"})
    await bank.post(f"{transfer}/completion")

    counted = await samples(bank)

    name = "headwater_command_seconds_count"
    assert counted[name, ("RequestTransfer", "done")] == 1
    assert counted[name, ("RequestTransfer", "repeated")] == 1
    assert counted[name, ("CancelTransfer", "done")] == 1
    assert counted[name, ("CancelTransfer", "nothing_to_do")] == 1
    assert counted[name, ("CompleteTransfer", "refused")] == 1


async def test_useless_snapshots_are_counted_by_category() -> None:
    """One that cannot be kept fails no command, and shows in the metrics."""
    too_large = ClaimCheck(memory.EventStore(SAMPLE.catalogue), None, limit=100)
    metrics = Metrics()
    dispatch = MeasuredDispatch(too_large, declared(every=1, of=SAMPLE.catalogue), metrics)

    context = Context.start("a test", uuid4(), datetime.now(UTC))
    await dispatch("a", Deposit(deposit_id="d-1", amount=1), context)

    counted = metrics.registry.get_sample_value(
        "headwater_useless_snapshots_total", {"category": "account"}
    )
    assert counted == 1


async def test_requests_are_counted_by_route_and_not_by_path(bank: Bank) -> None:
    """Ids in paths would make endless metrics, and so would made-up paths and methods."""
    for path in ("/transfers/t-1", "/transfers/t-2", "/nowhere/1", "/nowhere/2"):
        await bank.get(path)
    await bank.http.request("BREW", "/transfers")

    counted = await samples(bank)

    name = "headwater_http_request_seconds_count"
    assert counted[name, ("GET", "/transfers/{transfer_id}", "404")] == 2
    assert counted[name, ("GET", "(none)", "404")] == 2
    assert counted[name, ("(other)", "/transfers", "405")] == 1


async def test_projections_show_how_far_they_are(bank: Bank) -> None:
    """Position and lag of each, once they are known."""
    await bank.requested()

    async def is_up_to_date() -> bool:
        return (await samples(bank)).get(("headwater_projection_lag_seconds", SUMMARY)) == 0

    await until_true(is_up_to_date)  # whoever fills it may have told last that it was behind
    counted = await samples(bank)

    assert counted["headwater_projection_position", SUMMARY] >= 0
    assert counted["headwater_projection_failed", SUMMARY] == 0


@pytest.mark.parametrize("path", ["/transfers", "/metrics", "/docs", "/openapi.json", "/nowhere"])
async def test_with_a_token_set_nothing_is_open(path: str) -> None:
    """401 without the token or with another one; with it, as always."""
    async with bank_over(empty_bank(api_token=TOKEN)) as bank:
        for headers in ({}, {"Authorization": "Bearer other"}, {"Authorization": TOKEN}):
            answer = await bank.http.get(path, headers=headers)
            assert "Bearer" in problem(answer, 401)["detail"]
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")

        answer = await bank.http.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == (404 if path == "/nowhere" else 200)


async def test_health_is_open_to_all() -> None:
    """Who restarts containers has no token."""
    async with bank_over(empty_bank(api_token=TOKEN)) as bank:
        assert (await bank.get("/health/live")).status_code == 200
        assert (await bank.get("/health/ready")).status_code == 200


async def test_two_services_in_one_process_do_not_mix() -> None:
    """Each has its own store, its own read models and its own metrics."""
    async with bank_over(empty_bank()) as one, bank_over(empty_bank()) as other:
        transfer = await one.requested()

        assert (await other.get(transfer)).status_code == 404
        assert not any(
            name == "headwater_command_seconds_count" for name, _ in await samples(other)
        )
