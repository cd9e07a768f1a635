"""The browser: the Chromium that this machine has. Playwright downloads none."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from playwright.async_api import Browser, async_playwright

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS: Final = (
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no other host can be reached
    "--disable-background-networking",
    "--disable-component-update",
    "--force-color-profile=srgb",
    "--hide-scrollbars",  # else widths differ from machine to machine
)


def program() -> str | None:
    """The path of the browser: ``CHROMIUM`` names it, else it is found by its name."""
    given = os.environ.get("CHROMIUM")
    return given or next(filter(None, map(shutil.which, _NAMES)), None)


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """A browser. Without one, the test is skipped; where ``REQUIRE_SERVERS`` is set, it fails."""
    if (path := program()) is None:
        _without("Chromium is not installed (Debian: apt install chromium)")
    sandbox = os.geteuid() != 0  # Chromium's needs another user than root
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=_ARGUMENTS, chromium_sandbox=sandbox
        )
        try:
            yield browser
        finally:
            await browser.close()


def _without(reason: str) -> None:
    if os.environ.get("REQUIRE_SERVERS"):
        pytest.fail(f"REQUIRE_SERVERS is set, and {reason}", pytrace=False)
    pytest.skip(reason)
