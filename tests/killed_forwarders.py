"""Forwarders that are killed, each at a later await: ``python -m tests.killed_forwarders``.

Arguments: the brokers, the prefix of the topics, the awaits at which to kill, and how many of them
lie between two forwarders. Each forwarder is a fork of this process, so it has the same log. It
gets SIGKILL when its event loop has turned so many times; every second one at a random moment, for
much happens while the loop waits. The last one is not killed, and ends when all is published.
Prints what was to be published, by key, in order.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import defaultdict
from uuid import uuid4

from application.forwarding import Forwarder
from application.log_end import LogEnd
from application.messages import Context
from application.writability import Writability
from infrastructure import kafka, memory
from tests.application.test_forwarding import Observed
from tests.kafka_topics import settings
from tests.projection_specification import at
from tests.sample.accounts import Deposited
from tests.sample.service import SAMPLE
from tests.waiting import until

KEYS = 5
EVENTS = 60  # for each forwarder
BATCH = 4
LIFE = 0.6  # seconds, in which a forwarder has published about so many


class MortalLoop(asyncio.SelectorEventLoop):
    """Kills its process when it has turned so many times."""

    turns = -1

    def _run_once(self) -> None:
        if self.turns == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.turns -= 1
        super()._run_once()  # type: ignore[misc]  # a method of the standard library


async def record(log: memory.EventStore, first: int) -> int:
    """More deposits, on each account in turn. Returns how many there are now."""
    context = Context.start("a test", uuid4(), at(0))
    for number in range(first, first + EVENTS):
        event = Deposited(deposit_id=f"d-{number}", amount=1)
        new = SAMPLE.catalogue.new_event(event, uuid4(), context)
        await log.append(f"account-{number % KEYS}", [new], number // KEYS - 1)
    return first + EVENTS


async def forward(log: memory.EventStore, bus: kafka.Bus, *, for_ever: bool) -> None:
    """Or else until all that is in the log is on the bus."""
    subscriptions = memory.Subscriptions(log)
    forwarder = Forwarder(
        SAMPLE.contract,
        subscriptions,
        log,
        None,
        bus,
        memory.Leases(),
        LogEnd(subscriptions, Writability(log, "here")),
        Observed(),
        holder=str(os.getpid()),
        batch=BATCH,
    )
    task = asyncio.create_task(forwarder.run())
    await until(
        lambda: not for_ever and forwarder.status().position == log.last_position, every=0.01
    )
    task.cancel()
    await asyncio.wait([task])


def forked(
    log: memory.EventStore, bus: kafka.Bus, turns: int = -1, seconds: float | None = None
) -> bool:
    """Whether that forwarder was killed, after so many turns or seconds."""
    if child := os.fork():
        if seconds is not None:
            time.sleep(seconds)
            os.kill(child, signal.SIGKILL)
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    try:  # this process must not go on as its parent does
        loop = MortalLoop()
        loop.turns = turns
        for_ever = turns >= 0 or seconds is not None
        loop.run_until_complete(forward(log, bus, for_ever=for_ever))
    finally:
        os._exit(0)


def main(brokers: str, prefix: str, awaits: str, step: str) -> None:
    log = memory.EventStore(SAMPLE.catalogue)
    bus = kafka.Bus(settings(brokers), SAMPLE.name, SAMPLE.contract.topics, prefix)
    killed = 0
    last = asyncio.run(record(log, 0))
    for number, turns in enumerate(range(1, int(awaits), int(step))):
        at_random = number % 2 == 1
        seconds = random.uniform(0.05, LIFE) if at_random else None
        killed += forked(log, bus, -1 if at_random else turns, seconds)
        last = asyncio.run(record(log, last))
    forked(log, bus)
    expected = defaultdict(list)
    for event in log.after(-1, 1_000_000):
        expected[event.stream_id].append(str(event.id))
    print(json.dumps({"killed": killed, "expected": expected}))


if __name__ == "__main__":
    main(*sys.argv[1:])
