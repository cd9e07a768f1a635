"""What goes wrong is put right by clicking, on the bank, in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest_asyncio
from playwright.async_api import Page, expect

from application.messages import Context, RecordedEvent
from application.reactions import Reaction
from infrastructure.container import Container, in_memory
from infrastructure.processes.service import reacting
from tests.browser.judging import boxes, shifted
from tests.browser.serving import answered
from tests.browser.visiting import Visits
from tests.projection_specification import at
from tests.sample.accounts import Deposit
from tests.sample.aggregates import ACCOUNT
from tests.sample.program import BANK
from tests.waiting import PATIENCE, until_true

expect.set_options(timeout=PATIENCE * 1000)


@dataclass
class Printer:
    """What the reaction of this bank needs; while it is off, its events are parked."""

    is_on: bool = True
    printed: list[str] = field(default_factory=list)

    async def handle(self, recorded: RecordedEvent) -> None:
        if not self.is_on:
            raise RuntimeError("the printer is off")
        self.printed.append(recorded.stream)


@dataclass(frozen=True)
class OpenBank:
    url: str
    container: Container
    printer: Printer

    async def deposit(self, account: str, amount: int) -> None:
        command = Deposit(deposit_id=str(uuid4()), amount=amount)
        await self.container.dispatch()(account, command, Context.start("a test", uuid4(), at(0)))


@pytest_asyncio.fixture(loop_scope="session")
async def bank() -> AsyncIterator[OpenBank]:
    """A bank at work, whose reaction prints a receipt for each deposit."""
    printer = Printer()
    receipts: Reaction[Any] = Reaction("receipts", ACCOUNT.own, lambda _: printer.handle)
    program = replace(BANK, service=replace(BANK.service, reactions=(receipts,)))
    container = in_memory(program, program.settings())
    async with answered(container) as url, reacting(container):
        yield OpenBank(url, container, printer)


async def confirm(page: Page, reason: str) -> None:
    """What every action asks for: a reason, and that it is meant."""
    await page.get_by_label("Reason").fill(reason)
    await page.get_by_label("this is to be done").check()
    await page.locator("form.form button").click()
    await expect(page.locator("dl.facts").first).to_contain_text(reason)


async def test_a_parked_event_is_replayed_by_clicking(visit: Visits, bank: OpenBank) -> None:
    """It is listed with its error; once the cause is gone, a replay handles it."""
    bank.printer.is_on = False
    await bank.deposit("a-1", 5)
    page = await visit(f"{bank.url}/console/parked")

    async def is_listed() -> bool:
        await page.reload()
        return await page.get_by_text("the printer is off").count() > 0

    await until_true(is_listed)
    bank.printer.is_on = True
    await page.get_by_role("link", name="Deposited").click()
    await page.get_by_role("link", name="Replay", exact=False).first.click()
    assert "account-a-1" in await page.locator("main").inner_text()
    await confirm(page, "the printer is on again")

    async def is_printed() -> bool:
        return "account-a-1" in bank.printer.printed

    await until_true(is_printed)
    await page.goto(f"{bank.url}/console/parked")
    await expect(page.locator("main")).to_contain_text("Nothing is parked.")
    await page.goto(f"{bank.url}/console/audit")
    assert "the printer is on again" in await page.locator("main").inner_text()


async def test_a_deploy_is_watched_and_rolled_back(visit: Visits, bank: OpenBank) -> None:
    """Its record says how far it is, by itself; the build before answers again after a click."""
    for number in range(5):
        await bank.deposit(f"a-{number}", 1)
    page = await visit(f"{bank.url}/console/read-models/balances")
    await page.get_by_role("link", name="Deploy").click()
    await confirm(page, "a new form")
    await expect(page.locator("main")).to_contain_text("balances_v1_2 answers queries")
    await expect(page.get_by_text("done", exact=True).first).to_be_visible()

    await page.goto(f"{bank.url}/console/read-models/balances")
    await page.get_by_role("link", name="Roll back").click()
    await confirm(page, "the old one was better")
    await expect(page.locator("main")).to_contain_text("balances_v1 answers queries again")


async def test_a_growing_lag_is_seen_without_moving_anything(visit: Visits, bank: OpenBank) -> None:
    """Paused by clicking; the missing events are counted on the open page, in place."""
    page = await visit(f"{bank.url}/console/read-models/balances")
    await page.get_by_role("link", name="Pause").first.click()
    await confirm(page, "to look at it")
    await page.goto(f"{bank.url}/console/read-models")
    await page.get_by_text("Live", exact=True).wait_for()
    before = await boxes(page, "main th, main td")
    for number in range(3):
        await bank.deposit(f"a-{number}", 1)
    missing = page.locator('[data-live="missing balances_v1"]')
    await expect(missing).to_have_text("3")
    assert await boxes(page, "main th, main td") == before
    assert await shifted(page) == 0


async def test_all_can_be_done_by_keys(visit: Visits, bank: OpenBank) -> None:
    """From the first page to a paused read model and its record, without a mouse."""
    page = await visit(f"{bank.url}/console")
    await page.keyboard.press("g")
    await page.keyboard.press("r")
    await page.wait_for_url("**/console/read-models")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/read-models/*")
    await tab_to(page, "Pause")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/act/**")
    await page.keyboard.press("/")
    await page.keyboard.type("by keys")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/audit/**")
    assert "by keys" in await page.locator("main").inner_text()


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until a control of that name has the focus."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        focused = await page.evaluate("document.activeElement.innerText")
        if focused == name:
            return
    raise AssertionError(f"Tab does not reach {name}")
