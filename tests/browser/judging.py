"""What can be said of a page by measuring it: whether a person can read it and work with it."""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

from playwright.async_api import Page

from tests.browser.visiting import NARROW, WIDE, Visits

_AXE: Final = (resources.files("axe_playwright_python") / "axe.min.js").read_text()
_JUDGE: Final = Path(__file__).with_suffix(".js").read_text()
_RULES: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
_FORMS: Final[Sequence[tuple[int, Literal["light", "dark"]]]] = ((WIDE, "light"), (NARROW, "dark"))

Box = Mapping[str, float]


async def judged(visit: Visits, url: str) -> None:
    """The page on a desk in light, then on a telephone in the dark."""
    page = await visit(url)
    for width, scheme in _FORMS:
        await page.set_viewport_size({"width": width, "height": 800})
        await page.emulate_media(color_scheme=scheme)
        await page.reload()
        await readable(page)
        await accessible(page)
        await walkable(page)


async def accessible(page: Page) -> None:
    """axe finds no fault: contrast (AA), names of controls, headings, landmarks, tables, roles."""
    await page.evaluate(_AXE)
    found = await page.evaluate("rules => axe.run(document, rules)", _RULES)
    _nothing([_said(one) for one in found["violations"]], "not accessible")


async def readable(page: Page) -> None:
    """Nothing is cut off, overlaps or breaks within a word, and nothing scrolls sideways."""
    await page.evaluate(_JUDGE)
    assert await page.evaluate("judge.wider()") <= 0, "the page is wider than its window"
    _nothing(await page.evaluate("judge.brokenWords()"), "broken words")
    _nothing(await page.evaluate("judge.cutOff()"), "cut off")
    _nothing(await page.evaluate("judge.overlaps()"), "overlaps")


async def walkable(page: Page) -> None:
    """The Tab key reaches every control, and each shows that it has the focus."""
    await page.evaluate(_JUDGE)
    count: int = await page.evaluate("judge.walk()")
    for _ in range(count + 25):  # scrolling regions take the focus, too
        await page.keyboard.press("Tab")
        if not await page.evaluate("walked.step()"):
            break
    _nothing(await page.evaluate("walked.missed()"), "not reached by Tab")
    _nothing(await page.evaluate("walked.unseen"), "shows no focus")


async def boxes(page: Page, selector: str) -> Mapping[str, Box]:
    """Where these elements are, in pixels of the window."""
    await page.evaluate(_JUDGE)
    found: Mapping[str, Box] = await page.evaluate("it => judge.boxes(it)", selector)
    return found


async def shifted(page: Page) -> float:
    """By how much the page has moved by itself since it was opened: the layout shift score."""
    return float(await page.evaluate("window.layoutShift"))


def _nothing(found: Sequence[str], fault: str) -> None:
    assert not found, f"{fault}: {' | '.join(found)}"


def _said(violation: Mapping[str, Any]) -> str:
    nodes = [f"{one['target']}: {one['html'][:90]}" for one in violation["nodes"][:4]]
    return f"{violation['id']}: {violation['help']}: {'; '.join(nodes)}"
