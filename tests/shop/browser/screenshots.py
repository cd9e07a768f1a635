"""The pictures of the console in the docs: ``python -m tests.shop.browser.screenshots DIRECTORY``.

A shop runs as a newcomer starts it, with the sample in it, and with a carrier that does not answer.
"""

import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx
from playwright.async_api import Browser

from tests.browser.chromium import launched
from tests.shop.e2e.cli import Service, cli, running, until
from tests.shop.infrastructure.shop import ORDER

WIDE: Final = 1280
PICTURES: Final = {  # name → path, dark, height
    "overview": ("", False, 800),
    "orders": ("/orders?country=France", False, 640),
    "order": ("/orders/{completed}", False, 1400),
    "sales": ("/sales?until=2011-12-31", False, 760),
    "sagas": ("/sagas/order_fulfilment/{stuck}", False, 760),
    "action": ("/act/read-model-deploy?of=daily_sales", False, 480),
    "read-models": ("/read-models", False, 560),
    "read-model": ("/read-models/order_summary", False, 620),
    "parked": ("/parked", False, 560),
    "streams": ("/streams", False, 560),
    "stream": ("/streams/order-{completed}", True, 420),
    "events": ("/events", False, 560),
    "event": ("/events/order-{completed}@0", False, 980),
    "trace": ("/trace/order-{completed}", True, 640),
    "map": ("/map", False, 1320),
    "audit": ("/audit", False, 420),
}
_WHOLE: Final = """height => {
  const parts = "h1, h2, p, dl, form, pre, svg, tr, li, summary".split(", ");
  const boxes = [...document.querySelectorAll(parts.map(one => `main ${one}`))]
    .map(one => one.getBoundingClientRect()).filter(box => box.height);
  const cuts = (at) => boxes.some(box => box.top < at - 1 && box.bottom > at + 1);
  const ends = boxes.map(box => box.bottom).filter(at => at <= height && !cuts(at));
  return Math.min(height, Math.max(...ends) + 4);
}"""
"""The most that can be shown within a height, without cutting a line or a row."""


def main(directory: Path) -> None:
    """Take all of them; what is there already is replaced."""
    directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch, running(Path(scratch) / "home") as service:
        service.wait_for_welcome()
        until(lambda: service.is_ready, service)
        asyncio.run(_taken(service, _prepared(service), directory))


def _prepared(service: Service) -> dict[str, str]:
    """The ids of an order that was fulfilled, and of one whose carrier does not answer.

    An operator has paused a read model, too.
    """
    service.post("/stock/85123A/receipts", {"quantity": 100})
    completed = _placed(service)
    until(lambda: _status(service, completed) == "completed", service)
    _fail(service, [{"kind": "unavailable", "call": "book"}])
    stuck = _placed(service)
    until(lambda: bool(_fulfilment(service, stuck).get("stuck")), service)
    for word in ("pause", "resume"):
        why = ("--by", "ada", "--reason", "the figures of May are compared")
        cli(service.home, "projections", word, "daily_sales", *why)
    return {"completed": completed, "stuck": stuck}


def _placed(service: Service) -> str:
    return service.post("/orders", ORDER).headers["Location"].removeprefix("/orders/")


def _status(service: Service, order: str) -> object:
    return _fulfilment(service, order).get("status")


def _fulfilment(service: Service, order: str) -> dict[str, object]:
    return service.get(f"/orders/{order}/fulfilment")


def _fail(service: Service, faults: list[dict[str, str]]) -> None:
    announced = json.loads((service.home / "running.json").read_text())
    providers = announced["payment_provider_uri"].rpartition("/")[0]
    httpx.put(f"{providers}/faults", json={"faults": faults}).raise_for_status()


async def _taken(service: Service, ids: dict[str, str], directory: Path) -> None:
    async with launched() as browser:
        for name, (path, dark, height) in PICTURES.items():
            address = f"{service.url}/console{path.format(**ids)}"
            await _take(browser, address, dark, height, directory / f"{name}.png")
            print(name)


async def _take(browser: Browser, url: str, dark: bool, height: int, file: Path) -> None:
    context = await browser.new_context(
        viewport={"width": WIDE, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    answer = await page.goto(url)
    assert answer is not None, url
    assert answer.ok, f"{url}: {answer.status}"
    await page.wait_for_timeout(1500)  # the first live figures are in
    shown = await page.evaluate(_WHOLE, height)
    await page.screenshot(path=file, clip={"x": 0, "y": 0, "width": WIDE, "height": shown})
    await context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
