"""The forwarder on a real broker: each record once and in order per key, whatever breaks."""

import asyncio
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from uuid import uuid4

import pytest

from application.ports import Fenced
from application.projections.status import State
from application.receiving import cloud_events
from infrastructure import kafka
from tests.application.test_forwarding import Bank, Claimed, running
from tests.kafka_topics import committed, configure, create, settings
from tests.sample.accounts import Deposited
from tests.sample.service import SAMPLE
from tests.servers import KAFKA, require_here, started
from tests.waiting import PATIENCE, until, until_true

ByKey = Mapping[str, Sequence[str]]
TOPIC = "bank.account"


class OnKafka:
    """A log in memory whose events go to topics of this test's own."""

    def __init__(self, brokers: str) -> None:
        self.brokers, self.prefix = brokers, f"{uuid4()}."
        names = (SAMPLE.name, SAMPLE.contract.topics, self.prefix)
        self.bus = kafka.Bus(settings(brokers), *names, transaction=2)
        self.bank = Bank(bus=self.bus)  # type: ignore[arg-type]  # it is a Bus, too

    async def deposit(self, *accounts: str) -> None:
        for account in accounts:
            await self.bank.record(f"account-{account}", Deposited(deposit_id="d", amount=1))

    @property
    def expected(self) -> ByKey:
        """The ids of all events, by key."""
        found = defaultdict(list)
        for recorded in self.bank.log.after(-1, 10_000):
            found[recorded.stream_id].append(str(recorded.id))
        return found

    def published(self) -> ByKey:
        return published(self.brokers, self.prefix)

    async def all_published(self) -> None:
        end = self.bank.log.last_position

        async def is_there() -> bool:
            standing = await self.bus.standing()
            return standing is not None and standing.position >= end

        await until_true(is_there)
        assert self.published() == self.expected


def published(brokers: str, prefix: str) -> ByKey:
    """The ids of what readers of committed records see, by key, in the order of their topic."""
    found = defaultdict(list)
    for record in committed(brokers, f"{prefix}{TOPIC}"):
        found[(record.key or b"").decode()].append(cloud_events.read(record).id)
    return found


@pytest.fixture
async def here(kafka: str) -> OnKafka:
    here = OnKafka(kafka)
    await here.bus.create_topics(3, 1)
    return here


async def test_nothing_is_lost_or_repeated_when_it_is_killed(here: OnKafka) -> None:
    """SIGKILL at one await after the other, and at random: of forty forwarders, each goes on where
    one ended."""
    killed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.killed_forwarders", here.brokers, here.prefix, "160", "4"),
        stdout=subprocess.PIPE,
    )
    found = json.loads((await killed.communicate())[0])
    assert found["killed"] == 40
    assert here.published() == found["expected"]


async def test_two_that_know_nothing_of_each_other_repeat_nothing(here: OnKafka) -> None:
    """Each start fences the other one, in turns; each record is there once, and in order."""
    (ann, seen), (bob, also_seen) = (
        replace(here.bank, leases=Claimed()).forwarder(name) for name in ("ann", "bob")
    )

    def fenced() -> bool:
        return any(isinstance(error, Fenced) for error in (*seen.losses, *also_seen.losses))

    async with running(ann), running(bob), asyncio.timeout(PATIENCE):
        for number in count():
            await here.deposit(f"{number % 4}")
            await asyncio.sleep(0.02)
            if number >= 30 and fenced():
                break
        await here.all_published()


async def test_one_that_is_stopped_gives_up_what_is_on_its_way(here: OnKafka) -> None:
    """It ends within a second, in the middle of a transaction; the next one publishes it."""
    for turns in range(12):
        await here.deposit("a", "b")
        async with running(here.bank.forwarder()[0]), asyncio.timeout(PATIENCE):
            await asyncio.sleep(turns / 20)
    async with running(here.bank.forwarder()[0]):
        await here.all_published()


async def test_a_topic_that_is_too_small_or_missing_is_mended(kafka: str) -> None:
    """Once it is there, or takes larger records, the forwarder goes on by itself."""
    here = OnKafka(kafka)
    forwarder, seen = here.bank.forwarder()
    async with running(forwarder):
        await here.deposit("a")
        await until(lambda: TOPIC in str(forwarder.fault))
        prefixed = [f"{here.prefix}{topic}" for topic in SAMPLE.contract.topics]
        await asyncio.to_thread(create, kafka, *prefixed, config={"max.message.bytes": "300"})
        await here.bus.create_topics(1, 1)
        await until(lambda: bool(seen.failures))
        assert "raise max.message.bytes" in str(seen.failures[0])
        standing = await here.bus.standing()
        assert standing is not None
        assert "account-a@0" in (standing.failure or "")
        await asyncio.to_thread(configure, kafka, prefixed, {"max.message.bytes": "100000"})
        await here.all_published()
        await until(lambda: forwarder.fault is None)


async def test_a_restored_log_is_noticed(here: OnKafka) -> None:
    """What is on the bus is ahead of it: nothing more is published."""
    await here.deposit("a")
    end = here.bank.log.last_position
    await here.deposit("a")
    async with running(here.bank.forwarder()[0]):
        await here.all_published()
    before = here.published()
    here.bank.log.restore(end)
    await here.deposit("b", "c")
    forwarder, seen = here.bank.forwarder()
    async with running(forwarder):
        await until(lambda: bool(seen.failures))
    assert "an older backup of the event store was restored" in str(forwarder.fault)
    assert here.published() == before


async def test_commands_go_on_while_the_broker_is_down() -> None:
    """Killed and started again: the lag is shown, and the forwarder catches up by itself."""
    require_here(KAFKA)
    with started(KAFKA) as server:
        here = OnKafka(server.address)
        await here.bus.create_topics(1, 1)
        forwarder, seen = here.bank.forwarder()
        async with running(forwarder):
            await here.deposit("a")
            await here.all_published()
            await asyncio.to_thread(server.kill)
            await here.deposit("a", "b")
            await until(lambda: bool(seen.losses))
            await here.deposit("c")
            assert forwarder.status().state is State.RECONNECTING
            assert (forwarder.status().lag_seconds or 0) > 0
            await asyncio.to_thread(server.start_again)
            await here.all_published()
            await until(lambda: forwarder.fault is None)
