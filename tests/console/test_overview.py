"""The first page: what is wrong comes first, and what is unknown is said."""

from datetime import UTC, datetime, timedelta

import pytest
from dependency_injector import providers

from application.ports import NO_STREAM, Found, StoreUnavailable
from infrastructure.console.pictures import sparkline
from infrastructure.console.sampling import EVERY, HOUR, Samples, rate_of
from tests.console.page import Page, page
from tests.contracts.made_up import event
from tests.infrastructure.test_http_operations import has_failed
from tests.sample.client import Bank, bank_over, empty_bank


async def test_what_is_wrong_comes_first(bank: Bank) -> None:
    """A read model that stopped is named before all figures, with a link to its page."""
    assert "Nothing is wrong." in (await bank_page(bank)).text
    bad = event("TransferRequested", b'{"amount": "none"}')
    await bank.container.streams().append("transfer-bad", [bad], NO_STREAM)
    await has_failed(bank, "transfer_summary")

    shown = await bank_page(bank)
    assert shown.text.index("transfer_summary_v1") < shown.text.index("Figures")
    assert "failed at position" in shown.text
    assert shown.links["transfer_summary_v1"] == "/console/read-models/transfer_summary"
    _, errors = shown.text.split("Last errors")
    assert "TransferRequested transfer-bad@0: " in errors.partition("Figures")[0]


async def bank_page(bank: Bank) -> Page:
    await bank.get("/health/live")  # the read models have caught up
    return await page(bank.http, "/console")


async def test_a_store_that_does_not_answer_is_named_and_the_rest_is_shown() -> None:
    """The page is there all the same, and unknown is not 0."""
    container = empty_bank()
    async with bank_over(container) as bank:

        class Down:
            async def events(self, *_: object, **__: object) -> None:
                raise StoreUnavailable("it is switched off")

            streams = events

        container.event_browser.override(providers.Object(Down()))
        container.served.reset()
        shown = await page(bank.http, "/console")

    assert "it is switched off" in shown.text
    assert "balances_v1" in shown.text
    assert "Parked events ?" in shown.text


def test_samples_are_bounded_and_begin_with_the_process() -> None:
    """An hour of them at most; a figure that was not known then is a gap, and never 0."""
    now = 0.0
    samples = Samples(lambda: now)
    assert samples.since is None
    for number in range(500):
        now += EVERY
        samples.take({"rate": float(number)} if number != 499 else {})

    points = samples.of("rate")
    assert len(points) == HOUR / EVERY
    assert points[-1] == (0.0, None)
    assert points[-2] == (EVERY, 498.0)
    assert samples.of("another")[-2] == (EVERY, None)


def test_a_line_has_gaps_where_nothing_is_known() -> None:
    """And says in words what it shows."""
    drawn = sparkline([(30.0, 1.0), (15.0, None), (0.0, 3.0)], "lag")

    assert drawn.count("<polyline") == 2
    assert "now 3, at most 3 in the last hour" in drawn
    assert "not known" in sparkline([], "lag")


@pytest.mark.parametrize(
    ("ages", "more", "rate"),
    [
        ([], False, 0.0),
        ([1, 2, 3], False, 0.05),
        ([1, 2, 100], True, 2 / 60),
        ([1, 2, 4], True, 0.75),
    ],
)
def test_the_rate_is_that_of_the_last_minute(ages: list[int], more: bool, rate: float) -> None:
    """By the newest events; where all of these are younger, by the time they span."""
    now = datetime(2026, 1, 1, tzinfo=UTC)

    class Event:
        def __init__(self, age: int) -> None:
            self.recorded_at = now - timedelta(seconds=age)

    newest = Found([Event(age) for age in ages], more=more)
    assert rate_of(newest, now.timestamp()) == pytest.approx(rate)  # type: ignore[arg-type]
