"""The ServerFeatures service, by which clients in other languages find the methods of a server."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import grpc
from google.protobuf import descriptor_pb2, message_factory

SERVER_VERSION: Final = "24.10.4"

_FEATURES: Final = "event_store.client.server_features"
SERVICE: Final = f"{_FEATURES}.ServerFeatures"

_Context = grpc.aio.ServicerContext[Any, Any]


def methods(supported: Iterable[tuple[str, str]]) -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
    """GetSupportedMethods, for (service, method) pairs.

    esdbclient does not ship this service, so its two messages are described here.
    """
    messages = message_factory.GetMessages([_server_features_file()])
    supported_methods = messages[f"{_FEATURES}.SupportedMethods"]
    answer: bytes = supported_methods(
        event_store_server_version=SERVER_VERSION,
        methods=[
            {
                "method_name": method.lower(),
                "service_name": service.lower(),
                "features": _features(service, method),
            }
            for service, method in supported
        ],
    ).SerializeToString()

    async def get_supported_methods(_: bytes, __: _Context) -> bytes:
        return answer

    return {"GetSupportedMethods": grpc.unary_unary_rpc_method_handler(get_supported_methods)}


def _features(service: str, method: str) -> Sequence[str]:
    match service.rpartition(".")[2], method:
        case "PersistentSubscriptions", _:
            return ("stream", "all")
        case "Streams", "Read":
            return ("position", "events")
        case "Streams", "BatchAppend":
            return ("deadline_duration",)
        case "Projections", "Create":
            return ("track_emitted_streams",)
        case _:
            return ()


def _server_features_file() -> descriptor_pb2.FileDescriptorProto:
    text, nested = descriptor_pb2.FieldDescriptorProto.TYPE_STRING, ".SupportedMethod"
    file = descriptor_pb2.FileDescriptorProto(name="serverfeatures.proto", package=_FEATURES)
    method = file.message_type.add(name="SupportedMethod")
    method.field.add(name="method_name", number=1, type=text, label=1)
    method.field.add(name="service_name", number=2, type=text, label=1)
    method.field.add(name="features", number=3, type=text, label=3)
    methods = file.message_type.add(name="SupportedMethods")
    methods.field.add(name="methods", number=1, type=11, label=3, type_name=f".{_FEATURES}{nested}")
    methods.field.add(name="event_store_server_version", number=2, type=text, label=1)
    return file
