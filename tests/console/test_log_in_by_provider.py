"""Log in at a real identity provider, and every wrong turn on the way."""

import base64
import json
import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest

from infrastructure.console.by_provider import CALLBACK
from infrastructure.console.sessions import Session
from tests.console.page import BROWSER, Form, Page, page, send
from tests.sample.client import Bank, bank_over, empty_bank
from tests.servers.oidc import AUDIENCE, CLIENT

KEY = "a-key-of-all-processes"
START = "/console/log-in/provider?to=/console/audit"


def of_provider(oidc: str, **more: object) -> dict[str, object]:
    """The settings of a service whose console is a client of this provider."""
    id, secret = CLIENT
    known = {"oidc_issuers": oidc, "oidc_audience": AUDIENCE, "console_session_key": KEY}
    client = {"console_client_id": id, "console_client_secret": secret}
    return {**known, **client, "console_origin": "http://localhost", **more}


@pytest.fixture
async def bank(oidc: str) -> AsyncIterator[Bank]:
    async with bank_over(empty_bank(**of_provider(oidc))) as bank:
        yield bank


async def at_provider(address: str, person: str | None) -> str:
    """Where the provider sends a browser back to, once the person has logged in and agreed.

    ``None``: they break it off.
    """
    async with httpx.AsyncClient() as http:
        for _ in range(12):
            answer = await http.get(address)
            if answer.status_code == 200:
                shown = answer.text
                if person is None:
                    found = re.search(r'href="([^"]+/abort)"', shown)
                    assert found, shown
                    answer = await http.get(httpx.URL(address).join(found[1]))
                else:
                    form = Page(shown).forms[0]
                    asked = {"login": person, "password": "any"}
                    given = {name: asked.get(name, value) for name, value in form.fields.items()}
                    answer = await http.post(httpx.URL(address).join(form.action), data=given)
            address = str(httpx.URL(address).join(answer.headers["Location"]))
            if urlsplit(address).path == CALLBACK:
                return address
    raise AssertionError(f"the provider leads nowhere: {address}")


async def answered(bank: Bank, person: str | None = "operator.olga") -> str:
    """The address at which the browser comes back."""
    begun = await bank.http.get(START, headers=BROWSER)
    assert begun.status_code == 303, begun.text
    return await at_provider(begun.headers["Location"], person)


async def test_a_person_logs_in_and_out(bank: Bank, oidc: str) -> None:
    """They come back to the page that they wanted; their actions name issuer and subject."""
    lead = await bank.http.get("/console/audit", headers=BROWSER)
    asked = await page(bank.http, lead.headers["Location"])
    assert asked.links[f"Log in at {oidc}"] == "/console/log-in/provider?to=/console/audit"
    before = bank.http.cookies["headwater_console"]

    welcomed = await bank.http.get(await answered(bank), headers=BROWSER)

    assert (welcomed.status_code, welcomed.headers["Location"]) == (303, "/console/audit")
    cookie = next(one for one in welcomed.headers.get_list("Set-Cookie") if "_console=" in one)
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()
    assert bank.http.cookies["headwater_console"] != before
    shown = await page(bank.http, "/console/audit")
    assert "olga" in shown.text

    copy = dict(bank.http.cookies)
    left = await send(bank.http, shown.form("/console/log-out"), {})
    assert f"{oidc}/session/end" in left.text
    bank.http.cookies.update(copy)
    assert (await bank.http.get("/console/audit", headers=BROWSER)).status_code == 303


