"""Routes the calls to a member: which ones it answers, refuses, or leaves to the leader."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import grpc

from embedded_eventstoredb.access import Access
from embedded_eventstoredb.cluster import Cluster
from embedded_eventstoredb.errors import (
    NotReady,
    Refusal,
    group_failed,
    not_leader,
    read_out,
)
from embedded_eventstoredb.message_limit import limited

Methods = dict[str, "grpc.RpcMethodHandler[Any, Any]"]  # generic in the stubs only
_Context = grpc.aio.ServicerContext[Any, Any]
_ANYWHERE: Final = ("Gossip", "ServerFeatures", "Operations", "Users")


class _NoAnswer(Exception):
    """A call that the server leaves open until its caller gives up."""


class CallRouter(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in its stubs only
    """Finds the handler of a call, or refuses the call by its headers and method alone.

    Access to a stream is checked by the handler, which knows the stream's name.
    """

    def __init__(
        self, cluster: Cluster, number: int, access: Access, services: Mapping[str, Methods]
    ) -> None:
        self._cluster = cluster
        self._number = number
        self._access = access
        self._closed = False
        self._methods: Methods = {
            f"/{service}/{name}": method
            for service, methods in services.items()
            for name, method in limited(methods).items()
        }

    def close(self) -> None:
        """Refuse further calls; open calls continue."""
        self._closed = True

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        known = self._methods.get(details.method)
        if known is None:
            return None
        try:
            self._check(details)
        except Refusal as refusal:
            return _refusing(refusal, to_the_end=details.method.endswith("/Append"))
        except _NoAnswer:
            return _NEVER_ANSWERED
        return known

    def _check(self, details: grpc.HandlerCallDetails) -> None:
        if self._closed:
            raise NotReady
        service, _, method = details.method.strip("/").rpartition("/")
        headers = {key: str(value) for key, value in details.invocation_metadata}
        self._access.check_call(headers.get("authorization"), service, method)
        if not self._cluster.serves(self._number):
            leader_required = headers.get("requires-leader", "").lower() == "true"
            self._check_follower(service.rpartition(".")[2], method, leader_required)

    def _check_follower(self, service: str, method: str, leader_required: bool) -> None:
        """A follower answers reads and forwards writes, unless the caller requires the leader.

        A write that it forwards while there is no leader is refused by the log.
        """
        leader = self._cluster.leader
        match service, method:
            case service, _ if service in _ANYWHERE:
                return
            case ("Projections", _) | ("PersistentSubscriptions", "ReplayParked"):
                raise _NoAnswer  # they run on the leader only, and a follower does not answer
            case "PersistentSubscriptions", "RestartSubsystem":
                raise group_failed("", "", "The groups run at the leader: restart them there.")
            case "PersistentSubscriptions", ("GetInfo" | "List"):
                raise NotReady
            case "Streams", "Read" if not leader_required:
                return
            case "Streams", _ if not leader_required or (leader is None and method != "Read"):
                return
            case _ if leader is None or self._cluster.leads(self._number):
                raise NotReady
            case _:
                raise not_leader(leader.host, leader.port)


def _refusing(refusal: Refusal, *, to_the_end: bool) -> "grpc.RpcMethodHandler[Any, Any]":
    """A handler that refuses a call of any kind, after the client's first request.

    ``to_the_end``: after the client's last request.
    """

    async def refuse(requests: AsyncIterator[object], context: _Context) -> None:
        await read_out(requests, to_the_end=to_the_end)
        await context.abort(refusal.code, refusal.text, refusal.trailers)

    return grpc.stream_stream_rpc_method_handler(refuse)


async def _never_answer(_: object, context: _Context) -> None:  # noqa: ARG001 - as gRPC calls it
    await asyncio.Event().wait()


_NEVER_ANSWERED: Final = grpc.stream_stream_rpc_method_handler(_never_answer)
