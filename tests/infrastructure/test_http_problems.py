"""Every error is a problem that says what was wrong and what would be right."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from dependency_injector import providers
from structlog.contextvars import merge_contextvars
from structlog.processors import format_exc_info
from structlog.testing import capture_logs

from application.messages import RecordedEvent
from application.ports import Appended, StoreUnavailable, WrongExpectedVersion
from tests.sample.client import TRANSFER, Bank, bank_over, empty_bank

JSON = {"Content-Type": "application/json"}


def problem(answer: Any, status: int) -> Any:
    """The problem in this answer, after a look at its form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert {"type", "title", "status", "detail"} <= set(told)
    assert told["status"] == status
    return told


async def test_a_refusal_is_told_as_it_stands_in_the_domain(bank: Bank) -> None:
    """409: the type is the name of the refusal, the title its meaning, the detail the case."""
    transfer = await bank.requested()
    await bank.post(f"{transfer}/cancellation", {"reason": "too late"})
    answer = await bank.post(f"{transfer}/completion")

    told = problem(answer, 409)
    assert told["type"] == "urn:headwater:problem:already-cancelled"
    assert told["title"] == "The transfer has been cancelled."
    assert told["detail"]


@pytest.mark.parametrize("path", ["/transfers/t-1", "/transfers/t-1/history", "/accounts/a-1"])
async def test_what_is_not_known_is_not_found(bank: Bank, path: str) -> None:
    """404, and the detail names what was looked for."""
    assert path.split("/")[2] in problem(await bank.get(path), 404)["detail"]


async def test_a_command_for_an_unknown_order_is_not_found(bank: Bank) -> None:
    """404 for a command as for a question."""
    answer = await bank.post("/transfers/t-1/cancellation", {"reason": "too late"})

    assert problem(answer, 404)["type"] == "urn:headwater:problem:unknown-transfer"


async def test_an_unknown_path_and_method_are_problems_too(bank: Bank) -> None:
    """404 and 405 say what there is instead."""
    assert "/docs" in problem(await bank.get("/transfer"), 404)["detail"]
    answer = await bank.http.delete("/transfers")
    assert "GET, HEAD, POST" in problem(answer, 405)["detail"]
    assert answer.headers["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    ("changed", "field", "right"),
    [
        ({"amount": 0}, "amount", "greater than 0"),
        ({"amount": 1.0}, "amount", "integer"),
        ({"amount": "6"}, "amount", "integer"),
        ({"fee": 2.55}, "fee", "'2.55 GBP'"),
        ({"fee": "2.55"}, "fee", "'2.55 GBP'"),
        ({"fee": "NaN GBP"}, "fee", "'2.55 GBP'"),
        ({"source": " "}, "source", "pattern"),
        ({"notes": ["rent", "\0"]}, "notes[1]", "pattern"),
        ({"notes": ["x"] * 2001}, "notes", "at most 2000"),
        ({"colour": "red"}, "colour", "not permitted"),
    ],
)
async def test_a_bad_field_is_named_with_what_would_be_right(
    bank: Bank, changed: dict[str, Any], field: str, right: str
) -> None:
    """422, field by field, and nothing is written."""
    told = problem(await bank.post("/transfers", {**TRANSFER, **changed}), 422)

    assert [error["field"] for error in told["errors"]] == [field]
    assert right in told["errors"][0]["problem"]
    assert (await bank.get("/transfers")).json()["transfers"] == []


async def test_all_bad_fields_are_named_at_once(bank: Bank) -> None:
    """Nobody has to find the faults of a request one after the other."""
    told = problem(await bank.get("/transfers?limit=0&status=lost"), 422)

    assert {error["field"] for error in told["errors"]} == {"query.limit", "query.status"}


async def test_a_body_full_of_faults_holds_nobody_up(bank: Bank) -> None:
    """Of many faults the first hundred are told; an object of very many fields is one fault."""
    many = {"notes": [1] * 1200}
    told = problem(await bank.post("/transfers", many), 422)
    assert len(told["errors"]) == 100
    assert "1,203 field(s)" in told["detail"]

    told = problem(await bank.post("/transfers", {f"k{n}": 1 for n in range(80_000)}), 422)
    assert told["errors"] == [{"field": "body", "problem": "an object has 50 fields at most"}]


async def test_a_body_that_is_no_json_is_told_where_it_breaks(bank: Bank) -> None:
    """400 with the place; 415 when it does not even say that it is JSON."""
    broken = await bank.http.post("/transfers", content='{"notes": [', headers=JSON)
    assert "character 11" in problem(broken, 400)["detail"]

    plain = await bank.http.post("/transfers", content="{}", headers={"Content-Type": "text/plain"})
    assert "Content-Type: application/json" in problem(plain, 415)["detail"]


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_may_not_be_endless(bank: Bank, announced: bool) -> None:
    """413 above the limit, whether or not the length was announced."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 64 * 1024

    content = b" " * 20 * 64 * 1024 if announced else chunks()
    answer = await bank.http.post("/transfers", content=content, headers=JSON)

    assert "1,048,576 bytes" in problem(answer, 413)["detail"]


async def test_a_correlation_id_that_is_none_is_refused(bank: Bank) -> None:
    """400 for what could not be searched for; without one, the service makes one."""
    problem(await bank.get("/health/live", {"X-Correlation-ID": "a b"}), 400)
    assert (await bank.get("/health/live")).headers["X-Correlation-ID"]


class Broken:
    """An event store that fails in one way."""

    _empty: Sequence[RecordedEvent] = ()

    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    async def append(self, *_: Any) -> Appended:
        raise self._failure

    async def read(self, *_: Any, **__: Any) -> AsyncIterator[RecordedEvent]:
        if not isinstance(self._failure, WrongExpectedVersion):
            raise self._failure
        for recorded in self._empty:
            yield recorded


@pytest.mark.parametrize(
    ("failure", "type"),
    [
        (StoreUnavailable("the store does not answer"), "store-unavailable"),
        (WrongExpectedVersion("transfer-t-1", -1, 0), "too-much-contention"),
    ],
)
async def test_what_may_work_later_says_so(failure: Exception, type: str) -> None:
    """503 with ``Retry-After`` when the store is gone, or too many write at once."""
    container = empty_bank()
    container.streams.override(providers.Object(Broken(failure)))
    async with bank_over(container) as bank:
        answer = await bank.post("/transfers", TRANSFER)

    assert problem(answer, 503)["type"] == f"urn:headwater:problem:{type}"
    assert answer.headers["Retry-After"] == "1"


async def test_without_a_payload_store_large_transfers_are_refused() -> None:
    """413 with size and limit, and what would help."""
    container = empty_bank()
    container.payloads.override(providers.Object(None))
    async with bank_over(container) as bank:
        told = problem(await bank.post("/transfers", {**TRANSFER, "notes": ["x" * 200] * 100}), 413)

    assert "the limit is 10,000" in told["detail"]


async def test_a_fault_of_ours_gives_nothing_away() -> None:
    """500 without the reason; the log has it, under the correlation id in the answer."""
    container = empty_bank()
    container.streams.override(providers.Object(Broken(RuntimeError("a secret"))))
    with capture_logs(processors=[merge_contextvars, format_exc_info]) as logged:
        async with bank_over(container) as bank:
            answer = await bank.post("/transfers", TRANSFER, {"X-Correlation-ID": "story-2"})

    assert "story-2" in problem(answer, 500)["detail"]
    assert "secret" not in answer.text
    fault = next(line for line in logged if line["log_level"] == "error")
    assert fault["correlation_id"] == "story-2"
    assert "RuntimeError: a secret" in fault["exception"]
