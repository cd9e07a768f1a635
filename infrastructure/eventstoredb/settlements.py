"""Acks and nacks, with a fix for esdbclient 1.1.7.

An ack must name its subscription, or the server ignores it. The blocking client copies the id that
the server has confirmed, the asyncio client does not (kurrentdbclient issue 35). The fix is on the
object that makes the client's requests.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from esdbclient import AsyncPersistentSubscription
from esdbclient.exceptions import ProgrammingError

from application.ports import StoreUnavailable


class Settlements:
    """Settles the events of one subscription.

    Both raise :class:`StoreUnavailable` when the subscription has ended.
    """

    def __init__(self, subscription: AsyncPersistentSubscription) -> None:
        self._subscription = subscription
        subscription._read_reqs.subscription_id = subscription.subscription_id.encode()

    async def ack(self, event_id: UUID) -> None:
        with _while_it_lasts():
            await self._subscription.ack(event_id)

    async def retry(self, event_id: UUID) -> None:
        with _while_it_lasts():
            await self._subscription.nack(event_id, "retry")


@contextmanager
def _while_it_lasts() -> Iterator[None]:
    try:
        yield
    except ProgrammingError as error:
        raise StoreUnavailable("this consumer has left: its events go to others") from error
