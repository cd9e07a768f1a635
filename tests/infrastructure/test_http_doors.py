"""What comes in over HTTP: whatever it is, it is understood whole, or refused in words."""

import json
from typing import Any

import pytest

from infrastructure.container import in_memory
from infrastructure.settings import InvalidSettings, Settings, load
from infrastructure.shop.program import PROGRAM
from tests.infrastructure.described import NASTY, WORST, Operation, operations
from tests.infrastructure.test_http_problems import JSON, problem
from tests.shop.infrastructure.shop import LINE, ORDER, Shop, empty_shop, shop_over

OPERATIONS = operations()
EACH = pytest.mark.parametrize("operation", OPERATIONS, ids=str)


def understood(answer: Any, sent: object) -> None:
    """It was carried out, or refused as a problem; never a fault."""
    assert answer.status_code < 500 or answer.status_code == 503, (sent, answer.text)
    if answer.status_code >= 400:
        problem(answer, answer.status_code)


@EACH
async def test_no_text_in_a_path_a_query_or_a_header_is_a_fault_of_the_service(
    shop: Shop, operation: Operation
) -> None:
    """Every parameter of every route, with NUL, half characters, huge numbers and the like."""
    body = json.dumps(operation.body)
    for url in operation.urls():
        answer = await shop.http.request(operation.method, url, content=body, headers=JSON)
        understood(answer, url)
    for header in (*operation.headers, "content-type", "x-correlation-id", "authorization"):
        for nasty in (text.encode(errors="surrogatepass") for text in NASTY):
            if {0, 10, 13} & set(nasty):
                continue  # the server takes none of these
            headers = {b"Content-Type": b"application/json", header.encode(): nasty}
            answer = await shop.http.request(
                operation.method, operation.fit, content=body, headers=headers
            )
            understood(answer, headers)


async def test_no_text_is_a_fault_of_a_database(shop_on_servers: Shop) -> None:
    """What a route lets in, every store takes."""
    assert (await shop_on_servers.get("/orders")).is_success
    for operation in OPERATIONS:
        for url in operation.urls(WORST):
            answer = await shop_on_servers.http.request(operation.method, url, json=operation.body)
            understood(answer, url)


@pytest.mark.parametrize("operation", [of for of in OPERATIONS if of.body is not None], ids=str)
async def test_no_body_is_a_fault_of_the_service(shop: Shop, operation: Operation) -> None:
    """Every field of every body, with everything that JSON can say, and some that it cannot."""
    for body in operation.bodies():
        sent = json.dumps(body)
        answer = await shop.http.post(operation.fit, content=sent, headers=JSON)
        understood(answer, sent[:200])
    for raw in (b"\xff", b'{"a": "\xff"}', b"[" * 100_000, b"1" * 10_000, b"\0", b"", b"nul"):
        understood(await shop.http.post(operation.fit, content=raw, headers=JSON), raw[:20])


@EACH
async def test_an_unknown_parameter_is_refused_by_every_route(
    shop: Shop, operation: Operation
) -> None:
    """Nobody takes an answer that is half of what was asked for."""
    url = f"{operation.fit}?unheard_of=1"
    told = problem(await shop.http.request(operation.method, url, json=operation.body), 422)

    assert [error["field"] for error in told["errors"]] == ["query.unheard_of"]


@pytest.mark.parametrize("operation", [of for of in OPERATIONS if of.query], ids=str)
async def test_a_parameter_stands_in_a_query_once(shop: Shop, operation: Operation) -> None:
    """Which of two is meant, nobody guesses; what is known is named for who misspelt it."""
    name = operation.query[0]
    told = problem(await shop.http.get(f"{operation.fit}?{name}=1&{name}=2"), 422)
    assert told["errors"] == [
        {"field": f"query.{name}", "problem": "it stands there 2 times: send it once"}
    ]
    told = problem(await shop.http.get(f"{operation.fit}?{name}x=1"), 422)
    assert name in told["errors"][0]["problem"]


