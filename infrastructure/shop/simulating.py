"""A simulation: a shop with servers of its own, customers, a warehouse, and faults of providers."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, get_args

from aiohttp import ClientSession
from pydantic import BaseModel, ConfigDict

from application.consuming import GroupConsumer
from application.shop.auditing import Verdict, audit
from application.shop.importing.rows import Source
from application.shop.simulation import (
    Customers,
    Floor,
    Staff,
    Stocking,
    Tally,
    opening_stock,
    traffic,
)
from application.shop.simulation.warehouse import EVENTS, GROUP
from application.shop.warehouse import Warehouse
from application.whole_log import Report, unreported
from infrastructure.container import Container
from infrastructure.processes.needs import APART
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment
from infrastructure.providers.simulated.faults import Kind
from infrastructure.shop.providers import PAYMENT_PROVIDER, SETTINGS
from infrastructure.shop.settings import ShopSettings

PATIENCE: Final = 2.0  # seconds that a provider gets
_SECONDS: Final = {"slow": 0.2, "late": PATIENCE + 0.5}  # a late call acts, but is given up


@dataclass(frozen=True)
class Options:
    """The options of a simulation. ``speed``: times faster than real time; ``None``: no limit."""

    speed: float | None
    orders: int | None
    fault_rate: float
    shortage: float
    exchanges: float
    workers: int
    seed: int


class Seen(BaseModel):
    """The counts of a simulation so far."""

    model_config = ConfigDict(frozen=True)

    tally: Tally
    struck: Mapping[str, int]  # calls to the providers, by the kind of fault
    short: int  # orders that are left short of stock

    @property
    def faults(self) -> int:
        return sum(self.struck.values())


@asynccontextmanager
async def shop_opened(deployment: Deployment) -> AsyncIterator["SimulatedShop"]:
    """Servers of their own in the home of these settings. Raises ``CommandFailed``."""
    others: dict[str, object] = dict.fromkeys(SETTINGS)
    others["eventstoredb_uri"] = None  # only: eventstoredb
    others["postgres_uri"] = None  # only: postgres
    others["temporal_address"] = None  # only: temporal
    others["bus"] = "none"  # only: bus
    own = deployment.settings.model_copy(update=others)
    async with (
        opened_for(replace(deployment, settings=own), APART, PATIENCE) as container,
        ClientSession(raise_for_status=True) as operator,
    ):
        yield SimulatedShop(container, operator)


class SimulatedShop:
    """The shop with its customers, warehouse and saga workers."""

    def __init__(self, container: Container, operator: ClientSession) -> None:
        self._container, self._operator = container, operator
        settings = container.settings()
        assert isinstance(settings, ShopSettings)
        uri = settings.payment_provider_uri
        assert uri is not None  # the caller has set it
        self._faults = f"{uri.removesuffix(f'/{PAYMENT_PROVIDER.name}')}/faults"
        self._floor, self._stocking = Floor(), Stocking({}, frozenset())

    async def run(self, source: Source, options: Options, closed: asyncio.Event) -> None:
        """Run until all requests are carried out and everything has settled.

        When it is ``closed``, requests under way are finished, and no more are made.
        """
        self._stocking = await asyncio.to_thread(_stocking, source, options)
        await self._set_faults(options)
        customers = Customers(
            self._container.dispatch(),
            self._floor,
            _now,
            speed=options.speed,
            scarce=self._stocking.scarce,
        )
        await customers.fill_shelves(self._stocking.units)
        async with _at_work(self._staff(options.workers)) as staff:
            requests = traffic(source, options.orders, options.exchanges)
            visits = customers.come(requests, closed)
            await _unless_fallen(visits, staff)
            await _unless_fallen(self._floor.until_settled(), staff)

    async def seen(self) -> Seen:
        """The counts now."""
        async with self._operator.get(f"{self._faults}/struck") as answer:
            struck = await answer.json()
        return Seen(tally=self._floor.tally, struck=struck, short=len(self._stocking.short))

    async def audit(self, report: Report = unreported) -> Verdict:
        """Whether it adds up."""
        container = self._container
        log, payloads = container.subscriptions(), container.payloads()
        return await audit(log, payloads, container.outside().audit, report)

    async def _set_faults(self, options: Options) -> None:
        kinds = get_args(Kind)
        share = options.fault_rate / len(kinds)
        faults = [{"kind": kind, "rate": share, "seconds": _SECONDS.get(kind, 0)} for kind in kinds]
        plan = {"faults": faults if share else [], "seed": options.seed}
        async with self._operator.put(self._faults, json=plan):
            pass  # raised for an error

    def _staff(self, workers: int) -> Iterator[Coroutine[Any, Any, None]]:
        container = self._container
        yield self._floor.watch(container.subscriptions(), container.payloads())
        yield from (one.run() for one in container.deadlines().values())
        yield from (work() for work in container.engine_work().values())  # only: temporal
        yield from (one.run() for one in container.reactions().values())
        yield warehouse_staff(container).run()
        for _ in range(workers):
            for worker in container.saga_workers().values():
                yield worker.run()


def warehouse_staff(container: Container) -> GroupConsumer:
    """The warehouse's part, which people do elsewhere."""
    warehouse = Warehouse(container.dispatch(), container.outside().carrier)
    return GroupConsumer(
        GROUP,
        EVENTS,
        Staff(warehouse, _now).handle,
        container.consumer_groups(),
        container.event_store(),
        container.payloads(),
        container.parking(GROUP),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _stocking(source: Source, options: Options) -> Stocking:
    requests = traffic(source, options.orders, options.exchanges)
    return opening_stock(requests, options.shortage, options.seed)


@asynccontextmanager
async def _at_work(
    staff: Iterator[Coroutine[Any, Any, None]],
) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.create_task(one) for one in staff]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _unless_fallen(work: Coroutine[Any, Any, None], staff: list[asyncio.Task[None]]) -> None:
    """Wait for the work. If another task ends before, raise its error."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task, *staff], return_when=asyncio.FIRST_COMPLETED)
        for one in staff:
            if one.done():
                one.result()
        await task
    finally:
        task.cancel()
