"""What all pages have in common: where they are, their headers, their sessions, their errors."""

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pytest
from fastapi import Request, Response

from infrastructure.console import Section
from infrastructure.console.section import InvalidSections
from infrastructure.console.sessions import IDLE, LASTS, Session, Sessions
from infrastructure.console.site import SECTIONS
from infrastructure.container import in_memory
from tests.console.page import BROWSER, page, send
from tests.sample.client import Bank, bank_over, empty_bank
from tests.sample.program import BANK

TOKEN = "a-token-of-sixteen"
ANN = {"name": "ann", "token": TOKEN}


@dataclass
class Cookies:
    """A browser that has been to one address, and keeps one cookie."""

    address: str = "http://localhost"
    text: str = ""

    def request(self) -> Request:
        host = urlsplit(self.address).netloc
        headers = {"host": host, "cookie": self.text.partition(";")[0]}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        scheme = urlsplit(self.address).scheme
        scope = {"type": "http", "scheme": scheme, "path": "/console", "headers": raw}
        return Request({**scope, "query_string": b"", "server": (host, 80)})

    def kept(self, sessions: Sessions, session: Session) -> Session:
        response = Response()
        sessions.keep(session, self.request(), response)
        self.text = response.headers["Set-Cookie"]
        return session

    def read(self, sessions: Sessions) -> Session | None:
        return sessions.of(self.request())


PAGES = [section.url for section in SECTIONS]


async def test_a_browser_is_led_to_the_console_and_other_clients_are_not(bank: Bank) -> None:
    """``/`` is the console for who takes HTML, and a problem as before for all others."""
    led = await bank.http.get("/", headers={"Accept": "text/html,*/*;q=0.8"})
    answered = await bank.http.get("/")

    assert (led.status_code, led.headers["Location"]) == (303, "/console")
    assert answered.status_code == 404
    assert answered.json()["detail"] == "there is nothing at /; /docs lists all paths"


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_loads_nothing_from_elsewhere_and_holds_no_script(
    bank: Bank, path: str
) -> None:
    """Its policy lets its own files in alone, and it has no script, style or handler within."""
    answer = await bank.http.get(path, headers=BROWSER)

    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<style|\sstyle=|\son\w+=|https?://|<script(?! src)", answer.text)


async def test_the_files_of_a_page_may_be_kept_for_ever(bank: Bank) -> None:
    """Their addresses change with their content."""
    html = (await bank.http.get("/console", headers=BROWSER)).text

    for kind, found in (("css", r'href="([^"]+css)"'), ("javascript", r'src="([^"]+js)"')):
        address = re.search(found, html)
        assert address
        answer = await bank.http.get(address[1])
        assert answer.status_code == 200
        assert kind in answer.headers["Content-Type"]
        assert "immutable" in answer.headers["Cache-Control"]


async def test_an_error_is_a_page(bank: Bank) -> None:
    """What is not there is 404, what cannot be understood 400: each says what is wrong."""
    assert "/console/nothing" in (await page(bank.http, "/console/nothing", 404)).text
    assert "there is no such parameter" in (await page(bank.http, "/console?colour=red", 400)).text


async def test_without_the_setting_there_is_no_console() -> None:
    """``console`` off: its paths are unknown, and need the token as all others do."""
    async with bank_over(empty_bank(console=False, api_token=TOKEN)) as bank:
        assert (await bank.http.get("/console", headers=BROWSER)).status_code == 401
        token = {"Authorization": f"Bearer {TOKEN}"}
        assert (await bank.http.get("/console", headers=token)).status_code == 404


