"""Requests that are made to harm: hosts, headers, log lines, paths, bodies, patterns."""

import io
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import structlog
from fastapi import APIRouter

from application.access import Unruled
from infrastructure import telemetry
from infrastructure.container import in_memory
from infrastructure.http.app import create_app
from tests.callers import named, with_named_callers
from tests.sample.client import Bank, bank_over, empty_bank
from tests.sample.program import BANK

MALICE: Final = "\x1b[31mred\x1b]0;title\x07\u202e\r\nINFO forged line"
"""Acts on a terminal, and forges a line of a log."""
ENCODED: Final = "%1b%5b31mred%0d%0aINFO%20forged%20line%e2%80%ae"
DEEP: Final = 200_000


@pytest.fixture
async def bank() -> AsyncIterator[Bank]:
    """A bank in memory, whose read models follow."""
    async with bank_over(empty_bank(trusted_hosts="bank.example")) as bank:
        yield bank


def test_a_route_without_a_rule_ends_the_start() -> None:
    """Nothing is open because somebody forgot to close it."""
    router = APIRouter()
    router.add_api_route("/open", lambda: "to everybody")
    program = replace(BANK, routes=lambda: [*BANK.routes(), router])
    with pytest.raises(Unruled, match="/open"):
        create_app(in_memory(program, BANK.settings()))


def test_what_is_no_route_ends_the_start() -> None:
    """A rule stands at a route: a router in a router, or a mounted application, would have none."""
    within, around = APIRouter(), APIRouter()
    within.add_api_route("/open", lambda: "to everybody")
    around.include_router(within)
    program = replace(BANK, routes=lambda: [*BANK.routes(), around])
    with pytest.raises(Unruled, match="name each router"):
        create_app(in_memory(program, BANK.settings()))


