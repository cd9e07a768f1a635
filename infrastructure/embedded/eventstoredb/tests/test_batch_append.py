"""BatchAppend: parts, order, refusals, deadlines; many appends over one call."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar
from uuid import uuid4

import grpc
import pytest
from esdbclient import AsyncEventStoreDBClient, StreamState
from esdbclient.exceptions import NotFound
from esdbclient.protos.Grpc import code_pb2, shared_pb2, streams_pb2, streams_pb2_grpc
from google.protobuf.message import Message

from writing import (
    NO_REVISION,
    BatchAppendReq,
    batch,
    part,
    proposed,
)

Stub = streams_pb2_grpc.StreamsStub
ONE = str(uuid4())
Detail = TypeVar("Detail", bound=Message)


def unpacked(answer: streams_pb2.BatchAppendResp, kind: type[Detail]) -> Detail:
    """The details of a refused append."""
    detail = kind()
    assert answer.error.details.Unpack(detail), answer
    return detail


async def test_parts(stub: Stub, stream: str) -> None:
    """Appends come in parts, mixed with others on the same call, and are answered when final."""
    one, two = str(uuid4()), str(uuid4())
    responses = await batch(
        stub,
        part(one, f"{stream}-a", final=False),
        part(two, f"{stream}-b"),
        part(one, final=False),
        part(one),
    )
    assert [
        (response.correlation_id.string, response.success.current_revision)
        for response in responses
    ] == [(two, 0), (one, 2)]


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (part(ONE, "order-1", seconds=0), "Timeout"),
        (part(ONE, "order-1", seconds=-5), "Timeout"),
        (part(ONE, "order-1", proposed(type="Happened")), "'content-type' is missing"),
        (part(ONE, "order-1", proposed(content_type="application/json")), "'type' is missing"),
        (part(ONE, "order-1", proposed(type="", content_type="a")), "Empty eventType"),
        (part(ONE, "order-1", proposed("no id")), "'no id' is not an event id"),
        (part(ONE, "$all"), "not the name of a stream"),
        (part(ONE, "order-1", revision=2**63), "is not a revision"),
        (part("no id", "order-1"), "'no id' is not an event id"),
    ],
)
async def test_refused(stub: Stub, request_: BatchAppendReq, text: str) -> None:
    """A batch that cannot be taken is answered with what is wrong, and the call goes on."""
    answers = await batch(stub, request_, part(stream="order-2"))
    (refused,) = [answer for answer in answers if answer.WhichOneof("result") == "error"]
    (taken,) = [answer for answer in answers if answer.WhichOneof("result") == "success"]
    assert text in refused.error.message + str(refused.error.details)
    assert refused.correlation_id == request_.correlation_id
    assert taken.stream_identifier.stream_name == b"order-2"


async def test_rest_of_refused(stub: Stub, client: AsyncEventStoreDBClient, stream: str) -> None:
    """What comes after the part for which an append was refused is dropped without an answer."""
    bad = part(ONE, stream, proposed(type=""), final=False)
    answers = await batch(stub, bad, part(ONE), part(stream=f"{stream}-b"))
    assert sorted(answer.WhichOneof("result") or "" for answer in answers) == ["error", "success"]
    with pytest.raises(NotFound):
        await client.get_stream(stream)


async def test_correlation_missing(stub: Stub) -> None:
    """A batch without a correlation id is refused."""
    request = part(stream="order-1")
    request.ClearField("correlation_id")
    (refused,) = await batch(stub, request)
    assert unpacked(refused, shared_pb2.BadRequest).message.startswith("Value cannot be null")


async def test_correlation_in_both_forms(stub: Stub, stream: str) -> None:
    """Text and two numbers name the same append, as they are the same id."""
    number = uuid4()
    first, rest = part(str(number), stream, final=False), part(str(number))
    halves = [
        int.from_bytes(half, "big", signed=True) for half in (number.bytes[:8], number.bytes[8:])
    ]
    rest.correlation_id.structured.most_significant_bits = halves[0]
    rest.correlation_id.structured.least_significant_bits = halves[1]
    (answer,) = await batch(stub, first, rest)
    assert answer.success.current_revision == 1


async def test_options_twice(stub: Stub, client: AsyncEventStoreDBClient, stream: str) -> None:
    """Of options that are sent again with a later part, the first count."""
    answers = await batch(stub, part(ONE, stream, final=False), part(ONE, f"{stream}-b"))
    assert [answer.success.current_revision for answer in answers] == [1]
    assert [event.stream_name for event in await client.get_stream(stream)] == [stream] * 2


async def test_parts_in_time(stub: Stub, stream: str) -> None:
    """An append is answered Timeout, once, if its last part does not arrive before its deadline."""
    asked = asyncio.Event()

    async def requests() -> AsyncIterator[BatchAppendReq]:
        yield part(ONE, stream, final=False, seconds=0.05)
        await asked.wait()
        yield part(ONE)
        yield part(stream=stream)

    call = stub.BatchAppend(requests())
    answers = aiter(call)
    late = await anext(answers)
    assert (late.error.code, late.error.message) == (code_pb2.DEADLINE_EXCEEDED, "Timeout")
    unpacked(late, shared_pb2.Timeout)
    asked.set()
    assert [answer.success.current_revision async for answer in answers] == [0]


async def test_revision_of_no_stream(stub: Stub, stream: str) -> None:
    """The highest revision that can be sent stands for "no stream"."""
    taken, refused = await batch(
        stub,
        part(stream=stream, revision=NO_REVISION),
        part(stream=stream, revision=NO_REVISION),
    )
    assert taken.success.current_revision == 0
    conflict = unpacked(refused, shared_pb2.WrongExpectedVersion)
    assert conflict.WhichOneof("expected_stream_position_option") == "expected_no_stream"
    assert conflict.current_stream_revision == 0


async def test_tombstoned_metadata(
    stub: Stub, client: AsyncEventStoreDBClient, stream: str
) -> None:
    """The metadata of a tombstoned stream is refused as deleted."""
    await client.tombstone_stream(stream, current_version=StreamState.ANY)
    (refused,) = await batch(stub, part(stream=f"$${stream}"))
    deleted = unpacked(refused, shared_pb2.StreamDeleted)
    assert deleted.stream_identifier.stream_name == f"$${stream}".encode()


async def test_pipelined(stub: Stub, stream: str) -> None:
    """Appends of one call keep their order, also when thousands of them are on their way."""
    count = 3_000
    answers = await batch(stub, *(part(stream=stream, revision=_at(n)) for n in range(count)))
    revisions = [answer.success.current_revision for answer in answers]
    assert revisions == list(range(count))


def _at(number: int) -> int:
    return number - 1 if number else NO_REVISION


async def test_answered_before_the_end(stub: Stub, stream: str) -> None:
    """Each append is answered while the call is open, not only when it ends."""
    more = asyncio.Event()

    async def requests() -> AsyncIterator[BatchAppendReq]:
        for _ in range(3):
            yield part(stream=stream)
            await more.wait()
            more.clear()

    call = stub.BatchAppend(requests())
    async with asyncio.timeout(10):
        async for answer in call:
            assert answer.WhichOneof("result") == "success"
            more.set()


async def test_ten_thousand_at_once(stub: Stub, stream: str) -> None:
    """Ten thousand appends of one client at once are all taken; another client is not held up."""
    flood = asyncio.create_task(
        batch(stub, *(part(stream=f"{stream}-{number % 100}") for number in range(10_000)))
    )
    while not flood.done():
        async with asyncio.timeout(5):
            (answer,) = await batch(stub, part(stream=stream))
        assert answer.WhichOneof("result") == "success"
    assert {answer.WhichOneof("result") for answer in await flood} == {"success"}


async def test_cancelled(stub: Stub, stream: str) -> None:
    """A batch has no effect if its client disconnects before the final part."""
    sent = asyncio.Event()

    async def requests() -> AsyncIterator[BatchAppendReq]:
        yield part(ONE, stream, final=False)
        sent.set()
        await asyncio.Event().wait()

    call = stub.BatchAppend(requests())
    answers = asyncio.create_task(anext(aiter(call)))
    await sent.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answers
    (first,) = await batch(stub, part(stream=stream))
    assert first.success.current_revision == 0


async def test_message_limit(stub: Stub, stream: str) -> None:
    """A message of more than 16,767,216 bytes ends the call, whatever the append limit."""
    large = part(stream=stream)
    large.proposed_messages[0].custom_metadata = bytes(17_000_000)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await batch(stub, large)
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    text = "Received message exceeds the maximum configured message size."
    assert raised.value.details() == text
