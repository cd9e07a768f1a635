"""Each fault that the tests of pages look for is found on a page that has it."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

import pytest
from playwright.async_api import Page

from tests.browser.judging import accessible, readable, walkable
from tests.browser.visiting import NARROW, Visits
from tests.waiting import until

_PAGE: Final = (
    '<!DOCTYPE html><html lang="en"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>A page</title>'
    "<style>{style}</style><main><h1>A page</h1>{body}</main></html>"
)


def address(body: str, style: str = "") -> str:
    return "data:text/html," + quote(_PAGE.format(body=body, style=style))


CUT: Final = "overflow: hidden; white-space: nowrap"
GOOD: Final = address('<p>A few words</p><a href="#a">a link</a>', "p { width: 20em }")
BAD: Final[list[tuple[Callable[[Page], Awaitable[None]], str, str]]] = [
    (readable, address('<div class="wide">broad</div>', ".wide { width: 900px }"), "wider"),
    (readable, address("<p>unbreakable</p>", "p { width: 3em; word-break: break-all }"), "unbreak"),
    (readable, address("<p>hidden words</p>", f"p {{ width: 3em; {CUT} }}"), "hidden"),
    (readable, address("<p>one</p><p class='up'>two</p>", ".up { margin-top: -30px }"), "one and"),
    (accessible, address("<p>faint</p>", "p { color: #aaa }"), "color-contrast"),
    (accessible, address("<input>"), "label"),
    (accessible, address("<h4>deep</h4>"), "heading-order"),
    (walkable, address('<a href="#a">a link</a>', "a:focus { outline: none }"), "a link"),
    (walkable, address('<div tabindex="0" onfocus="this.blur()">a thing</div>'), "a thing"),
]  # fmt: skip


async def test_a_page_without_a_fault_passes(visit: Visits) -> None:
    """Readable, accessible, walkable."""
    page = await visit(GOOD, width=NARROW)
    for judged in (readable, accessible, walkable):
        await judged(page)


@pytest.mark.parametrize(("judged", "url", "named"), BAD)
async def test_a_fault_is_found_and_named(
    visit: Visits, judged: Callable[[Page], Awaitable[None]], url: str, named: str
) -> None:
    """Whatever a person would stumble over makes the test fail, and says where."""
    page = await visit(url, width=NARROW)
    with pytest.raises(AssertionError, match=named):
        await judged(page)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('<img src="http://192.0.2.1/a.png" alt="a">', "another host"),
        ("<script>missing()</script>", "script: missing is not defined"),
        ('<script>console.error("no")</script>', "console: no"),
        (
            '<meta http-equiv="Content-Security-Policy" content="script-src \'none\'">'
            "<script>1</script>",
            "console: .*Content Security Policy",
        ),
    ],
)
async def test_what_goes_wrong_in_the_browser_is_noticed(
    visit: Visits, body: str, named: str
) -> None:
    """Errors of a script or of the console, what the policy refuses, requests to others."""
    await visit(address(body))
    await until(lambda: bool(visit.faults))
    visit.expected(named)
    visit.faults.clear()
