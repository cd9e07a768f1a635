"""The customers: they order, cancel, return and exchange goods."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Set
from contextlib import suppress
from datetime import datetime
from itertools import count
from typing import Any, Final, assert_never
from uuid import NAMESPACE_OID, uuid5

from application.command_dispatch import CommandDispatch, TooMuchContention
from application.messages import Context
from application.ports import StoreUnavailable
from application.shop.simulation.floor import Floor
from application.shop.simulation.traffic import Back, Place, Request
from domain import exchanges
from domain.decider import Command
from domain.exchanges import ReceiveGoods, RequestExchange
from domain.orders import AlreadyShipped, CancelOrder, CannotBePaid
from domain.stock import ReceiveStock

AT_ONCE: Final = 32  # orders under way: more would only conflict on the same stock
ATTEMPTS: Final = 8
Sleep = Callable[[float], Awaitable[object]]


class Customers:
    """Send the traffic of a history to a shop."""

    def __init__(
        self,
        dispatch: CommandDispatch,
        floor: Floor,
        clock: Callable[[], datetime],
        *,
        speed: float | None,
        sleep: Sleep = asyncio.sleep,
        at_once: int = AT_ONCE,
        scarce: Set[str] = frozenset(),
    ) -> None:
        """``speed``: so many times faster than it was; ``None``: as fast as the shop can.

        ``scarce``: SKUs that are returned and not exchanged.
        """
        self._scarce = scarce
        self._dispatch, self._floor, self._clock = dispatch, floor, clock
        self._speed, self._sleep = speed, sleep
        self._room = asyncio.Semaphore(at_once)
        self._first: tuple[datetime, datetime] | None = None  # then, and now
        self._placed: set[str] = set()

    async def fill_shelves(self, units: Mapping[str, int]) -> None:
        """Receive the opening stock."""
        filled = asyncio.Semaphore(32)

        async def fill(sku: str, quantity: int) -> None:
            async with filled:
                received = ReceiveStock(receipt_id="opening", quantity=quantity)
                await self._dispatched(sku, received, f"opening {sku}")

        async with asyncio.TaskGroup() as tasks:
            for sku, quantity in units.items():
                if quantity > 0:
                    tasks.create_task(fill(sku, quantity))

    async def come(self, requests: Iterable[Request], closed: asyncio.Event) -> None:
        """Carry out all requests, or those that have begun when the shop is ``closed``."""
        async with asyncio.TaskGroup() as tasks:
            for request in requests:
                await _unless(closed, self._its_time(request.moment))
                match request:
                    case Place():
                        await self._room.acquire()
                        if closed.is_set():
                            return
                        self._placed.add(request.order_id)
                        tasks.create_task(self._place(request))
                    case Back() if request.order_id in self._placed and not closed.is_set():
                        tasks.create_task(self._back(request))
                    case Back():
                        pass
                    case _:
                        assert_never(request)

    async def _its_time(self, moment: datetime) -> None:
        if self._speed is None:
            return
        now = self._clock()
        then, began = self._first = self._first or (moment, now)
        early = (moment - then) / self._speed - (now - began)
        await self._sleep(max(0.0, early.total_seconds()))

    async def _place(self, request: Place) -> None:
        try:
            await self._dispatched(
                request.order_id, request.command, f"place {request.order_id}", new=True
            )
            await self._floor.until(request.order_id, lambda order: order.end != "")
        except CannotBePaid:  # a real history has prices of fractions of a penny
            self._placed.discard(request.order_id)
        finally:
            self._room.release()

    async def _back(self, request: Back) -> None:
        """Cancel the order if possible; else return the goods once they have been delivered."""
        id, name = request.order_id, f"{request.command.return_id} of {request.order_id}"
        await self._floor.until(id, lambda order: order.status != "")
        if request.whole:
            try:
                cancel = CancelOrder(reason=f"the customer sent {request.command.return_id}")
                await self._dispatched(id, cancel, f"cancel {name}")
                return
            except AlreadyShipped:
                pass
        order = await self._floor.until(id, lambda order: order.is_settled)
        if order.status == "delivered":
            with suppress(CannotBePaid, exchanges.CannotBePaid):
                if request.exchange and self._scarce.isdisjoint(
                    of.sku for of in request.exchange.back
                ):
                    await self._exchange(f"{id}-{request.command.return_id}", request.exchange)
                else:
                    await self._dispatched(id, request.command, f"return {name}")

    async def _exchange(self, id: str, request: RequestExchange) -> None:
        """Request an exchange, send the goods back, and wait until it has ended."""
        await self._dispatched(id, request, f"exchange {id}", new=True)
        with suppress(exchanges.ExchangeIsClosed):  # the replacement is not available
            await self._dispatched(id, ReceiveGoods(), f"goods of {id}")
        await self._floor.until_exchanged(id)

    async def _dispatched(self, id: str, command: Command, name: str, *, new: bool = False) -> None:
        """Dispatch the command once, in several attempts if needed: its id is made of its name."""
        command_id = uuid5(NAMESPACE_OID, f"simulation {name}")
        context = Context.start("a customer", command_id, self._clock())
        for attempt in count(1):
            try:
                await self._dispatch(id, command, context, new=new)
                return
            except (StoreUnavailable, TooMuchContention):
                if attempt == ATTEMPTS:
                    raise
                await self._sleep(0.05 * 2**attempt)


async def _unless(closed: asyncio.Event, wait: Coroutine[Any, Any, None]) -> None:
    """Wait, at most until the shop is closed."""
    waits = [asyncio.create_task(wait), asyncio.create_task(closed.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
