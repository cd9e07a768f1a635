"""BatchAppend: several batches in one call, in parts, by a client that closes early."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import uuid4

from esdbclient.protos.Grpc import streams_pb2

from conformance.node import Node
from conformance.normal_form import message
from conformance.requests.fields import Fields, filled, stream
from conformance.requests.streams import Expected, expected

_LABEL: Final = "label"  # not of the protocol: taken off before a request is sent


def batch(
    name: str,
    events: Sequence[Fields],
    version: Expected = "any",
    *,
    label: str = "",
    part_of: str = "",
    final: bool = True,
    **options: object,
) -> dict[str, object]:
    """A request of a BatchAppend call; ``label`` is its correlation id in the answers.

    ``part_of`` is the correlation id that several parts share; other options come as they are.
    """
    where = {"streamIdentifier": stream(name), **expected(version, "streamPosition"), **options}
    request: dict[str, object] = {
        "correlationId": {"string": part_of or str(uuid4())},
        "proposedMessages": events,
        "isFinal": final,
        "options": where,
    }
    return request | ({_LABEL: label} if label else {})


def rest(part_of: str, events: Sequence[Fields], label: str) -> dict[str, object]:
    """The last part of a batch: only the first one has options."""
    request = batch("", events, part_of=part_of, label=label)
    del request["options"]
    return request


async def batches(node: Node, *requests: Fields, answers: int | None = None) -> list[object]:
    """What one BatchAppend call is answered, in the order in which the answers come.

    Waits for as many as there are correlation ids, or for so many ``answers``.
    """
    expecting = len({_correlation(one) for one in requests}) if answers is None else answers
    labels = {_correlation(one): str(one[_LABEL]) for one in requests if _LABEL in one}
    async with node.converse(
        "streams.Streams/BatchAppend",
        streams_pb2.BatchAppendResp,
        lambda one: _labelled(one, labels),
    ) as call:
        for one in requests:
            await call.say(_batch_request(one))
        heard = await call.count(expecting)
        return heard if len(heard) >= expecting else call.answers


async def append_many(node: Node, name: str, number: int) -> None:
    """Appends so many events that mean nothing, in one batch, as fast as it goes."""
    request = _batch_request(batch(name, []))
    noise = streams_pb2.BatchAppendReq.ProposedMessage(
        metadata={"type": "Noise", "content-type": "application/octet-stream"}
    )
    for _ in range(number):
        noise.id.string = str(uuid4())
        request.proposed_messages.append(noise)
    async with node.converse(
        "streams.Streams/BatchAppend", streams_pb2.BatchAppendResp, message
    ) as call:
        await call.say(request)
        await call.count(1)


def _batch_request(request: Fields) -> streams_pb2.BatchAppendReq:
    fields = {key: value for key, value in request.items() if key != _LABEL}
    return filled(streams_pb2.BatchAppendReq(), fields)


def _correlation(request: Fields) -> str:
    correlation = request.get("correlationId")
    return str(correlation["string"]) if isinstance(correlation, Mapping) else ""


def _labelled(answer: streams_pb2.BatchAppendResp, labels: Mapping[str, str]) -> object:
    fields = message(answer)
    correlation = answer.correlation_id
    label = labels.get(correlation.string, "<id>")
    return {**fields, "correlationId": label, "idForm": correlation.WhichOneof("value")}


async def sent_and_closed(node: Node, requests: Sequence[Fields]) -> list[object]:
    """The kinds of answers to a BatchAppend call whose client sends no more, and waits."""
    async with node.converse(
        "streams.Streams/BatchAppend",
        streams_pb2.BatchAppendResp,
        lambda answer: answer.WhichOneof("result"),
    ) as call:
        for one in requests:
            await call.say(_batch_request(one))
        await call.done()
        return await call.ends()
