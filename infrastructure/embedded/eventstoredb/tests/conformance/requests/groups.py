"""Persistent subscriptions: making groups, asking about them, consuming from them."""

from collections.abc import Sequence
from typing import Final

from esdbclient.protos.Grpc import persistent_pb2, shared_pb2

from conformance.listening import Conversation
from conformance.node import Node
from conformance.normal_form import told
from conformance.requests.fields import Fields, filled, stream
from conformance.requests.reads import Start, of_stream

_SERVICE: Final = "persistent_subscriptions.PersistentSubscriptions/"
_SETTINGS: Final[Fields] = {
    "resolveLinks": False,
    "extraStatistics": False,
    "maxRetryCount": 2,
    "minCheckpointCount": 1,
    "maxCheckpointCount": 100,
    "maxSubscriberCount": 0,
    "liveBufferSize": 100,
    "readBatchSize": 10,
    "historyBufferSize": 100,
    "messageTimeoutMs": 3000,
    "checkpointAfterMs": 200,
}


async def create(
    node: Node, name: str, group: str, start: Start = "start", **settings: object
) -> object:
    """What making a group on a stream is answered."""
    return await _create(node, of_stream(name, start), group, settings)


async def create_on_all(node: Node, group: str, options: Fields | None = None) -> object:
    """What making a group on ``$all`` is answered, filtered if the options say so."""
    where = {"all": {"start": {}, **(options or {"noFilter": {}})}}
    return await _create(node, where, group, {})


async def _create(node: Node, where: Fields, group: str, settings: Fields) -> object:
    chosen = {**_SETTINGS, "consumerStrategy": "RoundRobin", **settings}
    fields = {"options": {**where, "groupName": group, "settings": chosen}}
    request = filled(persistent_pb2.CreateReq(), fields)
    return await told(node.ask(f"{_SERVICE}Create", request, persistent_pb2.CreateResp))


async def update(node: Node, name: str, group: str) -> object:
    """What an update to the same settings is answered."""
    fields = {"options": {**of_stream(name), "groupName": group, "settings": _SETTINGS}}
    request = filled(persistent_pb2.UpdateReq(), fields)
    return await told(node.ask(f"{_SERVICE}Update", request, persistent_pb2.UpdateResp))


async def remove(node: Node, name: str, group: str) -> object:
    """What deleting a group is answered."""
    request = filled(persistent_pb2.DeleteReq(), _group(name, group))
    return await told(node.ask(f"{_SERVICE}Delete", request, persistent_pb2.DeleteResp))


async def info(node: Node, name: str, group: str) -> object:
    """The info of a group."""
    request = filled(persistent_pb2.GetInfoReq(), _group(name, group))
    return await told(node.ask(f"{_SERVICE}GetInfo", request, persistent_pb2.GetInfoResp))


async def groups_of(node: Node, name: str) -> object:
    """What asking for the groups of a stream is answered."""
    fields = {"options": {"listForStream": {"stream": stream(name)}}}
    request = filled(persistent_pb2.ListReq(), fields)
    return await told(node.ask(f"{_SERVICE}List", request, persistent_pb2.ListResp))


async def replay(node: Node, name: str, group: str) -> object:
    """What replaying all that is parked is answered."""
    request = filled(persistent_pb2.ReplayParkedReq(), _group(name, group, noLimit={}))
    answer = persistent_pb2.ReplayParkedResp
    return await told(node.ask(f"{_SERVICE}ReplayParked", request, answer))


async def restart(node: Node, name: str, group: str) -> None:
    """Restarts the subsystem, and waits until it knows that group again."""
    method = f"{_SERVICE}RestartSubsystem"
    await told(node.ask(method, shared_pb2.Empty(), shared_pb2.Empty))

    async def is_back() -> bool:
        return "subscriptionInfo" in str(await info(node, name, group))

    await node.until(is_back)


def parked_stream(name: str, group: str) -> str:
    return f"$persistentsubscription-{name}::{group}-parked"


def checkpoint_stream(name: str, group: str) -> str:
    return f"$persistentsubscription-{name}::{group}-checkpoint"


def _group(name: str, group: str, **more: object) -> Fields:
    return {"options": {"streamIdentifier": stream(name), "groupName": group, **more}}


class Consumer:
    """A consumer of a group: what it was handed, and what it answers.

    What it ``heard`` is the confirmation, and of each event its version and type, its place of a
    retry count, that count, and its kind of position.
    """

    def __init__(self, call: Conversation[persistent_pb2.ReadResp], ids: list[str]) -> None:
        self.call = call
        self.ids = ids
        """The id by which each event is acknowledged, in the order in which they came."""

    async def events(self, number: int) -> list[object]:
        """All that was heard, when so many events are among it or patience is at its end."""
        return await self.call.until(lambda _: len(self.ids) >= number)

    async def ack(self, *ids: str) -> None:
        await self._say({"ack": {"ids": _ids(ids)}})

    async def nack(self, action: str, *ids: str) -> None:
        await self._say({"nack": {"ids": _ids(ids), "action": action, "reason": "why"}})

    async def _say(self, fields: Fields) -> None:
        await self.call.say(filled(persistent_pb2.ReadReq(), fields))


async def consume(node: Node, name: str, group: str, *, buffer: int = 10) -> Consumer:
    """A consumer of a group on a stream, which takes so many events at once."""
    options = {"groupName": group, "bufferSize": buffer, "uuidOption": {"string": {}}}
    source: Fields = {"all": {}} if name == "$all" else {"streamIdentifier": stream(name)}
    return await consume_by(node, {"options": {**source, **options}})


async def consume_by(node: Node, request: Fields) -> Consumer:
    """A consumer, by exactly these fields."""
    ids: list[str] = []

    def keep(answer: persistent_pb2.ReadResp) -> object:
        if answer.WhichOneof("content") != "event":
            return answer.WhichOneof("content")
        event = answer.event
        ids.append((event.link if event.HasField("link") else event.event).id.string)
        return _delivery(event)

    call = node.converse(f"{_SERVICE}Read", persistent_pb2.ReadResp, keep)
    await call.say(filled(persistent_pb2.ReadReq(), request))
    return Consumer(call, ids)


def _delivery(event: persistent_pb2.ReadResp.ReadEvent) -> object:
    record = event.event
    what = f"{record.stream_revision} {record.metadata.get('type')}"
    return [
        what if event.HasField("event") else "no event",
        event.WhichOneof("count"),
        event.retry_count,
        event.WhichOneof("position"),
    ]


def _ids(ids: Sequence[str]) -> list[Fields]:
    return [{"string": one} for one in ids]
