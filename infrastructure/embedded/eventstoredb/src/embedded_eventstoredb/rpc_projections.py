"""The Projections service."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from uuid import uuid4

import grpc
from esdbclient.protos.Grpc import projections_pb2, shared_pb2
from google.protobuf import struct_pb2

from embedded_eventstoredb.errors import Refusal, refusals_end
from embedded_eventstoredb.projections.definitions import (
    CONTINUOUS,
    ONE_TIME,
    TRANSIENT,
    Definition,
)
from embedded_eventstoredb.projections.projections import Projection, Projections
from embedded_eventstoredb.projections.statistics import Statistics
from embedded_eventstoredb.unary_calls import unary

SERVICE: Final = "event_store.client.projections.Projections"

_MODES: Final[Mapping[str | None, str]] = {
    "continuous": CONTINUOUS,
    "one_time": ONE_TIME,
    "transient": TRANSIENT,
}

_pb = projections_pb2
_Context = grpc.aio.ServicerContext[Any, Any]


def methods(projections: Projections) -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
    """All calls: management, statistics, state and result."""
    calls = _Calls(projections)
    statistics = grpc.unary_stream_rpc_method_handler(
        calls.statistics,
        request_deserializer=_pb.StatisticsReq.FromString,
        response_serializer=_pb.StatisticsResp.SerializeToString,
    )
    return {
        "Create": unary(calls.create, _pb.CreateReq),
        "Update": unary(calls.update, _pb.UpdateReq),
        "Delete": unary(calls.delete, _pb.DeleteReq),
        "Statistics": statistics,
        "Disable": unary(calls.disable, _pb.DisableReq),
        "Enable": unary(calls.enable, _pb.EnableReq),
        "Reset": unary(calls.reset, _pb.ResetReq),
        "State": unary(calls.state, _pb.StateReq),
        "Result": unary(calls.result, _pb.ResultReq),
        "RestartSubsystem": unary(calls.restart, shared_pb2.Empty),
    }


class _Calls:
    def __init__(self, projections: Projections) -> None:
        self._projections = projections

    async def create(self, request: _pb.CreateReq) -> _pb.CreateResp:
        await self._projections.create(_definition(request.options))
        return _pb.CreateResp()

    async def update(self, request: _pb.UpdateReq) -> _pb.UpdateResp:
        options = request.options
        says_emit = options.WhichOneof("emit_option") == "emit_enabled"
        emit_enabled = options.emit_enabled if says_emit else None
        await self._projections.update(options.name, options.query, emit_enabled)
        return _pb.UpdateResp()

    async def delete(self, request: _pb.DeleteReq) -> _pb.DeleteResp:
        options = request.options
        await self._projections.delete(options.name, emitted_streams=options.delete_emitted_streams)
        return _pb.DeleteResp()

    async def statistics(
        self, request: _pb.StatisticsReq, context: _Context
    ) -> AsyncIterator[projections_pb2.StatisticsResp]:
        async with refusals_end(context):
            name, mode = request.options.name, request.options.WhichOneof("mode")
            found = [self._projections.find(name)] if name else self._projections.all()
            if mode in _MODES:
                found = [each for each in found if each.definition.mode == _MODES[mode]]
            for projection in found:
                yield _pb.StatisticsResp(details=_details(projection.statistics()))

    async def enable(self, request: _pb.EnableReq) -> _pb.EnableResp:
        await self._projections.enable(request.options.name)
        return _pb.EnableResp()

    async def disable(self, request: _pb.DisableReq) -> _pb.DisableResp:
        options = request.options
        await self._projections.disable(options.name, abort=not options.write_checkpoint)
        return _pb.DisableResp()

    async def reset(self, request: _pb.ResetReq) -> _pb.ResetResp:
        await self._projections.reset(request.options.name)
        return _pb.ResetResp()

    async def state(self, request: _pb.StateReq) -> _pb.StateResp:
        projection = await self._answering(request.options.name)
        state, _ = projection.state(request.options.partition)
        return _pb.StateResp(state=_value(state))

    async def result(self, request: _pb.ResultReq) -> _pb.ResultResp:
        projection = await self._answering(request.options.name)
        _, result = projection.state(request.options.partition)
        return _pb.ResultResp(result=_value(result))

    async def restart(self, _: shared_pb2.Empty) -> shared_pb2.Empty:
        await self._projections.restart()
        return shared_pb2.Empty()

    async def _answering(self, name: str) -> Projection:
        """The projection of that name.

        If its query never compiled, this waits forever, as on the server.
        """
        projection = self._projections.find(name)
        while not projection.has_state:
            await asyncio.Event().wait()
        return projection


def _definition(options: _pb.CreateReq.Options) -> Definition:
    """The projection to create. Raises a Refusal if the options contradict each other."""
    match options.WhichOneof("mode"):
        case "one_time":
            return Definition(str(uuid4()), query=options.query, mode=ONE_TIME)
        case "transient":
            return Definition(options.transient.name, query=options.query, mode=TRANSIENT)
        case "continuous":
            asked = options.continuous
        case _:
            raise _handler_threw()
    if asked.track_emitted_streams and not asked.emit_enabled:
        raise _handler_threw()
    return Definition(
        asked.name,
        query=options.query,
        emit_enabled=asked.emit_enabled,
        track_emitted_streams=asked.track_emitted_streams,
    )


def _details(statistics: Statistics) -> projections_pb2.StatisticsResp.Details:
    return _pb.StatisticsResp.Details(
        coreProcessingTime=int(statistics.working_time * 1000),
        version=statistics.version,
        epoch=statistics.epoch,
        effectiveName=statistics.name,
        partitionsCached=statistics.partitions_cached,
        status=statistics.status,
        stateReason=statistics.state_reason,
        name=statistics.name,
        mode=statistics.mode,
        position=statistics.position,
        progress=statistics.progress,
        lastCheckpoint=statistics.last_checkpoint,
        eventsProcessedAfterRestart=statistics.events_processed,
    )


def _value(text: str) -> struct_pb2.Value:
    from google.protobuf import json_format  # imported here to keep the start of the node fast

    try:
        return json_format.Parse(text or "{}", struct_pb2.Value())
    except json_format.ParseError:  # a state may be any text
        raise _handler_threw() from None


def _handler_threw() -> Refusal:
    return Refusal(grpc.StatusCode.UNKNOWN, "Exception was thrown by handler.")