@EACH
async def test_head_is_answered_as_get_is(shop: Shop, operation: Operation) -> None:
    """The same status and headers, no body; where there is no GET, 405."""
    assert (await shop.get("/health/live")).is_success  # all have begun
    answer = await shop.http.head(operation.fit)
    assert answer.content == b""
    if operation.method != "GET":
        return
    got = await shop.http.get(operation.fit)
    assert answer.status_code == got.status_code
    assert answer.headers["Content-Type"] == got.headers["Content-Type"]
    assert "HEAD" in (await shop.http.delete(operation.fit)).headers["Allow"]


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("/sales?country=%00", "query.country"),
        ("/sales?after=%00", "query.after"),
        ("/customers?after=%00", "query.after"),
        ("/products?after=1~%00", "query.after"),
        ("/products?words=%ff", "query.words"),
        ("/stock/%00", "path"),
        ("/products/%ed%a0%80", "path"),
    ],
)
async def test_what_is_no_text_is_refused_by_the_name_of_its_place(
    shop: Shop, url: str, field: str
) -> None:
    """422 for NUL and for bytes that are no UTF-8."""
    told = problem(await shop.http.get(url), 422)

    assert [error["field"] for error in told["errors"]] == [field]


@pytest.mark.parametrize("day", ["20101201", "0", "1e9", "2010-13-01", "2010-12-1", "01-12-2010"])
async def test_a_day_is_written_one_way(shop: Shop, day: str) -> None:
    """A number would be taken for seconds since 1970, and answered with other days."""
    told = problem(await shop.http.get(f"/sales?from={day}"), 422)

    assert [error["field"] for error in told["errors"]] == ["query.from"]


async def test_text_is_composed_at_the_door(shop: Shop) -> None:
    """Who writes é as e and an accent finds what was written é, and the other way round."""
    lines = [{**LINE, "sku": "CAFE\u0301", "description": "Mo\u0301veis"}]
    order = await shop.placed(country="Me\u0301xico", lines=lines)

    shown = (await shop.get(order)).json()
    assert shown["country"] == "México"
    assert shown["lines"][0]["description"] == "Móveis"
    for spelt in ("CAFE%CC%81", "CAF%C3%89"):
        assert (await shop.get(f"/products/{spelt}")).json()["sku"] == "CAFÉ"
    for spelt in ("Me%CC%81xico", "M%C3%A9xico"):
        assert len((await shop.get(f"/sales?country={spelt}")).json()["sales"]) == 1


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost.evil.example"])
async def test_a_name_that_is_not_ours_is_refused(shop: Shop, host: str) -> None:
    """400 for a page whose own name leads here, for questions and for commands."""
    for method, path in (("GET", "/orders"), ("GET", "/docs"), ("GET", "/health/live")):
        answer = await shop.http.request(method, path, headers={"Host": host})
        assert "HEADWATER_TRUSTED_HOSTS" in problem(answer, 400)["detail"]
    await shop.http.post("/orders", json=ORDER, headers={"Host": host})
    assert (await shop.get("/orders")).json()["orders"] == []


async def test_the_loopback_and_what_is_configured_are_our_names() -> None:
    """With and without port, in any case; a star stands for all names below."""
    settings = load(Settings, trusted_hosts="shop.example, *.inside.example")
    async with shop_over(in_memory(PROGRAM, settings)) as shop:
        for host in (
            *("localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]", "[::1]:80", "localhost."),
            *("shop.example", "a.inside.example:8000", "b.a.inside.example"),
        ):
            assert (await shop.http.get("/health/live", headers={"Host": host})).is_success, host
        for host in ("inside.example", "a.shop.example"):
            problem(await shop.http.get("/health/live", headers={"Host": host}), 400)


def test_a_name_is_configured_without_scheme_and_port() -> None:
    """The setting says what would be right."""
    with pytest.raises(InvalidSettings, match="HEADWATER_TRUSTED_HOSTS"):
        load(Settings, trusted_hosts="https://shop.example")
    assert empty_shop(http_host="shop.lan", api_token="x" * 16).settings().own_names == (
        "shop.lan",
    )
