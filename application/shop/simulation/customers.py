"""The customers: they order at their time, think better of it, and send things back."""

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
from application.shop.simulation.traffic import Back, Place, Wish
from domain import exchanges
from domain.decider import Command
from domain.exchanges import ReceiveGoods, RequestExchange
from domain.orders import AlreadyShipped, CancelOrder, CannotBePaid
from domain.stock import ReceiveStock

AT_ONCE: Final = 32  # orders under way: more only get in each other's way at the same shelves
ATTEMPTS: Final = 8
Sleep = Callable[[float], Awaitable[object]]


class Customers:
    """Bring the traffic of a history to a shop."""

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
                await self._tell(sku, received, f"opening {sku}")

        async with asyncio.TaskGroup() as tasks:
            for sku, quantity in units.items():
                if quantity > 0:
                    tasks.create_task(fill(sku, quantity))

    async def come(self, wishes: Iterable[Wish], closed: asyncio.Event) -> None:
        """Let all have their wish, or all that have come when the shop is ``closed``."""
        async with asyncio.TaskGroup() as tasks:
            for wish in wishes:
                await _unless(closed, self._its_time(wish.moment))
                match wish:
                    case Place():
                        await self._room.acquire()
                        if closed.is_set():
                            return
                        self._placed.add(wish.order_id)
                        tasks.create_task(self._place(wish))
                    case Back() if wish.order_id in self._placed and not closed.is_set():
                        tasks.create_task(self._back(wish))
                    case Back():
                        pass
                    case _:
                        assert_never(wish)

    async def _its_time(self, moment: datetime) -> None:
        if self._speed is None:
            return
        now = self._clock()
        then, began = self._first = self._first or (moment, now)
        early = (moment - then) / self._speed - (now - began)
        await self._sleep(max(0.0, early.total_seconds()))

    async def _place(self, wish: Place) -> None:
        try:
            await self._tell(wish.order_id, wish.command, f"place {wish.order_id}", new=True)
            await self._floor.until(wish.order_id, lambda order: order.end != "")
        except CannotBePaid:  # a real history has prices of fractions of a penny
            self._placed.discard(wish.order_id)
        finally:
            self._room.release()

    async def _back(self, wish: Back) -> None:
        """Cancelled if it can be; else the goods come back once they have been delivered."""
        id, name = wish.order_id, f"{wish.command.return_id} of {wish.order_id}"
        await self._floor.until(id, lambda order: order.status != "")
        if wish.whole:
            try:
                cancel = CancelOrder(reason=f"the customer sent {wish.command.return_id}")
                await self._tell(id, cancel, f"cancel {name}")
                return
            except AlreadyShipped:
                pass
        order = await self._floor.until(id, lambda order: order.is_settled)
        if order.status == "delivered":
            with suppress(CannotBePaid, exchanges.CannotBePaid):
                if wish.exchange and self._scarce.isdisjoint(of.sku for of in wish.exchange.back):
                    await self._exchange(f"{id}-{wish.command.return_id}", wish.exchange)
                else:
                    await self._tell(id, wish.command, f"return {name}")

    async def _exchange(self, id: str, request: RequestExchange) -> None:
        """Ask for other goods, post those that go back, and wait until all is done."""
        await self._tell(id, request, f"exchange {id}", new=True)
        with suppress(exchanges.ExchangeIsClosed):  # it cannot be had
            await self._tell(id, ReceiveGoods(), f"goods of {id}")
        await self._floor.until_exchanged(id)

    async def _tell(self, id: str, command: Command, name: str, *, new: bool = False) -> None:
        """Tell it once, in however many attempts: its id follows from its name."""
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
    """Wait, but no longer than the shop is open."""
    waits = [asyncio.create_task(wait), asyncio.create_task(closed.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
