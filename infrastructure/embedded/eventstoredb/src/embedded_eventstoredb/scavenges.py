"""Scavenges, which remove nothing: each one runs and ends by itself.

A server whose log is in its first chunk (256 MB) behaves the same: the current chunk is never
scavenged.
"""

import time
from typing import Any, Final
from uuid import uuid4

import grpc
from google.protobuf import descriptor_pb2, message_factory

from embedded_eventstoredb.errors import Refusal
from embedded_eventstoredb.unary_calls import unary

STARTED, IN_PROGRESS, STOPPED = range(3)

_PACKAGE: Final = "event_store.client.operations"
_SECONDS: Final = 0.1  # duration of a scavenge


class Scavenges:
    """Runs at most one scavenge at a time."""

    def __init__(self) -> None:
        self._id = ""
        self._end = 0.0

    def start(self) -> tuple[str, int]:
        """Start a scavenge, unless one is running. Returns its id."""
        if self._is_under_way():
            return self._id, IN_PROGRESS
        self._id, self._end = str(uuid4()), time.monotonic() + _SECONDS
        return self._id, STARTED

    def stop(self, scavenge_id: str) -> tuple[str, int]:
        """Stop that scavenge. Raises a Refusal if it is not running."""
        if scavenge_id != self._id or not self._is_under_way():
            code = grpc.StatusCode.NOT_FOUND
            raise Refusal(code, "Scavenge id was invalid.", "scavenge-not-found")
        self._end = 0.0
        return scavenge_id, STOPPED

    def _is_under_way(self) -> bool:
        return time.monotonic() < self._end


def methods() -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
    """StartScavenge and StopScavenge. esdbclient does not ship their messages."""
    messages = message_factory.GetMessages([_file()])
    stop, answer = messages[f"{_PACKAGE}.StopScavengeReq"], messages[f"{_PACKAGE}.ScavengeResp"]
    scavenges = Scavenges()

    async def start_scavenge(_: Any) -> Any:
        scavenge_id, result = scavenges.start()
        return answer(scavenge_id=scavenge_id, scavenge_result=result)

    async def stop_scavenge(request: Any) -> Any:
        scavenge_id, result = scavenges.stop(request.options.scavenge_id)
        return answer(scavenge_id=scavenge_id, scavenge_result=result)

    return {
        "StartScavenge": unary(start_scavenge, messages[f"{_PACKAGE}.StartScavengeReq"]),
        "StopScavenge": unary(stop_scavenge, stop),
    }


def _file() -> descriptor_pb2.FileDescriptorProto:
    kind = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="operations.proto", package=_PACKAGE)
    file.message_type.add(name="StartScavengeReq")  # threads and chunks do not apply to this log
    stop = file.message_type.add(name="StopScavengeReq")
    inner = f".{_PACKAGE}.StopScavengeReq.Options"
    stop.field.add(name="options", number=1, type=kind.TYPE_MESSAGE, label=1, type_name=inner)
    options = stop.nested_type.add(name="Options")
    options.field.add(name="scavenge_id", number=1, type=kind.TYPE_STRING, label=1)
    answer = file.message_type.add(name="ScavengeResp")
    answer.field.add(name="scavenge_id", number=1, type=kind.TYPE_STRING, label=1)
    answer.field.add(name="scavenge_result", number=2, type=kind.TYPE_INT32, label=1)
    return file
