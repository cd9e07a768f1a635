"""Acks and nacks as the server wants them, which takes two repairs to esdbclient 1.1.7.

An ack must name its subscription, or the server ignores it. The blocking client copies the id that
the server has confirmed, the asyncio client forgets to (kurrentdbclient issue 35). And a nack may
say why, so that a person who finds the event parked can read it; the client has no way to say it.
Both are mended on the object that makes the client's requests, and nowhere else.
"""

from typing import Literal
from uuid import UUID

from esdbclient import AsyncPersistentSubscription
from esdbclient.exceptions import ProgrammingError
from esdbclient.persistent import BaseSubscriptionReadReqs
from esdbclient.protos.Grpc.persistent_pb2 import ReadReq

from application.ports import StoreUnavailable

Nack = Literal["retry", "park", "skip"]

_GONE = "this consumer has left; others are handed what it held"


class Settlements:
    """Where the consumer on this subscription settles its events."""

    def __init__(self, subscription: AsyncPersistentSubscription) -> None:
        self._subscription = subscription
        self._requests = subscription._read_reqs
        self._requests.subscription_id = subscription.subscription_id.encode()
        self._requests._construct_ack_or_nack_read_req = _request  # type: ignore[method-assign]  # see above

    async def ack(self, event_id: UUID) -> None:
        """Raises :class:`StoreUnavailable` when the subscription has ended."""
        try:
            await self._subscription.ack(event_id)
        except ProgrammingError as error:
            raise StoreUnavailable(_GONE) from error

    async def nack(self, event_id: UUID, action: Nack, reason: str) -> None:
        """As ``ack``. The client sends equal ones together, so the reason goes with the action."""
        if self._requests._is_poisoned:
            raise StoreUnavailable(_GONE)
        await self._requests._ack_queue.put((event_id, f"{action} {reason}"))


def _request(subscription_id: bytes, event_ids: list[UUID], action: str) -> ReadReq:
    verb, _, reason = action.partition(" ")
    construct = BaseSubscriptionReadReqs._construct_ack_or_nack_read_req
    request = construct(subscription_id, event_ids, verb)
    if reason:
        request.nack.reason = reason
    return request
