"""What comes in over HTTP is understood whole, or refused in words: laws for every route.

A module of tests imports all of it, says by ``pytest_generate_tests = of(…)`` of which program, and
has the fixtures ``client`` and ``client_on_servers``.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from infrastructure.program import Program
from tests.client import Client
from tests.infrastructure.described import NASTY, WORST, Operation, operations
from tests.infrastructure.test_http_problems import JSON, problem

__all__ = [
    "test_a_parameter_stands_in_a_query_once",
    "test_an_unknown_parameter_is_refused_by_every_route",
    "test_head_is_answered_as_get_is",
    "test_no_body_is_a_fault_of_the_service",
    "test_no_text_in_a_path_a_query_or_a_header_is_a_fault_of_the_service",
    "test_no_text_is_a_fault_of_a_database",
]


def of(program: Program[Any], ids: Mapping[str, str]) -> Callable[[pytest.Metafunc], None]:
    """Runs each law on every route of the program; ``ids`` may stand in its paths."""
    each = operations(program, ids)
    which = {
        "operation": each,
        "posted": [operation for operation in each if operation.body is not None],
        "queried": [operation for operation in each if operation.query],
    }

    def generate(metafunc: pytest.Metafunc) -> None:
        for name, found in which.items():
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, found, ids=str)
        if "operations" in metafunc.fixturenames:
            metafunc.parametrize("operations", [each], ids=[program.service.name])

    return generate


def understood(answer: Any, sent: object) -> None:
    """It was carried out, or refused as a problem; never a fault."""
    assert answer.status_code < 500 or answer.status_code == 503, (sent, answer.text)
    if answer.status_code >= 400:
        problem(answer, answer.status_code)


async def test_no_text_in_a_path_a_query_or_a_header_is_a_fault_of_the_service(
    client: Client, operation: Operation
) -> None:
    """Every parameter of every route, with NUL, half characters, huge numbers and the like."""
    body = json.dumps(operation.body)
    for url in operation.urls():
        answer = await client.http.request(operation.method, url, content=body, headers=JSON)
        understood(answer, url)
    for header in (*operation.headers, "content-type", "x-correlation-id", "authorization"):
        for nasty in (text.encode(errors="surrogatepass") for text in NASTY):
            if {0, 10, 13} & set(nasty):
                continue  # the server takes none of these
            headers = {b"Content-Type": b"application/json", header.encode(): nasty}
            answer = await client.http.request(
                operation.method, operation.fit, content=body, headers=headers
            )
            understood(answer, headers)


async def test_no_text_is_a_fault_of_a_database(
    client_on_servers: Client, operations: Sequence[Operation]
) -> None:
    """What a route lets in, every store takes."""
    assert (await client_on_servers.get("/health/ready")).is_success
    for operation in operations:
        for url in operation.urls(WORST):
            answer = await client_on_servers.http.request(
                operation.method, url, json=operation.body
            )
            understood(answer, url)


async def test_no_body_is_a_fault_of_the_service(client: Client, posted: Operation) -> None:
    """Every field of every body, with everything that JSON can say, and some that it cannot."""
    for body in posted.bodies():
        sent = json.dumps(body)
        answer = await client.http.post(posted.fit, content=sent, headers=JSON)
        understood(answer, sent[:200])
    for raw in (b"\xff", b'{"a": "\xff"}', b"[" * 100_000, b"1" * 10_000, b"\0", b"", b"nul"):
        understood(await client.http.post(posted.fit, content=raw, headers=JSON), raw[:20])


async def test_an_unknown_parameter_is_refused_by_every_route(
    client: Client, operation: Operation
) -> None:
    """Nobody takes an answer that is half of what was asked for."""
    url = f"{operation.fit}?unheard_of=1"
    told = problem(await client.http.request(operation.method, url, json=operation.body), 422)

    assert [error["field"] for error in told["errors"]] == ["query.unheard_of"]


async def test_a_parameter_stands_in_a_query_once(client: Client, queried: Operation) -> None:
    """Which of two is meant, nobody guesses; what is known is named for who misspelt it."""
    name = queried.query[0]
    told = problem(await client.http.get(f"{queried.fit}?{name}=1&{name}=2"), 422)
    assert told["errors"] == [
        {"field": f"query.{name}", "problem": "it stands there 2 times: send it once"}
    ]
    told = problem(await client.http.get(f"{queried.fit}?{name}x=1"), 422)
    assert name in told["errors"][0]["problem"]


async def test_head_is_answered_as_get_is(client: Client, operation: Operation) -> None:
    """The same status and headers, no body; where there is no GET, 405."""
    assert (await client.get("/health/live")).is_success  # all have begun
    answer = await client.http.head(operation.fit)
    assert answer.content == b""
    if operation.method != "GET":
        return
    got = await client.http.get(operation.fit)
    assert answer.status_code == got.status_code
    assert answer.headers["Content-Type"] == got.headers["Content-Type"]
    assert "HEAD" in (await client.http.delete(operation.fit)).headers["Allow"]
