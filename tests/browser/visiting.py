"""Visits to pages. Whatever goes wrong in the browser on the way makes the test fail."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Page, Request

WIDE, NARROW = 1280, 360
"""Pixels of a screen on a desk, and of a small telephone."""
_LEFT = "net::ERR_ABORTED"  # the page was left, so its requests end

_SHIFTS = """
window.layoutShift = 0;
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) window.layoutShift += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""


@dataclass
class Visits:
    """Opens pages, each in a fresh context: no cookies, no cache, no history."""

    browser: Browser
    faults: list[str] = field(default_factory=list)
    """Errors of scripts and of the console, refused by the policy, failed, or to another host."""

    async def __call__(
        self,
        url: str,
        *,
        width: int = WIDE,
        dark: bool = False,
        script: bool = True,
        **options: Any,
    ) -> Page:
        """The page at that address, loaded, in a window of that width."""
        context = await self.browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
            **options,
        )
        if script:
            await context.add_init_script(_SHIFTS)
        page = await context.new_page()
        self._watch(page, urlsplit(url).netloc)
        await page.goto(url)
        return page

    def expected(self, fault: str) -> None:
        """Take these faults off the list. ``AssertionError`` if there were none."""
        those = [one for one in self.faults if re.search(fault, one)]
        assert those, f"no {fault!r} among {self.faults}"
        self.faults = [one for one in self.faults if one not in those]

    def _watch(self, page: Page, host: str) -> None:
        page.on("console", self._printed)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("requestfailed", self._failed)
        page.on("request", lambda request: self._sent(request, host))

    def _printed(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):  # also what the Content-Security-Policy refuses
            self.faults.append(f"console: {message.text} ({message.location.get('url')})")

    def _failed(self, request: Request) -> None:
        if request.failure != _LEFT:
            self.faults.append(f"request: {request.url}: {request.failure}")

    def _sent(self, request: Request, host: str) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob", "about") and address.netloc != host:
            self.faults.append(f"another host: {request.url}")


@asynccontextmanager
async def visiting(browser: Browser) -> AsyncIterator[Visits]:
    """Visits of one test. ``AssertionError`` in the end for each fault that was not expected."""
    visits = Visits(browser)
    try:
        yield visits
    finally:
        for context in list(browser.contexts):
            await context.close()
    assert not visits.faults, "\n".join(visits.faults)