async def test_an_answer_counts_once(bank: Bank) -> None:
    """Neither this browser nor another can use it again, even with all cookies of the first."""
    begun = await bank.http.get(START, headers=BROWSER)
    cookies = dict(bank.http.cookies)
    address = await at_provider(begun.headers["Location"], "operator.olga")
    assert (await bank.http.get(address)).status_code == 303

    assert "no log-in is under way" in (await page(bank.http, address, 401)).text
    bank.http.cookies.update(cookies)
    assert "has been used" in (await page(bank.http, address, 401)).text


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (r"state=[^&]*", "state=another", "not the answer to the log-in"),
        (r"iss=[^&]*", "iss=https%3A%2F%2Fevil.example", "another identity provider"),
        (r"&iss=[^&]*", "", "another identity provider"),
        (r"code=[^&]*", "code=made-up", "the code has been used"),
        (r"code=", "code=a&code=", "twice"),
    ],
)
async def test_an_answer_that_was_changed_logs_nobody_in(
    bank: Bank, old: str, new: str, why: str
) -> None:
    """401 with the reason; the page that follows asks to log in again."""
    address = re.sub(old, new, await answered(bank), count=1)

    assert why in (await page(bank.http, address, 401)).text
    assert (await bank.http.get("/console/audit", headers=BROWSER)).status_code == 303


async def test_an_answer_of_another_browser_logs_nobody_in(bank: Bank) -> None:
    """Nobody can log another person in as themselves."""
    address = await answered(bank)
    bank.http.cookies.clear()

    assert "no log-in is under way in this browser" in (await page(bank.http, address, 401)).text


async def test_a_code_of_another_log_in_is_refused_by_the_provider(bank: Bank) -> None:
    """Its verifier is another one."""
    stolen = re.search(r"code=[^&]*", await answered(bank, "operator.oscar"))
    assert stolen
    address = re.sub(r"code=[^&]*", stolen[0], await answered(bank))

    assert "the code has been used, or has expired" in (await page(bank.http, address, 401)).text


async def test_a_log_in_that_is_broken_off_is_explained(bank: Bank) -> None:
    """The error of the provider is a page of the console."""
    shown = await page(bank.http, await answered(bank, None), 401)

    assert "you have broken it off" in shown.text


async def test_a_person_without_a_role_is_known_and_refused(bank: Bank) -> None:
    """403 with their name, and no session."""
    shown = await page(bank.http, await answered(bank, "customer.carl"), 403)

    assert "carl has neither the role operator nor auditor" in shown.text
    assert (await bank.http.get("/console", headers=BROWSER)).status_code == 303


async def test_a_log_in_leads_to_no_other_site(bank: Bank) -> None:
    """The page to go on with is one of the console's."""
    for to in ("https://evil.example", "//evil.example/console/", "/consoles", "/\\evil.example"):
        begun = await bank.http.get("/console/log-in/provider", params={"to": to})
        address = await at_provider(begun.headers["Location"], "operator.olga")
        assert (await bank.http.get(address)).headers["Location"] == "/console"


async def test_all_processes_know_a_session_that_has_a_key(bank: Bank, oidc: str) -> None:
    """A process that was started later, too; one with another key does not."""
    await bank.http.get(await answered(bank))
    cookies = dict(bank.http.cookies)
    for key, status in ((KEY, 200), ("another-key-than-that", 303)):
        settings = of_provider(oidc, console_session_key=key)
        async with bank_over(empty_bank(**settings)) as other:
            other.http.cookies.update(cookies)
            assert (await other.http.get("/console/audit")).status_code == status


async def test_tokens_log_nobody_in_where_people_log_in_at_a_provider(oidc: str) -> None:
    """Even a good one: 400."""
    settings = of_provider(oidc, api_token="a-token-of-sixteen")
    async with bank_over(empty_bank(**settings)) as bank:
        shown = await page(bank.http, "/console/log-in")
        assert "/console/log-in" not in [form.action for form in shown.forms]
        body = bank.http.cookies["headwater_console"].partition(".")[0]
        session = Session(**json.loads(base64.urlsafe_b64decode(body)))
        form = Form("/console/log-in", {"form_token": session.form_token})
        answer = await send(bank.http, form, {"name": "ann", "token": "a-token-of-sixteen"})
    assert answer.status_code == 400
    assert "nothing here to log in to with a token" in answer.text


async def test_without_the_provider_nobody_logs_in() -> None:
    """503 as a page, for who begins; pages of sessions go on."""
    settings = of_provider("http://127.0.0.1:1")
    async with bank_over(empty_bank(**settings)) as bank:
        assert "does not answer" in (await page(bank.http, START, 503)).text
