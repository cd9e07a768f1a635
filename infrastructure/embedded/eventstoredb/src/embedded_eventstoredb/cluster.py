"""The members of a cluster, which of them leads, and their Gossip service.

All members serve one log in one process. Everything that a client sees of a cluster is there:
members, roles, refusals, the loss of a member, elections that take time.
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
    """One listener, with the address that gossip shows."""

    host: str
    port: int
    instance_id: str = ""
    """A new one at each start."""


class Cluster:
    """Members by number. At most one of them leads: ``elect`` and ``dissolve`` decide."""

    def __init__(self, leadership_ends: Callable[[int], None]) -> None:
        """``leadership_ends`` is called with a leader's number just before it stops leading."""
        self._leadership_ends = leadership_ends
        self.settled = False
        """Whether the leader accepts writes. A leader that was just elected does not yet."""
        self._members: list[Member] = []
        self._states: list[gossip_pb2.MemberInfo.VNodeState.ValueType] = []
        self._alive: set[int] = set()
        self._last_leader = -1

    @property
    def leader(self) -> Member | None:
        """The leader; None during an election, or while too few members are alive."""
        return next((m for n, m in enumerate(self._members) if self.leads(n)), None)

    @property
    def lost(self) -> Sequence[int]:
        """The numbers of the members that are not alive."""
        return sorted(set(range(len(self._members))) - self._alive)

    def leads(self, number: int) -> bool:
        """Whether the member of that number leads."""
        return number in self._alive and self._states[number] == _STATE.Leader

    def serves(self, number: int) -> bool:
        """Whether that member leads and accepts writes."""
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
        """Mark that member as not alive; if it led, its state becomes unknown."""
        if self.leads(number):
            self._leadership_ends(number)
            self._states[number] = _STATE.Unknown
        self._alive.discard(number)

    def regain(self, number: int) -> None:
        """Mark that member as restarted. It becomes a follower if there is a leader."""
        self._members[number] = replace(self._members[number], instance_id=str(uuid4()))
        self._alive.add(number)
        self._states[number] = _STATE.Follower if self.leader else _STATE.Unknown

    def dissolve(self) -> None:
        """End the leadership; the state of every member becomes unknown."""
        for number in filter(self.leads, range(len(self._members))):
            self._leadership_ends(number)
        self.settled = False
        self._states = [_STATE.Unknown for _ in self._states]

    def elect(self, number: int | None = None) -> None:
        """Make that member the leader (None: the one after the last leader), and the others
        alive followers.
        """
        following = [n for n in sorted(self._alive) if n > self._last_leader]
        leader = min(following or self._alive) if number is None else number
        self._states = [
            _STATE.Follower if n in self._alive else _STATE.Unknown
            for n in range(len(self._members))
        ]
        self._states[leader] = _STATE.Leader
        self._last_leader = leader

    def info(self) -> gossip_pb2.ClusterInfo:
        """The current gossip about all members."""
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
    """Gossip.Read, which every member answers, also if the caller requires the leader."""

    async def read(_: shared_pb2.Empty) -> gossip_pb2.ClusterInfo:
        return cluster.info()

    return {"Read": unary(read, shared_pb2.Empty)}
