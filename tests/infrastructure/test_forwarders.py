"""The role of forwarders: one process publishes, and shows how far it is and what keeps it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from dependency_injector import providers

from infrastructure.monitoring import alerts
from infrastructure.program import Deployment
from infrastructure.roles import ALL, Role, numbers
from infrastructure.settings import Settings
from tests.application.test_forwarding import FlakyBus
from tests.infrastructure.test_roles import process, tasks
from tests.promql import Scrapes
from tests.sample.client import Bank, empty_bank
from tests.sample.program import BANK
from tests.sample.service import SAMPLE
from tests.waiting import until, until_true

CREDITED = "bank.account"


class Published(Bank):
    """A client of a bank whose events are published, and its bus."""

    @property
    def bus(self) -> FlakyBus:
        bus: FlakyBus = self.container.bus()
        return bus

    def is_published(self) -> bool:
        return bool(self.bus.records[CREDITED])

    async def shows(self, sample: str) -> bool:
        """Whether a line of the metrics begins like that."""
        return f"\n{sample}" in (await self.http.get("/metrics")).text

    async def fires(self, name: str) -> bool:
        """Whether that alert is true of what this process shows."""
        alert = next(one for one in alerts(SAMPLE) if one.name == name)
        shown = (await self.http.get("/metrics")).text
        return bool(Scrapes(shown, shown).finds(alert.expression))

    async def says(self, what: str) -> bool:
        """Whether the process is ready, and says this of the bus, among other words."""
        return re.search(rf"\b{re.escape(what)}\b", await self._check()) is not None

    async def _check(self) -> str:
        answer = await self.http.get("/health/ready")
        return str(answer.json()["checks"]["bus"]) if answer.is_success else ""


@asynccontextmanager
async def publishing(*, away: bool = False) -> AsyncIterator[Published]:
    """A process of all roles over a bus in memory."""
    container = empty_bank(bus="kafka", kafka_bootstrap_servers=("kafka:9092",))
    bus = FlakyBus(SAMPLE.contract.topics)
    bus.away = away
    container.bus.override(providers.Object(bus))
    async with process(ALL, container) as one:
        yield Published(one.http, one.container)


async def test_the_forwarder_runs_in_its_role() -> None:
    """What is appended is published; readiness and metrics show that nothing is wrong."""
    async with publishing() as bank:
        await bank.deposited("a", 1)
        await until(bank.is_published)
        await until_true(lambda: bank.shows("headwater_forwarder_published_total 1.0"))
        await until_true(lambda: bank.shows("headwater_forwarder_lag_seconds 0.0"))
        assert await bank.shows("headwater_forwarder_active 1.0")
        await until_true(lambda: bank.says("ok"))
        for name in ("ForwarderFailed", "NoForwarder", "PublishedLate"):
            assert not await bank.fires(name), name


async def test_commands_go_on_while_the_bus_is_away() -> None:
    """The process stays ready and shows why nothing is published; then it catches up by itself."""
    async with publishing() as bank:
        await until_true(lambda: bank.shows("headwater_forwarder_lag_seconds 0.0"))
        bank.bus.away = True
        bank.bus.opened += 1  # what it had open is lost
        await bank.deposited("a", 1)
        await until_true(lambda: bank.says("the broker does not answer"))
        await bank.deposited("b", 1)
        await until_true(lambda: bank.shows("headwater_forwarder_failures_total"))
        assert not await bank.fires("ForwarderFailed")
        bank.bus.away = False
        await until(lambda: len(bank.bus.records[CREDITED]) == 2)
        await until_true(lambda: bank.says("ok"))


async def test_a_bus_that_is_away_from_the_start_raises_an_alert() -> None:
    """Nothing is known of the lag then."""
    async with publishing(away=True) as bank:
        await until_true(lambda: bank.says("the broker does not answer"))
        assert not await bank.shows("headwater_forwarder_lag_seconds")
        assert await bank.fires("NoForwarder")
        bank.bus.away = False
        await until_true(lambda: bank.says("ok"))
        assert not await bank.fires("NoForwarder")


async def test_what_a_person_has_to_mend_raises_an_alert() -> None:
    """A record that is too large stops the forwarder until its topic takes it."""
    async with publishing() as bank:
        bank.bus.largest = 1
        await bank.deposited("a", 1)
        await until_true(lambda: bank.fires("ForwarderFailed"))
        await until_true(lambda: bank.says("max.message.bytes"))
        bank.bus.largest = 1_000
        await until(bank.is_published)
        await until_true(lambda: bank.says("ok"))
        assert not await bank.fires("ForwarderFailed")


async def test_without_a_bus_nothing_is_forwarded() -> None:
    """The role has no task and no check then, and no alert misses it."""
    async with process({Role.FORWARDERS}) as one:
        assert "forwarder" not in tasks()
        bank = Published(one.http, one.container)
        assert "bus" not in (await one.ready())
        assert not await bank.fires("NoForwarder")


async def test_a_process_of_another_role_misses_the_forwarder() -> None:
    """Where a bus is set and no process publishes, an alert is raised."""
    container = empty_bank(bus="kafka", kafka_bootstrap_servers=("kafka:9092",))
    async with process({Role.SAGAS}, container) as one:
        assert await Published(one.http, one.container).fires("NoForwarder")


def test_a_process_of_forwarders_is_there_where_something_is_published() -> None:
    """It needs integration events, and a bus for them."""
    kafka = Settings(bus="kafka", kafka_bootstrap_servers=("kafka:9092",))
    silent = replace(BANK, service=replace(SAMPLE, publishes=()))
    assert Deployment(BANK, kafka).forwards
    for idle in (Deployment(BANK, Settings()), Deployment(silent, kafka)):
        assert not idle.forwards
        assert Role.FORWARDERS not in numbers([], idle.idle)


def test_forwarders_that_fence_each_other_raise_an_alert() -> None:
    """Fenced once is no alarm, and fenced again and again is."""
    alert = next(one for one in alerts(SAMPLE) if one.name == "ForwarderFenced")
    shown = 'headwater_forwarder_failures_total{{kind="fenced"}} {}\n'
    assert not Scrapes(shown.format(0), shown.format(1)).finds(alert.expression)
    assert Scrapes(shown.format(0), shown.format(30)).finds(alert.expression)
