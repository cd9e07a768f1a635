"""Faults between a client and DynamoDB: what the doubles never show of themselves.

The layer replaces the HTTP session of the client. Each call goes through ``Faults.next``, which may
answer in the server's place, change what is asked or answered, or lose either. It also records
every call, with its action and what it costs.

It changes requests after they were signed, so it works on servers that check no signature.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiobotocore.awsrequest import AioAWSResponse
from aiobotocore.httpsession import AIOHTTPSession
from botocore.exceptions import ReadTimeoutError

Document = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One request: ``PutItem``, ``Query``, … and its document."""

    operation: str
    asked: Document


@dataclass(frozen=True)
class Answer:
    """What the server says."""

    status: int
    document: Document


Send = Callable[[Document], Awaitable[Answer]]
Fault = Callable[[Call, Send], Awaitable[Answer]]
"""Answers a call; ``send`` sends a document to the server, with the same operation."""


class Lost(Exception):
    """No answer comes: the client sees a time-out."""


async def passes(call: Call, send: Send) -> Answer:
    """No fault."""
    return await send(call.asked)


async def request_lost(call: Call, send: Send) -> Answer:  # noqa: ARG001 - it is not sent
    """The server never gets it."""
    raise Lost


async def answer_lost(call: Call, send: Send) -> Answer:
    """The server does it, but the client does not learn that."""
    await send(call.asked)
    raise Lost


async def throttled(call: Call, send: Send) -> Answer:  # noqa: ARG001 - it is not sent
    """Too many requests: nothing is done."""
    if call.operation == "TransactWriteItems":
        return cancelled(call, "ThrottlingError")
    return refused("ProvisionedThroughputExceededException")


async def in_conflict(call: Call, send: Send) -> Answer:
    """Another transaction holds one of the items: nothing is done."""
    if call.operation == "TransactWriteItems":
        return cancelled(call, "TransactionConflict")
    if call.operation in ("PutItem", "UpdateItem", "DeleteItem"):
        return refused("TransactionConflictException")
    return await send(call.asked)


async def server_error(call: Call, send: Send) -> Answer:  # noqa: ARG001 - it is not sent
    """The server fails before it does anything."""
    return refused("InternalServerError", 500)


async def short_page(call: Call, send: Send) -> Answer:
    """A page is cut after one item, as at 1 MB; of many keys, only some are processed."""
    if call.operation in ("Query", "Scan"):
        return await send({**call.asked, "Limit": 1})
    if call.operation != "BatchGetItem":
        return await send(call.asked)
    first, rest = _halves(call.asked["RequestItems"])
    answer = await send({**call.asked, "RequestItems": first})
    left = {**answer.document.get("UnprocessedKeys", {}), **rest}
    return Answer(answer.status, {**answer.document, "UnprocessedKeys": left})


ALL: Final[Sequence[Fault]] = (
    passes,
    answer_lost,
    request_lost,
    throttled,
    in_conflict,
    server_error,
    short_page,
)
"""Those that any call may meet."""


def in_turn(chosen: Sequence[Fault]) -> Fault:
    """One for each call; then all pass."""
    left = list(chosen)

    async def fault(call: Call, send: Send) -> Answer:
        return await (left.pop() if left else passes)(call, send)

    return fault


def stale(hidden: Callable[[str, Mapping[str, Any]], bool]) -> Fault:
    """An index that lags behind its table: items for which ``hidden(table, item)`` holds are not
    found in it yet. Without an index in the question, and in consistent reads, nothing changes."""

    async def fault(call: Call, send: Send) -> Answer:
        answer = await send(call.asked)
        if call.operation not in ("Query", "Scan") or "IndexName" not in call.asked:
            return answer
        table, items = call.asked["TableName"], answer.document.get("Items", [])
        shown = [item for item in items if not hidden(table, item)]
        return Answer(answer.status, {**answer.document, "Items": shown, "Count": len(shown)})

    return fault


class SentLate:
    """The client sees a time-out; the server gets the request when the test says so."""

    def __init__(self) -> None:
        self._sending: list[Callable[[], Awaitable[Answer]]] = []

    async def __call__(self, call: Call, send: Send) -> Answer:
        self._sending.append(lambda: send(call.asked))
        raise Lost

    async def arrive(self) -> Sequence[Answer]:
        """What was on its way arrives now."""
        sending, self._sending = self._sending, []
        return [await one() for one in sending]


def refused(code: str, status: int = 400) -> Answer:
    """An error of the server."""
    name = f"com.amazonaws.dynamodb.v20120810#{code}"
    return Answer(status, {"__type": name, "message": f"injected: {code}"})


def cancelled(call: Call, code: str, at: int = 0) -> Answer:
    """A transaction that was not made, because of the item with that number."""
    count = len(call.asked["TransactItems"])
    reasons = [{"Code": code if number == at else "None"} for number in range(count)]
    answer = refused("TransactionCanceledException")
    return Answer(answer.status, {**answer.document, "CancellationReasons": reasons})


@dataclass
class Faults:
    """A client's HTTP session with faults: ``connect(http=faults.session)``."""

    next: Fault = passes
    """What happens to each call from now on."""
    calls: list[Call] = field(default_factory=list)
    """Every call so far."""
    at_once: bool = True
    """Whether a lost answer is reported at once, and not after the client's patience."""

    def only(self, fault: Fault, *operations: str, times: int | None = None) -> None:
        """The fault meets these operations (none: all), as many times; other calls pass."""
        left = times

        async def chosen(call: Call, send: Send) -> Answer:
            nonlocal left
            if (operations and call.operation not in operations) or left == 0:
                return await send(call.asked)
            left = None if left is None else left - 1
            return await fault(call, send)

        self.next = chosen

    @property
    def session(self) -> type[AIOHTTPSession]:
        """The class for ``connect``."""
        faults = self

        class Session(AIOHTTPSession):
            async def send(self, request: Any) -> Any:
                operation = request.headers["X-Amz-Target"]
                if isinstance(operation, bytes):
                    operation = operation.decode()
                call = Call(operation.partition(".")[2], json.loads(request.body))
                faults.calls.append(call)

                async def send(document: Document) -> Answer:
                    if document != call.asked:
                        request.body = json.dumps(document).encode()
                        request.headers["Content-Length"] = str(len(request.body))
                    response: Any = await super(Session, self).send(request)
                    content = await response.content
                    return Answer(response.status_code, json.loads(content or "{}"))

                try:
                    answer = await faults.next(call, send)
                except Lost:
                    await asyncio.sleep(0 if faults.at_once else 3600)
                    raise ReadTimeoutError(endpoint_url=request.url) from None
                return _response(request.url, answer)

        return Session


@dataclass(frozen=True)
class _Body:
    """A body that has been read."""

    content: bytes

    async def read(self) -> bytes:
        return self.content


def _response(url: str, answer: Answer) -> AioAWSResponse:
    headers: Any = {"content-type": "application/x-amz-json-1.0"}
    body = _Body(json.dumps(answer.document).encode())
    return AioAWSResponse(url, answer.status, headers, body)


def _halves(asked: Mapping[str, Any]) -> tuple[Document, Document]:
    """Of the keys of each table, one half and the other; the last ones where there is only one."""
    first: Document = {}
    rest: Document = {}
    for table, wanted in asked.items():
        keys = wanted["Keys"]
        middle = max(1, len(keys) // 2)
        first[table] = {**wanted, "Keys": keys[:middle]}
        if keys[middle:]:
            rest[table] = {**wanted, "Keys": keys[middle:]}
    return first, rest
