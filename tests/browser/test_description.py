"""``/docs`` in the browser: the whole interface, without internet, without a script."""

import pytest

from tests.browser.judging import accessible, readable, walkable
from tests.browser.serving import answered
from tests.browser.visiting import NARROW, WIDE, Visits
from tests.infrastructure.described import operations
from tests.sample.client import empty_bank
from tests.sample.program import BANK


async def test_every_route_can_be_found_and_read(visit: Visits) -> None:
    """A click in the contents leads to the route, with a line to try, although scripts are off."""
    async with answered(empty_bank()) as url:
        page = await visit(f"{url}/docs", script=False)
        links = page.get_by_role("navigation").get_by_role("link")
        shown = [text.replace("\n", " ") for text in await links.all_inner_texts()]
        for operation in operations(BANK, ids={}):
            assert any(text.split() == [operation.method, operation.path] for text in shown), (
                f"{operation.method} {operation.path} is not in {shown}"
            )
        await links.filter(has_text="POST").first.click()
        article = page.locator("article:target")
        assert await article.is_visible()
        assert "curl -X POST" in await article.inner_text()


@pytest.mark.parametrize(("width", "dark"), [(WIDE, False), (NARROW, True)])
async def test_the_description_can_be_read_and_walked(
    visit: Visits, width: int, dark: bool
) -> None:
    """On a desk in light, on a telephone in the dark: by eye, keyboard, and screen reader."""
    async with answered(empty_bank()) as url:
        page = await visit(f"{url}/docs", width=width, dark=dark)
        await readable(page)
        await accessible(page)
        await walkable(page)
