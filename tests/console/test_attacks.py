"""The console under attack: forms of other sites, and scripts in what others wrote."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import pytest
from fastapi.routing import APIRoute

from application.ports import NO_STREAM
from infrastructure.console import HOME
from tests.client import Client
from tests.console.page import BROWSER, page, send
from tests.contracts.made_up import event
from tests.infrastructure.test_http_operations import has_failed, standings
from tests.sample.client import Bank, bank_over, empty_bank

SCRIPT: Final = "<script>alert('stored')</script>"
BREAKING: Final = f"\"'><img src=x onerror=alert(1)>{SCRIPT}{{{{7*7}}}}"
"""Ends an attribute, begins an element, and asks a template to reckon."""
MOST: Final = 80  # pages of one walk


@pytest.fixture
async def bank() -> AsyncIterator[Bank]:
    """A bank in memory, whose read models follow."""
    async with bank_over(empty_bank()) as bank:
        yield bank


def routes(bank: Bank, method: str) -> Iterator[APIRoute]:
    app = bank.http._transport.app  # type: ignore[attr-defined]  # the one it speaks to
    for route in _flat(app.routes):
        if route.path.startswith(HOME) and method in (route.methods or ()):
            yield route


def _flat(routes: Any) -> Iterator[APIRoute]:
    """FastAPI keeps a router that is included as one route."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif router := getattr(route, "original_router", None):
            yield from _flat(router.routes)


OTHERS: Final[Mapping[str, Mapping[str, str]]] = {
    "another site": {"Origin": "https://evil.example"},
    "a name that looks like ours": {"Origin": "http://localhost.evil.example"},
    "another port": {"Origin": "http://localhost:1"},
    "a page without an origin": {"Origin": "null"},
    "no browser": {},
}


@pytest.mark.parametrize("headers", OTHERS.values(), ids=OTHERS)
async def test_no_form_of_another_site_does_anything(
    bank: Bank, headers: Mapping[str, str]
) -> None:
    """On each route that takes a form, with all cookies and with the token of the session."""
    asking = await page(bank.http, f"{HOME}/act/read-model-pause?of=balances")
    form = asking.form(f"{HOME}/act/read-model-pause")
    fields = {**form.fields, "reason": "why", "confirmed": "yes"}
    tried = 0
    for route in routes(bank, "POST"):
        path = re.sub(r"\{[^}]*\}", "read-model-pause", route.path)
        answer = await bank.http.post(path, data=fields, headers={**BROWSER, **headers})
        assert answer.status_code in (400, 403, 404, 415, 422), (path, answer.status_code)
        assert "Set-Cookie" not in answer.headers
        tried += 1
    assert tried > 2
    assert not any(of.paused for of in await standings(bank))


async def test_no_form_without_its_session_does_anything(bank: Bank) -> None:
    """A token that is missing, or of another session."""
    kind = f"{HOME}/act/read-model-pause"
    form = (await page(bank.http, f"{kind}?of=balances")).form(kind)
    for token in ("", "x" * 43, "é"):
        form.fields["form_token"] = token
        answer = await send(bank.http, form, {"reason": "why", "confirmed": "yes"})
        assert answer.status_code == 400
    assert not any(of.paused for of in await standings(bank))


async def test_no_page_changes_anything(bank: Bank) -> None:
    """Whatever a link or a picture of another site can fetch: a GET of an action asks only."""
    for route in routes(bank, "GET"):
        path = re.sub(r"\{[^}]*\}", "read-model-pause", route.path)
        await bank.http.get(f"{path}?of=balances&confirmed=yes&reason=why", headers=BROWSER)
    assert not any(of.paused for of in await standings(bank))


async def walked(bank: Client, start: str) -> Mapping[str, str]:
    """The pages that links lead to, from that one on, as they are sent."""
    found, waiting = dict[str, str](), [start]
    while waiting and len(found) < MOST:
        path = waiting.pop(0)
        if path in found:
            continue
        answer = await bank.get(path, dict(BROWSER))
        found[path] = answer.text if "html" in answer.headers.get("content-type", "") else ""
        for link in re.findall(r'href="([^"]+)"', found[path]):
            target = urlsplit(urljoin(path, link.replace("&amp;", "&")))
            if not target.netloc and target.path.startswith(HOME):
                waiting.append(target.path + (f"?{target.query}" if target.query else ""))
    return found


async def test_no_text_of_others_is_a_script_on_any_page(bank: Bank) -> None:
    """In each field of a command, in ids, in what is parked and why, in reasons and in searches."""
    await bank.requested(notes=[BREAKING])
    bad = event("TransferRequested", f'{{"amount": "{SCRIPT}"}}'.encode())
    await bank.container.streams().append(f"transfer-{SCRIPT}", [bad], NO_STREAM)
    await has_failed(bank, "transfer_summary")
    kind = f"{HOME}/act/read-model-pause"
    form = (await page(bank.http, f"{kind}?of=balances")).form(kind)
    await send(bank.http, form, {"reason": BREAKING, "confirmed": "yes"})

    pages = await walked(bank, HOME)
    for path in (f"{HOME}/events?of={BREAKING}", f"{HOME}/{BREAKING}", f"{kind}?of={BREAKING}"):
        pages = {**pages, path: (await bank.http.get(path, headers=BROWSER)).text}

    assert len(pages) > 15
    assert any("&lt;script&gt;" in html for html in pages.values())
    for path, html in pages.items():
        assert SCRIPT not in html, path
        assert "<img src=x" not in html, path
        assert "\"'>" not in html, path


async def test_no_page_runs_a_script_of_another(bank: Bank) -> None:
    """The policy of each page names no other host, and nothing inline."""
    for path in (HOME, f"{HOME}/audit", f"{HOME}/nothing-there"):
        policy = (await bank.http.get(path, headers=BROWSER)).headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy or "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
