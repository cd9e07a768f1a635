"""Every page on a whole order history, with real processes: ``FULL_HISTORY=PATH pytest -s`` it.

``PATH`` is the file of a history, which is imported first, or the home of a service that has it.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import httpx
import pytest

from infrastructure.console.section import HOME, Section
from infrastructure.console.site import SECTIONS
from infrastructure.shop.pages import sections
from tests.browser.following import followed
from tests.browser.judging import accessible, readable
from tests.browser.visiting import NARROW, WIDE, Visits
from tests.console.page import BROWSER
from tests.shop.benchmarks.whole_orders.deployment import processor_of
from tests.shop.e2e.cli import COMMAND, PATIENCE, Service, environment, running, until

GIVEN: Final = os.environ.get("FULL_HISTORY")
TIMES: Final = 10
LONGEST: Final = 2.0  # seconds that a page is asked for again
HOURS: Final = 2 * 3600  # seconds: an import of half a million lines takes minutes
PAGES: Final[Sequence[Section]] = (*SECTIONS, *sections())

pytestmark = pytest.mark.skipif(
    GIVEN is None, reason="FULL_HISTORY names no order history, and no home of a service with one"
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that has the history, and has caught up."""
    given = Path(GIVEN or "")
    home = given if given.is_dir() else tmp_path_factory.mktemp("history") / "home"
    with running(home) as service:
        service.wait_for_welcome()
        if given.is_file():
            command = [*COMMAND, "import", str(given)]
            subprocess.run(command, env=environment(home, {}), check=True, timeout=HOURS)
        until(lambda: service.is_ready, service)
        yield service


async def test_every_page_can_be_read(visit: Visits, service: Service) -> None:
    """On a desk and on a telephone, without an error; and what each takes of the processor."""
    found = await followed(service.url, PAGES)
    assert found.addresses
    for kind, address in sorted(found.addresses.items()):
        page = await visit(service.url + address)
        for width in (WIDE, NARROW):
            await page.set_viewport_size({"width": width, "height": 800})
            await page.reload()
            await readable(page)
        await accessible(page)
        await page.context.close()  # else it is kept up to date meanwhile
        print(f"{costs(service, address):7.1f} ms  {kind.removeprefix(HOME)}  {address}")


def costs(service: Service, address: str) -> float:
    """Milliseconds of the processor of the process that answers, for one page."""
    api = service.child("part api")
    assert api is not None
    with httpx.Client(headers=BROWSER, trust_env=False, timeout=PATIENCE) as http:
        before, began, asked = processor_of(api.pid), time.monotonic(), 0
        while asked < TIMES and time.monotonic() - began < LONGEST:
            http.get(service.url + address).raise_for_status()
            asked += 1
        time.sleep(0.02)  # the last answer may be out before its time is counted
        return (processor_of(api.pid) - before) / asked * 1e3
