"""Projections: making them, asking what became of them, taking them away."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import grpc
from esdbclient.protos.Grpc import projections_pb2

from conformance.node import Node
from conformance.normal_form import fault, told
from conformance.requests.fields import Fields, filled

_SERVICE: Final = "projections.Projections/"
_REMOVED: Final = {
    "deleteStateStream": True,
    "deleteCheckpointStream": True,
    "deleteEmittedStreams": True,
}


@dataclass(frozen=True)
class Asked:
    """A projection to make, and the partition to ask about."""

    query: str
    partition: str = ""
    emits: bool = False
    mode: str = "continuous"


async def outcome(node: Node, asked: Asked) -> object:
    """What becomes of a projection: its status, state and result, once it has caught up."""
    name = node.fresh("p")
    made = await create(node, name, asked)
    if made != "ok":
        return {"create": made, "status": await statuses(node, name)}

    async def has_settled() -> bool:
        return await _has_settled(node, name)

    await node.until(has_settled)
    found = await asyncio.gather(
        statuses(node, name),
        state(node, name, asked.partition),
        result(node, name, asked.partition),
    )
    await disable(node, name)
    await delete(node, name)
    return dict(zip(("status", "state", "result"), found, strict=True))


async def create(node: Node, name: str, asked: Asked) -> object:
    """What making a projection is answered; one that runs one time gets a name from the server."""
    modes: Mapping[str, Fields] = {
        "continuous": {"name": name, "emitEnabled": asked.emits, "trackEmittedStreams": False},
        "transient": {"name": name},
        "oneTime": {},
    }
    fields = {"options": {asked.mode: modes[asked.mode], "query": asked.query}}
    request = filled(projections_pb2.CreateReq(), fields)
    return await told(node.ask(f"{_SERVICE}Create", request, projections_pb2.CreateResp))


async def enable(node: Node, name: str) -> object:
    request = filled(projections_pb2.EnableReq(), _of(name))
    return await told(node.ask(f"{_SERVICE}Enable", request, projections_pb2.EnableResp))


async def disable(node: Node, name: str, *, checkpoint: bool = True) -> object:
    request = filled(projections_pb2.DisableReq(), _of(name, writeCheckpoint=checkpoint))
    return await told(node.ask(f"{_SERVICE}Disable", request, projections_pb2.DisableResp))


async def delete(node: Node, name: str) -> object:
    """What deleting one with all its streams is answered."""
    request = filled(projections_pb2.DeleteReq(), _of(name, **_REMOVED))
    return await told(node.ask(f"{_SERVICE}Delete", request, projections_pb2.DeleteResp))


async def reset(node: Node, name: str) -> object:
    request = filled(projections_pb2.ResetReq(), _of(name))
    return await told(node.ask(f"{_SERVICE}Reset", request, projections_pb2.ResetResp))


async def update(node: Node, name: str) -> object:
    """What an update to no query is answered."""
    request = filled(projections_pb2.UpdateReq(), _of(name))
    return await told(node.ask(f"{_SERVICE}Update", request, projections_pb2.UpdateResp))


async def state(node: Node, name: str, partition: str = "") -> object:
    request = filled(projections_pb2.StateReq(), _of(name, partition=partition))
    return await told(node.ask(f"{_SERVICE}State", request, projections_pb2.StateResp))


async def result(node: Node, name: str, partition: str = "") -> object:
    request = filled(projections_pb2.ResultReq(), _of(name, partition=partition))
    return await told(node.ask(f"{_SERVICE}Result", request, projections_pb2.ResultResp))


async def statuses(node: Node, name: str) -> object:
    """Status and reason of a projection, or the error of the call."""
    try:
        found = await _statistics(node, {"name": name})
    except grpc.aio.AioRpcError as error:
        return fault(error)
    return [{"status": one.status, "reason": one.stateReason} for one in found]


async def settled(node: Node, name: str, status: str, *, mode: str = "") -> None:
    """Waits until a projection, or all of that mode, have a status that begins or ends so."""

    async def has() -> bool:
        which: Fields = {mode: {}} if mode else {"name": name}
        return all(status in one.status for one in await _statistics(node, which))

    await node.until(has)


async def in_mode(node: Node, mode: str) -> list[object]:
    """Status, mode and progress of all projections of that mode, which are deleted then."""
    found = await _statistics(node, {mode: {}})
    for one in found:
        await disable(node, one.name)
        await delete(node, one.name)
    return [{"status": one.status, "mode": one.mode, "progress": one.progress} for one in found]


async def continuous(node: Node) -> list[str]:
    """Name, mode and effective name of each system projection."""
    found = await _statistics(node, {"continuous": {}})
    lines = [f"{one.name} {one.mode} {one.effectiveName}" for one in found]
    return sorted(line for line in lines if line.startswith("$"))


async def _has_settled(node: Node, name: str) -> bool:
    """Whether it has looked at all there is, or given up."""
    try:
        found = await _statistics(node, {"name": name})
    except grpc.aio.AioRpcError:
        return True  # there are none for a projection that faulted when it was made
    return all(one.progress >= 100 or one.status.startswith("Faulted") for one in found)


async def _statistics(node: Node, which: Fields) -> list[projections_pb2.StatisticsResp.Details]:
    request = filled(projections_pb2.StatisticsReq(), {"options": which})
    answer = projections_pb2.StatisticsResp
    return [one.details for one in await node.download(f"{_SERVICE}Statistics", request, answer)]


def _of(name: str, **more: object) -> Fields:
    return {"options": {"name": name, **more}}
