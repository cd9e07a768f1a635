"""Orders and sales in the browser, on the sample."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

import infrastructure.shop.pages
from infrastructure.providers.simulated import Fault
from infrastructure.shop.pages import sales
from tests.browser.following import pages_in
from tests.browser.judging import judged, shifted
from tests.browser.visiting import Visits
from tests.shop.browser.conftest import OpenShop
from tests.shop.infrastructure.shop import ORDER
from tests.waiting import until_true

PAGES = pages_in(Path(infrastructure.shop.pages.__file__).with_name("templates"))


@pytest.mark.parametrize("name", [*PAGES, "completed", "undone"])
async def test_a_page_can_be_read_and_walked(visit: Visits, shop: OpenShop, name: str) -> None:
    """On a desk in light, on a telephone in the dark: by eye, keyboard, and screen reader."""
    orders = {one: f"/console/orders/{getattr(shop, one)}" for one in ("completed", "undone")}
    await judged(visit, shop.url + {**shop.found.addresses, **orders}[name])


def test_links_lead_to_every_page(shop: OpenShop) -> None:
    """Each route of the shop is tried by the law above, or is a download of figures."""
    assert shop.found.missed <= {"/console/act/{kind}"}


async def test_orders_are_found_by_what_is_typed(visit: Visits, shop: OpenShop) -> None:
    """Filters together; the count and the total are of all that is found; paging keeps them."""
    page = await visit(f"{shop.url}/console/orders")
    assert "orders, 50 shown" in await page.locator("caption").inner_text()
    await page.get_by_label("Placed since").fill("2011-11-01")
    await page.get_by_label("until", exact=True).fill("2011-11-30")
    await page.get_by_role("button", name="Show").click()
    assert "27 orders" in await page.locator("caption").inner_text()
    assert "8,106.41 GBP" in await page.locator(".facts").first.inner_text()
    await page.get_by_label("Country").fill("France")
    await page.get_by_role("button", name="Show").click()
    rows = await page.locator("tbody tr").all_inner_texts()
    assert rows
    assert all("France" in row and "2011-11" in row for row in rows)

    page = await visit(f"{shop.url}/console/orders?country=United+Kingdom")
    first = await page.locator("tbody th").all_inner_texts()
    await page.get_by_role("link", name="Older").click()
    second = await page.locator("tbody th").all_inner_texts()
    assert not set(first) & set(second)
    assert "country=United+Kingdom" in page.url
    assert first[:3] == sorted(first[:3], reverse=True)


async def test_a_wrong_filter_says_what_would_be_right(visit: Visits, shop: OpenShop) -> None:
    """A page, and not a problem document; nothing breaks."""
    for query, said in (
        ("since=yesterday", "write a day (2026-01-31), a time with its zone"),
        ("since=2011-12-02&until=2011-12-01", "until 2011-12-01 is before since 2011-12-02"),
        ("status=lost", "'placed', 'confirmed'"),
        ("after=x", "use the one that the page before ends with"),
    ):
        page = await visit(f"{shop.url}/console/orders?{query}")
        assert said in await page.locator("main").inner_text()
        visit.expected("400|422")


async def test_an_order_is_opened_and_shown_as_it_was(visit: Visits, shop: OpenShop) -> None:
    """By its id; one timeline over all streams; the state at any version, by clicks alone."""
    page = await visit(f"{shop.url}/console/orders")
    await page.get_by_label("Open order").fill(shop.completed)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/orders/{shop.completed}")
    story = await page.locator(".timeline").inner_text()
    for said in ("OrderPlaced", "reserve stock", "PaymentCaptured", "ShipmentBooked"):
        assert said in story
    await page.locator("summary").first.click()
    assert "placed" in await page.locator("details[open]").first.inner_text()

    await page.get_by_role("link", name=f"order-{shop.completed} at version 1").click()
    then = page.get_by_role("region", name="As it was")
    assert '"status": "confirmed"' in await then.inner_text()
    await then.get_by_role("link", name="Version before").click()
    assert '"status": "placed"' in await then.inner_text()
    await then.get_by_role("link", name="Close").click()
    assert await then.count() == 0


async def test_what_was_undone_is_marked(visit: Visits, shop: OpenShop) -> None:
    """The step that was refused, why, and the steps that were undone."""
    page = await visit(f"{shop.url}/console/orders/{shop.undone}")
    story = await page.locator(".timeline").inner_text()
    assert "undo reserve stock" in story
    assert "refused" in story
    assert "cancelled" in await page.locator(".facts").first.inner_text()


async def test_customers_are_masked_until_a_click_that_is_recorded(
    visit: Visits, shop: OpenShop
) -> None:
    """On the list and on an order: masked; shown to the one who gave a reason."""
    page = await visit(f"{shop.url}/console/orders/{shop.completed}")
    assert "17850" not in await page.locator("body").inner_text()
    await page.goto(f"{shop.url}/console/orders?country=Spain")
    assert "12462" not in await page.locator("main").inner_text()
    await page.get_by_role("link", name="Show them").click()
    await page.get_by_label("Reason").fill("a call of a customer")
    await page.get_by_label("this is to be done").check()
    await page.locator("form.form button").click()
    await page.wait_for_url("**/orders?*shown=*")
    assert "12462" in await page.locator("main").inner_text()
    await page.goto(f"{shop.url}/console/orders?country=Spain")
    assert "12462" not in await page.locator("main").inner_text()
    await page.goto(f"{shop.url}/console/audit")
    assert "a call of a customer" in await page.locator("main").inner_text()


async def test_a_stuck_saga_is_put_right_by_clicking(visit: Visits, shop: OpenShop) -> None:
    """The carrier does not answer: the saga is listed as stuck, and a click has all undone."""
    shop.faults.set([Fault(kind="unavailable", call="book")])
    async with httpx.AsyncClient(base_url=shop.url, trust_env=False) as http:
        placed = await http.post("/orders", json=ORDER)
    id = placed.headers["Location"].removeprefix("/orders/")
    page = await visit(f"{shop.url}/console/sagas?which=stuck")

    async def is_stuck() -> bool:
        await page.reload()
        return await page.get_by_role("link", name=f"order_fulfilment-{id}").count() == 1

    await until_true(is_stuck)
    await page.get_by_role("link", name=f"order_fulfilment-{id}").click()
    await page.get_by_role("link", name="Compensate").click()
    await page.get_by_label("Reason").fill("the carrier is on strike")
    await page.get_by_label("this is to be done").check()
    await page.locator("form.form button").click()
    await page.goto(f"{shop.url}/console/sagas/order_fulfilment/{id}")
    await expect(page.locator('[data-live="status"]')).to_contain_text("compensated")
    await page.goto(f"{shop.url}/console/orders/{id}")
    story = await page.locator(".timeline").inner_text()
    assert "the carrier is on strike" in story
    assert "undo reserve stock" in story
    shop.faults.set([])


async def test_an_open_order_does_not_move(visit: Visits, shop: OpenShop) -> None:
    """It is kept up to date in place."""
    page = await visit(f"{shop.url}/console/orders/{shop.completed}")
    await page.get_by_text("Live", exact=True).wait_for()
    assert await shifted(page) == 0


async def test_an_unknown_order_is_a_page(visit: Visits, shop: OpenShop) -> None:
    """It says what there is instead."""
    page = await visit(f"{shop.url}/console/orders/nobody")
    assert "There is no order nobody" in await page.locator("main").inner_text()
    visit.expected("404")


async def test_sales_are_pictures_with_their_figures(visit: Visits, shop: OpenShop) -> None:
    """A curve, bars and tables; of a short period each day."""
    page = await visit(f"{shop.url}/console/sales")
    assert await page.get_by_role("img", name="Net sales of each day").is_visible()
    assert "56,1" in await page.locator("h2").first.inner_text()
    await page.get_by_label("Since").fill("2011-11-01")
    await page.get_by_label("until", exact=True).fill("2011-11-30")
    await page.get_by_role("button", name="Show").click()
    assert "Days, GBP" in await page.locator("caption").first.inner_text()
    page = await visit(f"{shop.url}/console/sales?country=Atlantis")
    assert "Nothing was sold in this period." in await page.locator("main").inner_text()


async def test_products_of_many_orders_are_added_up_on_request(
    visit: Visits, shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens the page does not wait for that; it says how many orders have to be read."""
    page = await visit(f"{shop.url}/console/sales?country=France")
    best = page.get_by_text("Best products, of these orders")
    assert await best.is_visible()

    monkeypatch.setattr(sales, "MOST_AT_ONCE", 1)
    await page.reload()
    assert not await best.is_visible()
    assert "they have to be added up from" in await page.locator("main").inner_text()
    await page.get_by_role("link", name="Add them up").click()
    assert await best.is_visible()
    assert await page.get_by_label("Country").input_value() == "France"

    monkeypatch.setattr(sales, "MOST_ORDERS", 1)
    await page.reload()
    assert "more than 1 orders. Choose a shorter one" in await page.locator("main").inner_text()


async def test_the_csv_has_the_figures_of_the_page(visit: Visits, shop: OpenShop) -> None:
    """To the last digit: the sum of its days is the total above them."""
    page = await visit(f"{shop.url}/console/sales?until=2011-12-31")
    async with page.expect_download() as downloading:
        await page.locator("a[href*='days.csv']").click()
    text = (await (await downloading.value).path()).read_text()
    rows = list(csv.DictReader(io.StringIO(text)))
    net = sum(Decimal(row["net"]) for row in rows)
    assert f"{net:,f} GBP net" in await page.locator("h2").first.inner_text()
