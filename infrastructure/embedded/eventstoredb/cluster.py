"""The members of a cluster, which of them leads, and how they tell (Gossip).

All members serve one log in one process, so a follower is never behind; what a client can see of
a cluster is here all the same: members, roles, refusals, and a change of the leader.
"""

import time
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import grpc
from esdbclient.protos.Grpc import gossip_pb2, shared_pb2

from infrastructure.embedded.eventstoredb.unary_calls import unary

SERVICE: Final = "event_store.client.gossip.Gossip"
_STATE = gossip_pb2.MemberInfo.VNodeState


@dataclass(frozen=True)
class Member:
    """One listener, at the address that clients are told."""

    host: str
    port: int
    instance_id: str = field(default_factory=lambda: str(uuid4()))


class Cluster:
    """Members by number. One leads: the first, until it is told to step down."""

    def __init__(self) -> None:
        self._members: list[Member] = []
        self._leading = 0

    @property
    def leader(self) -> Member:
        return self._members[self._leading]

    def leads(self, number: int) -> bool:
        """Whether it is the member of that number who leads."""
        return number == self._leading

    def join(self, member: Member) -> None:
        self._members.append(member)

    def step_down(self) -> None:
        """The next member leads from now on. A cluster of one elects the one again."""
        self._leading = (self._leading + 1) % len(self._members)

    def info(self) -> gossip_pb2.ClusterInfo:
        """All members as they are now."""
        return gossip_pb2.ClusterInfo(members=map(self._info, self._members))

    def _info(self, member: Member) -> gossip_pb2.MemberInfo:
        return gossip_pb2.MemberInfo(
            instance_id=shared_pb2.UUID(string=member.instance_id),
            time_stamp=time.time_ns() // 100,
            state=_STATE.Leader if member is self.leader else _STATE.Follower,
            is_alive=True,
            http_end_point=gossip_pb2.EndPoint(address=member.host, port=member.port),
        )


def methods(cluster: Cluster) -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
    """Gossip.Read, which any member answers, whether or not a leader is required."""

    async def read(_: shared_pb2.Empty) -> gossip_pb2.ClusterInfo:
        return cluster.info()

    return {"Read": unary(read, shared_pb2.Empty)}