async def test_a_request_is_refused_before_it_is_looked_at() -> None:
    """Who may not do it learns nothing of what a body or a query should be."""
    async with bank_over(with_named_callers(empty_bank())) as bank:
        for path, body, wrong in (
            ("/transfers", b"{no json", 400),
            ("/transfers?unknown=1", b"{}", 422),
        ):
            for role, status in (("stranger", 403), ("teller", wrong)):
                headers = {**named(role), "Content-Type": "application/json"}
                answer = await bank.http.post(path, content=body, headers=headers)
                assert answer.status_code == status, (role, path)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example#localhost",
        "localhost@evil.example",
        "evil.example?bank.example",
        "xbank.example",
        "bank.example.evil.example",
        "127.0.0.1.evil.example",
        "[::1].evil.example",
        "bank.example:80@evil.example",
    ],
)
async def test_a_host_that_only_looks_like_ours_is_refused(bank: Bank, host: str) -> None:
    """400, and nothing of it is in a header of the answer."""
    answer = await bank.http.get("/transfers", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in str(answer.headers)


async def test_a_request_has_one_host(bank: Bank) -> None:
    """Of two, a proxy may have checked the other one."""
    headers = [("Host", "localhost"), ("Host", "evil.example")]
    assert (await bank.http.get("/transfers", headers=headers)).status_code == 400


@pytest.mark.parametrize(
    "header", ["X-Forwarded-Host", "X-Host", "X-Original-URL", "X-Rewrite-URL", "Forwarded"]
)
async def test_no_other_header_changes_whose_request_it_is(bank: Bank, header: str) -> None:
    """Not the place of what was made, and not the path."""
    body = {"source": "a-1", "target": "a-2", "amount": 3}
    answer = await bank.post("/transfers", body, {header: "host=evil.example"})
    assert answer.status_code == 201
    assert not urlsplit(answer.headers["Location"]).netloc
    assert "evil" not in answer.text + str(answer.headers)


@pytest.fixture(params=["json", "terminal"])
def logged(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[io.StringIO]:
    """What the service writes to standard error, in both of its forms."""
    written = io.StringIO()
    monkeypatch.setattr(written, "isatty", lambda: request.param == "terminal")
    monkeypatch.setattr("sys.stderr", written)
    root = logging.getLogger()
    before = (root.handlers, root.level)
    telemetry.log_to_stderr("INFO")
    try:
        yield written
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers, root.level = before
        structlog.reset_defaults()


async def test_no_request_forges_a_line_of_the_log(bank: Bank, logged: io.StringIO) -> None:
    """By its path, its query, its method or any header; nothing of it acts on a terminal."""
    latin = MALICE.encode().decode("latin-1")
    for name in ("User-Agent", "X-Correlation-ID", "Referer", "Idempotency-Key", "traceparent"):
        await bank.http.get("/transfers", headers={name.encode(): latin.encode("latin-1")})
    await bank.http.get(f"/transfers/{ENCODED}?{ENCODED}={ENCODED}")
    await bank.http.request("GET\x1b[31m", "/transfers")
    await bank.requested(notes=[MALICE])
    log = structlog.stdlib.get_logger("attacked")
    log.warning("a name", name=MALICE, error=ValueError(MALICE), list=[MALICE])
    for handler in logging.getLogger().handlers:
        handler.close()  # it writes what waits
    lines = logged.getvalue().splitlines()
    assert len(lines) >= 8
    assert [line for line in lines if line.startswith("INFO forged")] == []
    acting = "\x1b[31mred", "\x07", "\u202e", "\r"
    assert [line for line in lines if any(one in line for one in acting)] == []


@pytest.mark.parametrize(
    "path", ["/transfers", "/nothing", "/openapi.json", "/metrics", "/health/live", "/docs"]
)
async def test_no_browser_guesses_what_an_answer_is(bank: Bank, path: str) -> None:
    """JSON that has a customer's HTML in it stays JSON, in errors, too."""
    answer = await bank.http.get(path)
    assert answer.headers.get_list("X-Content-Type-Options") == ["nosniff"]


async def test_no_answer_has_a_header_of_the_request_whole(bank: Bank) -> None:
    """A line break in a header would end it, and begin one of the attacker's."""
    for name in ("X-Correlation-ID", "Idempotency-Key", "If-Match", "traceparent"):
        headers = {name.encode(): b"a\r\nSet-Cookie: session=theirs"}
        answer = await bank.http.get("/transfers", headers=headers)
        assert "set-cookie" not in answer.headers
        assert all("\n" not in value for value in answer.headers.values())


@pytest.mark.parametrize(
    "path",
    [
        "/transfers/..%2f..%2fetc%2fpasswd",
        "/transfers/%2e%2e/%2e%2e/etc/passwd",
        "/console/assets/..%2f..%2f__init__.py",  # only: console
        "/console/assets/%2e%2e/console.py",  # only: console
        "/console/assets//etc/passwd",  # only: console
        "/assets/../../etc/passwd",
        "/transfers/%00",
        "/transfers/" + "x" * 60_000,
        "//evil.example/transfers",
        "/transfers;jsessionid=1",
        "/\\evil.example",
    ],
)
async def test_a_path_leads_to_no_file_and_to_no_other_host(bank: Bank, path: str) -> None:
    """It is not found, or refused; it redirects nowhere."""
    answer = await bank.http.get(f"http://localhost{path}")
    assert 400 <= answer.status_code < 500, answer.text
    assert "root:" not in answer.text
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "body",
    [
        "[" * DEEP,
        '{"a":' * DEEP,
        '{"amount":' + "[" * DEEP + "]" * DEEP + "}",
        '{"amount":' + "9" * DEEP + "}",
        '{"amount":1e' + "9" * DEEP + "}",
        "{" + ",".join(f'"k{at}":{at}' for at in range(20_000)) + "}",
    ],
    ids=["lists", "objects", "closed", "digits", "exponent", "fields"],
)
async def test_no_body_takes_long_or_breaks_anything(bank: Bank, body: str) -> None:
    """Refused within a second of processor time."""
    began = time.process_time()
    answer = await bank.http.post(
        "/transfers", content=body, headers={"Content-Type": "application/json"}
    )
    assert 400 <= answer.status_code < 500, answer.text[:200]
    assert len(answer.content) < 20_000
    assert time.process_time() - began < 1


async def test_a_packed_body_is_not_unpacked(bank: Bank) -> None:
    """A few bytes that stand for gigabytes are only these bytes here."""
    import gzip

    packed = gzip.compress(json.dumps({"amount": "0" * 10_000_000}).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await bank.http.post("/transfers", content=packed, headers=headers)
    assert 400 <= answer.status_code < 500


async def test_no_text_makes_a_pattern_run_on(bank: Bank) -> None:
    """Of each query and header that is read by a pattern, within a second of processor time."""
    began = time.process_time()
    for text in ("a" * 30_000 + "!", "." * 30_000 + "!", "1~" * 15_000, "%20" * 10_000 + "x"):
        for name in ("source", "after", "limit"):
            answer = await bank.http.get(f"/transfers?{name}={text}")
            assert answer.status_code < 500
        for header in ("If-Match", "X-Correlation-ID", "Authorization", "Accept", "traceparent"):
            sent: dict[str, Any] = {header: text}
            assert (await bank.http.get("/transfers", headers=sent)).status_code < 500
    assert time.process_time() - began < 2
