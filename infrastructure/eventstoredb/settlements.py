"""Acks and nacks of one subscription, instead of esdbclient's own requests (1.1.7).

An ack must name its subscription, or the server ignores it. The blocking client copies the id that
the server has confirmed, the asyncio client does not (kurrentdbclient issue 35). And it looks for
acks fifty times a second where there are none.
"""

import asyncio
from contextlib import suppress
from itertools import takewhile

from esdbclient.persistent import AsyncSubscriptionReadReqs
from esdbclient.protos.Grpc.persistent_pb2 import ReadReq
from esdbclient.protos.Grpc.shared_pb2 import UUID

from application.ports import StoreUnavailable


class Settlements(AsyncSubscriptionReadReqs):
    """The requests of one subscription, for gRPC to send: its options, then settlements.

    Those that come within ``max_ack_delay`` seconds, or until there are ``max_ack_batch_size``,
    share a request. To settle raises :class:`StoreUnavailable` when the subscription has ended.
    """

    def __init__(self, group: str, stream: str, buffer: int, batch: int, delay: float) -> None:
        super().__init__(group, stream, buffer, batch, delay)
        self._waiting: list[tuple[str, bool]] = []  # each id, and whether it is done
        self._some, self._enough = asyncio.Event(), asyncio.Event()

    def done(self, event_id: str) -> None:
        """Acknowledge an event."""
        self._settle(event_id, done=True)

    def again(self, event_id: str) -> None:
        """Have an event delivered again."""
        self._settle(event_id, done=False)

    async def stop(self, wait_until_stopped: bool = True) -> None:
        """Take no more; return when the server has had time for the last ones."""
        self._is_poisoned = True
        self._some.set()
        self._enough.set()
        if wait_until_stopped:
            await self._is_stopped.wait()

    async def __anext__(self) -> ReadReq:
        if not self._has_requested_options:
            self._has_requested_options = True
            return self._construct_initial_read_req()
        try:
            return await self._next_batch()
        except BaseException as error:
            self._is_stopped.set()
            if not isinstance(error, StopAsyncIteration):
                self.errored = error
            raise

    async def _next_batch(self) -> ReadReq:
        await self._some.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._max_ack_delay):
                await self._enough.wait()
        if not self._waiting:
            await asyncio.sleep(self._stopping_grace)
            raise StopAsyncIteration
        return self._batch()

    def _batch(self) -> ReadReq:
        """The first that wait, of one kind."""
        done = self._waiting[0][1]
        alike = takewhile(lambda one: one[1] == done, self._waiting[: self._max_ack_batch_size])
        ids = [UUID(string=event_id) for event_id, _ in alike]
        del self._waiting[: len(ids)]
        if not (self._waiting or self._is_poisoned):
            self._some.clear()
        if not (len(self._waiting) >= self._max_ack_batch_size or self._is_poisoned):
            self._enough.clear()
        if done:
            return ReadReq(ack=ReadReq.Ack(id=self.subscription_id, ids=ids))
        retry = ReadReq.Nack.Retry
        return ReadReq(nack=ReadReq.Nack(id=self.subscription_id, ids=ids, action=retry))

    def _settle(self, event_id: str, *, done: bool) -> None:
        if self._is_poisoned:
            raise StoreUnavailable("this consumer has left: its events go to others")
        self._waiting.append((event_id, done))
        self._some.set()
        if len(self._waiting) >= self._max_ack_batch_size:
            self._enough.set()