async def test_a_token_is_needed_to_see_a_page() -> None:
    """Where the API needs a token, a page leads to the log-in, and from there back to the page."""
    async with bank_over(empty_bank(api_token=TOKEN)) as bank:
        answer = await bank.http.get("/console/read-models", headers=BROWSER)
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/console/log-in?to=%2Fconsole%2Fread-models"

        form = (await page(bank.http, answer.headers["Location"])).form("/console/log-in")
        refused = await send(bank.http, form, {"name": "ann", "token": "another-token-here"})
        assert refused.status_code == 401
        assert "Set-Cookie" in refused.headers

        accepted = await send(bank.http, form, ANN)
        assert (accepted.status_code, accepted.headers["Location"]) == (303, "/console/read-models")
        cookie = accepted.headers["Set-Cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "ann" in (await page(bank.http, "/console/read-models")).text


async def test_logging_in_leads_to_no_other_site() -> None:
    """The address to go on with is one of the console's."""
    async with bank_over(empty_bank(api_token=TOKEN)) as bank:
        log_in = await page(bank.http, "/console/log-in?to=https://evil.example/console/")
        answer = await send(bank.http, log_in.form("/console/log-in"), ANN)

    assert answer.headers["Location"] == "/console"


async def test_a_forged_session_is_none() -> None:
    """A cookie counts only as the service signed it, and only for the token it was made with."""
    async with bank_over(empty_bank(api_token=TOKEN)) as bank:
        form = (await page(bank.http, "/console/log-in")).form("/console/log-in")
        await send(bank.http, form, ANN)
        (name, value), *_ = bank.http.cookies.items()
    async with bank_over(empty_bank(api_token=TOKEN)) as bank:
        for cookie, status in [(value, 200), (value[:-1] + "!", 303), ("e30.00", 303), ("", 303)]:
            headers = {**BROWSER, "Cookie": f"{name}={cookie}"}
            assert (await bank.http.get("/console", headers=headers)).status_code == status
    async with bank_over(empty_bank(api_token=f"{TOKEN}-changed")) as bank:
        headers = {**BROWSER, "Cookie": f"{name}={value}"}
        assert (await bank.http.get("/console", headers=headers)).status_code == 303


async def test_logging_out_ends_the_session() -> None:
    """The browser forgets its cookie."""
    async with bank_over(empty_bank(api_token=TOKEN)) as bank:
        form = (await page(bank.http, "/console/log-in")).form("/console/log-in")
        await send(bank.http, form, ANN)
        out = (await page(bank.http, "/console")).form("/console/log-out")
        assert (await send(bank.http, out, {})).status_code == 303
        assert (await bank.http.get("/console", headers=BROWSER)).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:81"}],
)
async def test_a_form_of_another_site_does_nothing(headers: dict[str, str]) -> None:
    """400, although the browser has sent the cookie."""
    async with bank_over(empty_bank(api_token=TOKEN)) as bank:
        form = (await page(bank.http, "/console/log-in")).form("/console/log-in")
        answer = await send(bank.http, form, ANN, headers)

    assert answer.status_code == 400
    assert "nothing was done" in answer.text


async def test_a_form_without_its_token_does_nothing() -> None:
    """400: it is of another session, or of none."""
    async with bank_over(empty_bank(api_token=TOKEN)) as bank:
        form = (await page(bank.http, "/console/log-in")).form("/console/log-in")
        answer = await send(bank.http, form, {**ANN, "form_token": "0"})

    assert answer.status_code == 400


async def test_a_session_ends_some_time_after_its_log_in_or_its_last_page() -> None:
    """Each page that is seen moves the one end, and none moves the other."""
    now, settings = 1_000_000.0, empty_bank(api_token=TOKEN).settings()
    sessions = Sessions(settings, lambda: now)
    cookie = Cookies()
    session = replace(Session.new("ann"), until=now + LASTS)
    while now < 1_000_000 + LASTS:
        session = cookie.kept(sessions, session)
        now += IDLE - 1
        assert (cookie.read(sessions) is not None) is (now < 1_000_000 + LASTS)
    session = cookie.kept(sessions, replace(session, until=now + LASTS))
    assert cookie.read(sessions)
    now += IDLE + 1
    assert cookie.read(sessions) is None


async def test_a_session_that_has_ended_is_none_for_a_copy_of_its_cookie() -> None:
    """The process in which it ended remembers that."""
    sessions, cookie = Sessions(empty_bank(api_token=TOKEN).settings()), Cookies()
    cookie.kept(sessions, Session.new("ann"))
    sessions.end(cookie.read(sessions), cookie.request(), Response())

    assert cookie.read(sessions) is None


@pytest.mark.parametrize(
    ("address", "origin", "secure"),
    [
        ("http://127.0.0.1:8000", None, False),
        ("http://localhost", None, False),
        ("http://localhost", "https://orders.example.org", True),
        ("https://orders.example.org", None, True),
        ("http://orders.example.org", None, True),
    ],
)
async def test_off_the_loopback_the_cookie_is_for_https_alone(
    address: str, origin: str | None, secure: bool
) -> None:
    """Then no other host of the domain can set it, either: ``__Host-``, for all paths."""
    settings = empty_bank(api_token=TOKEN, console_origin=origin).settings()
    sessions, cookie = Sessions(settings), Cookies(address)
    cookie.kept(sessions, Session.new("ann"))

    assert cookie.text.startswith("__Host-") is secure
    assert ("Secure" in cookie.text) is secure
    assert ("Path=/;" in cookie.text) is secure
    assert cookie.read(sessions)


async def test_a_service_adds_its_pages() -> None:
    """They stand in the navigation after the first page, in the order given."""
    own = Section("Accounts", "/accounts", "b")
    program = replace(BANK, pages=lambda: [own])
    async with bank_over(in_memory(program, BANK.settings())) as bank:
        links = list((await page(bank.http, "/console")).links.items())

    assert links[2:5] == [
        ("Overview", "/console"),
        ("Accounts", "/console/accounts"),
        ("Read models", "/console/read-models"),
    ]


async def test_two_sections_of_one_path_are_refused() -> None:
    """The message names both."""
    program = replace(BANK, pages=lambda: [Section("Mine", "/read-models", "m")])

    with pytest.raises(InvalidSections, match=r"Mine and Read models have one path"):
        async with bank_over(in_memory(program, BANK.settings())):
            pass
