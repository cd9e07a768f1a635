"""The Operations service: step down, restart, shut down, scavenge."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc
from esdbclient.protos.Grpc import shared_pb2

from embedded_eventstoredb import scavenges
from embedded_eventstoredb.unary_calls import unary

SERVICE: Final = "event_store.client.operations.Operations"

_Empty = shared_pb2.Empty


def methods(
    resign: Callable[[], Awaitable[None]],
    restart_subscriptions: Callable[[], Awaitable[None]],
    shut_down: Callable[[], Awaitable[None]],
) -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
    """The operations of one member.

    esdbclient does not ship this service. Its messages are empty, or can be read as empty.
    """

    def answered(work: Callable[[], Awaitable[None]]) -> "grpc.RpcMethodHandler[Any, Any]":
        async def call(_: shared_pb2.Empty) -> shared_pb2.Empty:
            await work()
            return _Empty()

        return unary(call, _Empty)

    return {
        **scavenges.methods(),
        "ResignNode": answered(resign),
        "RestartPersistentSubscriptions": answered(restart_subscriptions),
        "Shutdown": answered(shut_down),
        "MergeIndexes": answered(_nothing_to_do),
        "SetNodePriority": answered(_nothing_to_do),
    }


async def _nothing_to_do() -> None:
    """Nothing to do: there is one index, and the next leader is chosen by number."""
