"""The members of a cluster, which of them leads, and how they tell (Gossip).

All members serve one log in one process, so a follower is never behind; what a client can see of
a cluster is here all the same: members, roles, refusals, the loss of a member, a change of leader.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    instance_id: str = ""
    """Another one after each start."""


class Cluster:
    """Members by number. One leads, as long as more than half of them are alive: the first, until
    it steps down or is lost.
    """

    def __init__(self) -> None:
        self._members: list[Member] = []
        self._states: list[gossip_pb2.MemberInfo.VNodeState.ValueType] = []
        self._alive: set[int] = set()
        self._last_leader = -1

    @property
    def leader(self) -> Member | None:
        """Who leads; nobody where too few are alive to elect one."""
        return next((m for n, m in enumerate(self._members) if self.leads(n)), None)

    @property
    def lost(self) -> Sequence[int]:
        """The numbers of the members that are not alive."""
        return sorted(set(range(len(self._members))) - self._alive)

    def leads(self, number: int) -> bool:
        """Whether it is the member of that number who leads."""
        return number in self._alive and self._states[number] == _STATE.Leader

    def join(self, member: Member) -> None:
        self._members.append(member)
        self._states.append(_STATE.Unknown)
        self.regain(len(self._members) - 1)

    def step_down(self) -> None:
        """The next member leads from now on. A cluster of one elects the one again."""
        self._elect()

    def lose(self, number: int) -> None:
        """That member is not alive any more. Elects when it led, or when too few are left."""
        led = self.leads(number)
        self._alive.discard(number)
        if led or not self._can_elect():
            self._elect()

    def regain(self, number: int) -> None:
        """That member has started anew; as a follower, unless there was no leader."""
        self._members[number] = replace(self._members[number], instance_id=str(uuid4()))
        self._alive.add(number)
        self._states[number] = _STATE.Follower
        if self.leader is None:
            self._elect()

    def info(self) -> gossip_pb2.ClusterInfo:
        """All members as they are now."""
        return gossip_pb2.ClusterInfo(members=map(self._info, range(len(self._members))))

    def _can_elect(self) -> bool:
        return 2 * len(self._alive) > len(self._members)

    def _elect(self) -> None:
        """As after the server's elections: who does not answer is not known to be anything."""
        can_elect = self._can_elect()
        for number in range(len(self._members)):
            follows = can_elect and number in self._alive
            self._states[number] = _STATE.Follower if follows else _STATE.Unknown
        if can_elect:
            following = [n for n in sorted(self._alive) if n > self._last_leader]
            self._last_leader = min(following or self._alive)
            self._states[self._last_leader] = _STATE.Leader

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
