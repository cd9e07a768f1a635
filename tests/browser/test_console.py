"""The console in the browser: every page of the kit, on the bank, in memory."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

import infrastructure.console
from infrastructure.console.site import SECTIONS
from tests.browser.following import Followed, pages_in
from tests.browser.judging import judged
from tests.browser.serving import answered
from tests.browser.troubled import troubled
from tests.browser.visiting import NARROW, Visits
from tests.sample.client import empty_bank

PAGES = pages_in(Path(infrastructure.console.__file__).with_name("templates"))
TO_LOG_IN = ("log_in.html", "continue.html")
"""No link leads there: a browser is led there that has no session."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def troubles() -> AsyncIterator[tuple[str, Followed]]:
    """The address of a bank, one for all tests of this page, and what links lead to."""
    async with troubled() as found:
        yield found


@pytest.fixture
def bank(troubles: tuple[str, Followed]) -> str:
    return troubles[0]


async def test_links_lead_to_every_page(troubles: tuple[str, Followed]) -> None:
    """From the first page on: each route of the console is tried by the law below."""
    _, found = troubles
    assert found.missed == set()


@pytest.mark.parametrize("template", sorted({*PAGES} - {*TO_LOG_IN, "error.html"}))
async def test_a_page_can_be_read_and_walked(
    visit: Visits, troubles: tuple[str, Followed], template: str
) -> None:
    """On a desk in light, on a telephone in the dark: by eye, keyboard, and screen reader."""
    url, found = troubles
    await judged(visit, url + found.addresses[template])


async def test_a_page_that_is_none_can_be_read_and_walked(visit: Visits, bank: str) -> None:
    """So that a person finds the way back."""
    await judged(visit, f"{bank}/console/nothing")
    visit.expected("404")


async def test_the_log_in_can_be_read_and_walked(visit: Visits) -> None:
    """Whoever has no session is led there."""
    async with answered(empty_bank(api_token="a-token-of-a-test")) as url:
        await judged(visit, f"{url}/console/sagas")


async def test_pages_are_readable_without_the_script(visit: Visits, bank: str) -> None:
    """Links and tables are made by the server: the script only keeps figures up to date."""
    page = await visit(f"{bank}/console", script=False)
    for section in SECTIONS:
        await page.get_by_role("link", name=section.title, exact=True).first.click()
        assert page.url == bank + section.url
        assert await page.locator("h1").inner_text()


async def test_the_map_leads_to_what_it_shows(visit: Visits, bank: str) -> None:
    """A read model on the picture is a link; on a telephone the same stands in a list."""
    page = await visit(f"{bank}/console/map")
    await page.locator("svg.map a", has_text="balances").click()
    assert page.url.endswith("/console/read-models/balances")
    narrow = await visit(f"{bank}/console/map", width=NARROW)
    assert not await narrow.locator("svg.map").is_visible()
    assert await narrow.get_by_role("link", name="balances").first.is_visible()
