"""The members of a cluster, which of them leads, and how they say so (Gossip).

All members serve one log in one process. What a client can see of a cluster is here all the same:
members, roles, refusals, the loss of a member, elections that take their time.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

import grpc
from esdbclient.protos.Grpc import gossip_pb2, shared_pb2

from embedded_eventstoredb.unary_calls import unary

SERVICE: Final = "event_store.client.gossip.Gossip"
_STATE = gossip_pb2.MemberInfo.VNodeState


@dataclass(frozen=True)
class Member:
    """One listener, at the address that clients are told."""

    host: str
    port: int
    instance_id: str = ""
    """Another one after each start."""


class Cluster:
    """Members by number. One of them leads, or none: ``elect`` and ``dissolve`` decide."""

    def __init__(self, leadership_ends: Callable[[int], None]) -> None:
        """``leadership_ends`` is called with a leader's number just before it stops leading."""
        self._leadership_ends = leadership_ends
        self.settled = False
        """Whether the leader serves. One that was just elected does not yet."""
        self._members: list[Member] = []
        self._states: list[gossip_pb2.MemberInfo.VNodeState.ValueType] = []
        self._alive: set[int] = set()
        self._last_leader = -1

    @property
    def leader(self) -> Member | None:
        """Who leads; nobody while one is elected, or where too few are alive for that."""
        return next((m for n, m in enumerate(self._members) if self.leads(n)), None)

    @property
    def lost(self) -> Sequence[int]:
        """The numbers of the members that are not alive."""
        return sorted(set(range(len(self._members))) - self._alive)

    def leads(self, number: int) -> bool:
        """Whether it is the member of that number who leads."""
        return number in self._alive and self._states[number] == _STATE.Leader

    def serves(self, number: int) -> bool:
        """Whether that member leads and has taken up its work."""
        return self.settled and self.leads(number)

    @property
    def has_majority(self) -> bool:
        """Whether enough members are alive to write, and to elect a leader."""
        return 2 * len(self._alive) > len(self._members)

    def join(self, member: Member) -> None:
        self._members.append(member)
        self._states.append(_STATE.Unknown)
        self.regain(len(self._members) - 1)

    def lose(self, number: int) -> None:
        """That member is not alive any more; what else it was is not known, if it led."""
        if self.leads(number):
            self._leadership_ends(number)
            self._states[number] = _STATE.Unknown
        self._alive.discard(number)

    def regain(self, number: int) -> None:
        """That member has started anew. It follows, where one leads."""
        self._members[number] = replace(self._members[number], instance_id=str(uuid4()))
        self._alive.add(number)
        self._states[number] = _STATE.Follower if self.leader else _STATE.Unknown

    def dissolve(self) -> None:
        """Nobody leads, and nobody is known to be anything."""
        for number in filter(self.leads, range(len(self._members))):
            self._leadership_ends(number)
        self.settled = False
        self._states = [_STATE.Unknown for _ in self._states]

    def elect(self, number: int | None = None) -> None:
        """That member leads (None: the one after the last who did); who is alive follows it."""
        following = [n for n in sorted(self._alive) if n > self._last_leader]
        leader = min(following or self._alive) if number is None else number
        self._states = [
            _STATE.Follower if n in self._alive else _STATE.Unknown
            for n in range(len(self._members))
        ]
        self._states[leader] = _STATE.Leader
        self._last_leader = leader

    def info(self) -> gossip_pb2.ClusterInfo:
        """All members as they are now."""
        return gossip_pb2.ClusterInfo(members=map(self._info, range(len(self._members))))

    def _info(self, number: int) -> gossip_pb2.MemberInfo:
        member = self._members[number]
        return gossip_pb2.MemberInfo(
            instance_id=shared_pb2.UUID(string=member.instance_id),
            time_stamp=time.time_ns() // 100,
            state=self._states[number],
            is_alive=number in self._alive,
            http_end_point=gossip_pb2.EndPoint(address=member.host, port=member.port),
        )


def methods(cluster: Cluster) -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
    """Gossip.Read, which any member answers, whether or not a leader is required."""

    async def read(_: shared_pb2.Empty) -> gossip_pb2.ClusterInfo:
        return cluster.info()

    return {"Read": unary(read, shared_pb2.Empty)}
