"""At the door of each member: who may come in at all, and what only the leader answers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import grpc

from infrastructure.embedded.eventstoredb.access import Access
from infrastructure.embedded.eventstoredb.cluster import Cluster
from infrastructure.embedded.eventstoredb.errors import Refusal, not_leader, read_out, unavailable

_Details = grpc.HandlerCallDetails
_ANYWHERE: Final = ("Gossip", "ServerFeatures", "Operations", "Users")


class Doorman(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in its stubs only
    """Decides by headers and method alone; access to a stream is decided where it is named."""

    def __init__(self, cluster: Cluster, number: int, access: Access) -> None:
        self._cluster = cluster
        self._number = number
        self._access = access

    async def intercept_service(
        self,
        continuation: Callable[[_Details], "Awaitable[grpc.RpcMethodHandler[Any, Any]]"],
        details: _Details,
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        service, _, method = details.method.strip("/").rpartition("/")
        headers = {key: str(value) for key, value in details.invocation_metadata}
        try:
            self._access.check_call(headers.get("authorization"), service, method)
            if not self._cluster.leads(self._number):
                leader_required = headers.get("requires-leader", "").lower() == "true"
                self._check_follower(service.rpartition(".")[2], method, leader_required)
        except Refusal as refusal:
            known = await continuation(details)  # what is not there is not refused either
            return known and _refusing(refusal, reads_out=method == "Append")
        return await continuation(details)

    def _check_follower(self, service: str, method: str, leader_required: bool) -> None:
        """A follower reads, and passes on what is written to it, unless the leader is wanted."""
        leader = self._cluster.leader
        match service, method:
            case service, _ if service in _ANYWHERE:
                return
            case "PersistentSubscriptions", ("GetInfo" | "List"):
                raise unavailable("Server Is Not Ready")  # they run on the leader only
            case "Streams", "Read" if not leader_required:
                return
            case _ if leader is None:
                raise unavailable("Server Is Not Ready")  # as long as nobody leads
            case "Streams", _ if not leader_required:
                return
            case _:
                raise not_leader(leader.host, leader.port)


def _refusing(refusal: Refusal, *, reads_out: bool) -> "grpc.RpcMethodHandler[Any, Any]":
    """Answers any call, whatever streams it has, without waiting for what it asks.

    ``reads_out``: not before its client has sent all.
    """

    async def refuse(
        requests: AsyncIterator[object], context: grpc.aio.ServicerContext[Any, Any]
    ) -> None:
        if reads_out:
            await read_out(requests)
        await context.abort(refusal.code, refusal.text, refusal.trailers)

    return grpc.stream_stream_rpc_method_handler(refuse)
