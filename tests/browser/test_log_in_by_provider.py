"""People log in at an identity provider, and out again, in a browser."""

import re
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.serving import answered
from tests.browser.visiting import Visits
from tests.sample.client import empty_bank
from tests.servers.oidc import AUDIENCE, ON_ANY_PORT
from tests.servers.server import LOCALHOST, free_ports


@pytest_asyncio.fixture(loop_scope="session")
async def bank(oidc: str) -> AsyncIterator[str]:
    """The address of a bank whose console is a client of the provider."""
    (port,) = free_ports(1)
    origin = f"http://{LOCALHOST}:{port}"
    known = {"oidc_issuers": oidc, "oidc_audience": AUDIENCE, "console_origin": origin}
    async with answered(empty_bank(**known, console_client_id=ON_ANY_PORT), port=port) as url:
        yield url


async def led_to_provider(visit: Visits, bank: str, oidc: str) -> Page:
    """Where the provider asks who it is, by way of a page of the console."""
    page = await visit(f"{bank}/console/audit")
    await page.get_by_role("link", name=f"Log in at {oidc}").click()
    await page.wait_for_url(re.compile(f"{oidc}/interaction/"))
    return page


def of_provider(oidc: str) -> str:
    """What the pages of the provider do wrong in the eyes of a visit. None of it is a violation of
    a policy of the console, whatever address that names."""
    fonts = r"https://fonts\."
    failed = rf"request: {fonts}|console: Failed to load .*\(({fonts}|{oidc}/favicon)"
    return rf"^(another host: ({oidc}|{fonts})|{failed})"


async def log_in(page: Page, person: str) -> None:
    """As this person, who lets the service know who they are."""
    await page.locator("[name=login]").fill(person)
    await page.locator("[name=password]").fill("any")
    await page.locator("button[type=submit]").click()
    await page.get_by_role("button", name="Continue").click()


async def test_a_person_logs_in_and_out(visit: Visits, bank: str, oidc: str) -> None:
    """They come back to the page that they wanted, with their name and what their role may do.
    Logging out ends the session here and at the provider, which then asks again."""
    page = await led_to_provider(visit, bank, oidc)
    await log_in(page, "operator.olga")
    await page.wait_for_url(f"{bank}/console/audit")
    await expect(page.locator("header")).to_contain_text("olga")
    await page.goto(f"{bank}/console/read-models/balances")
    await expect(page.get_by_role("link", name="Deploy")).to_be_visible()  # by the role

    await page.get_by_role("button", name="Log out").click()
    await page.get_by_role("button", name="Yes").click()  # at the provider
    await page.wait_for_url(re.compile("success"))

    await page.goto(f"{bank}/console/audit")
    await page.get_by_role("link", name=f"Log in at {oidc}").click()
    await expect(page.locator("[name=login]")).to_be_visible()
    visit.expected(of_provider(oidc))


async def test_a_log_in_that_is_cancelled_is_explained(visit: Visits, bank: str, oidc: str) -> None:
    """By a page of the console, from which it can be tried again."""
    page = await led_to_provider(visit, bank, oidc)
    await page.get_by_role("link", name="Cancel").click()

    await expect(page.locator("main")).to_contain_text("you have broken it off")
    await page.get_by_role("link", name=f"Log in at {oidc}").click()
    await expect(page.locator("[name=login]")).to_be_visible()
    visit.expected("status of 401")
    visit.expected(of_provider(oidc))


async def test_a_person_without_a_role_is_told_why(visit: Visits, bank: str, oidc: str) -> None:
    """By name, and with the roles that would do."""
    page = await led_to_provider(visit, bank, oidc)
    await log_in(page, "customer.carl")

    await expect(page.locator("main")).to_contain_text(
        "carl has neither the role operator nor auditor"
    )
    visit.expected("status of 403")
    visit.expected(of_provider(oidc))
