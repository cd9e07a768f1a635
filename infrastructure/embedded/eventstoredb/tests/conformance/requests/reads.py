"""Reading streams and ``$all``, once or as a subscription."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from esdbclient.protos.Grpc import streams_pb2

from conformance.listening import Listening
from conformance.node import Node
from conformance.normal_form import message
from conformance.requests.fields import Fields, filled, stream

Start: TypeAlias = str | int | tuple[int, int]  # "start", "end", a version, a position
BACKWARDS: Final[Fields] = {"readDirection": "Backwards"}
RESOLVED: Final[Fields] = {"resolveLinks": True}
_SUBSCRIBED: Final[Fields] = {"subscription": {}}
_Record: TypeAlias = streams_pb2.ReadResp.ReadEvent.RecordedEvent


def of_stream(name: str, start: Start = "start") -> Fields:
    """The options that say which stream, and where in it."""
    where: Fields = {start: {}} if isinstance(start, str) else {"revision": start}
    return {"stream": {"streamIdentifier": stream(name), **where}}


def of_all(start: Start = "start") -> Fields:
    """The options that say where in ``$all``."""
    if isinstance(start, tuple):
        return {"all": {"position": {"commitPosition": start[0], "preparePosition": start[1]}}}
    return {"all": {start: {}}}


def by_type(*prefixes: str, regex: str = "", window: int = 32, multiplier: int = 1) -> Fields:
    """The options that filter by types that begin so, or that match."""
    expression = {"prefix": list(prefixes)} if prefixes else {"regex": regex}
    return filtered(eventType=expression, max=window, checkpointIntervalMultiplier=multiplier)


def filtered(**fields: object) -> Fields:
    """The options that filter, by exactly these fields."""
    return {"filter": fields}


async def read(node: Node, *options: Fields, count: int | None = None) -> list[object]:
    """What a read is answered; its last answer is ``…`` when it does not end."""
    limit = {} if count is None else {"count": count}
    async with _reading(node, *options, limit) as call:
        return await call.ends()


async def events(node: Node, *options: Fields, count: int | None = None) -> list[object]:
    """The same, with the data of each event only."""
    return [brief(answer) for answer in await read(node, *options, count=count)]


async def subscribed(node: Node, *options: Fields) -> list[object]:
    """What a subscription is answered until nothing more comes."""
    async with subscribe(node, *options) as call:
        return await call.quiet()


async def heard_live(
    node: Node, *options: Fields, meanwhile: Callable[[], Awaitable[object]], until: str = ""
) -> list[object]:
    """What a subscription is answered when something happens once it has caught up.

    Waits for an answer that holds that text, and until nothing more comes.
    """
    async with subscribe(node, *options) as call:
        await call.until(lambda heard: {"caught_up": {}} in heard)
        await meanwhile()
        await call.until(lambda heard: until in str(heard))
        return await call.quiet()


def subscribe(node: Node, *options: Fields) -> Listening[streams_pb2.ReadResp]:
    """A subscription."""
    return _reading(node, *options, _SUBSCRIBED)


def kind(answer: object) -> object:
    """What an answer is: an event, a checkpoint, …"""
    return next(iter(answer)) if isinstance(answer, Mapping) else answer


def brief(answer: object) -> object:
    """The data of an event, if the answer is one."""
    return answer.get("event", answer) if isinstance(answer, Mapping) else answer


def _reading(
    node: Node, *options: Fields, tell: Callable[[streams_pb2.ReadResp], object] | None = None
) -> Listening[streams_pb2.ReadResp]:
    fields: dict[str, object] = {"uuidOption": {"string": {}}}
    for one in options:
        fields |= one
    if "filter" not in fields:
        fields["noFilter"] = {}
    request = filled(streams_pb2.ReadReq(), {"options": fields})
    return node.listen("streams.Streams/Read", request, streams_pb2.ReadResp, tell or _told)


def _told(answer: streams_pb2.ReadResp) -> object:
    content = answer.WhichOneof("content")
    if content == "event":
        return _event(answer.event)
    if content is None:
        return {"empty": True}
    value = getattr(answer, content)
    return {content: value if isinstance(value, int) else message(value)}


def _event(answer: streams_pb2.ReadResp.ReadEvent) -> object:
    fields: dict[str, object] = {
        "event": record(answer.event) if answer.HasField("event") else None,
        "pos": answer.WhichOneof("position"),
    }
    return fields | ({"link": record(answer.link)} if answer.HasField("link") else {})


def record(event: _Record) -> str:
    """An event in one line: where it is, what it is, its data and metadata."""
    name = event.stream_identifier.stream_name.decode()
    version = event.stream_revision if event.stream_revision < 2**63 else "MAX"
    kind, content = event.metadata.get("type"), event.metadata.get("content-type")
    line = f"{name}@{version} {kind} {content} {event.data.decode(errors='replace')[:60]}"
    metadata = event.custom_metadata.decode(errors="replace")[:200]
    return f"{line} meta={metadata}" if metadata else line


async def raw_events(
    node: Node, *options: Fields, count: int
) -> list[streams_pb2.ReadResp.ReadEvent]:
    """The events of a read, as they were sent."""
    received: list[streams_pb2.ReadResp] = []
    async with _reading(node, *options, {"count": count}, tell=received.append) as call:
        await call.ends()
    return [answer.event for answer in received if answer.HasField("event")]


async def subscribed_raw(node: Node, *options: Fields) -> list[streams_pb2.ReadResp]:
    """What a subscription is sent, as it was sent, until nothing more comes."""
    received: list[streams_pb2.ReadResp] = []
    async with _reading(node, *options, _SUBSCRIBED, tell=received.append) as call:
        await call.quiet()
    return received
