"""What the encryption of personal data costs, in processor time; all in one run, by turns.

python -m tests.application.measure_protection
"""

import asyncio
from collections.abc import Sequence
from time import process_time
from uuid import uuid4

from application.claim_check import ClaimCheck, claim_all
from application.messages import Context, NewEvent, RecordedEvent
from application.ports import NO_STREAM, EventStore
from domain.decider import Event
from domain.values import Money
from infrastructure import memory
from tests.application.protected import Protection
from tests.application.snapped import NOON
from tests.sample.service import SAMPLE
from tests.sample.transfers import TransferReminded, TransferRequested

NUMBER, TURNS = 1000, 7
PERSONAL = TransferRequested(
    source="ann", target="bob", amount=3, fee=Money.parse("1 EUR"), note="for the operation"
)
OTHER = TransferReminded(reminder_id="r-1")


def new(event: Event) -> list[NewEvent]:
    context = Context.start("a test", uuid4(), NOON)
    return [SAMPLE.catalogue.new_event(event, uuid4(), context) for _ in range(NUMBER)]


async def appended(store: EventStore, events: Sequence[NewEvent]) -> float:
    """Microseconds of processor for each."""
    began = process_time()
    await store.append(f"transfer-{uuid4()}", events, NO_STREAM)
    return (process_time() - began) / NUMBER * 1e6


async def read(events: Sequence[RecordedEvent]) -> float:
    """The same, until each is an event."""
    began = process_time()
    for recorded in await claim_all(events, None):
        _ = recorded.event
    return (process_time() - began) / NUMBER * 1e6


async def measured(event: Event, protection: Protection | None) -> tuple[float, float]:
    catalogue = protection.of(SAMPLE.catalogue) if protection else SAMPLE.catalogue
    inner = memory.EventStore(catalogue)
    store = protection.over(inner) if protection else ClaimCheck(inner, None)
    return await appended(store, new(event)), await read(inner.after(-1, NUMBER))


async def main() -> None:
    protection = Protection()
    cases = {
        "no personal data, not declared": (OTHER, None),
        "no personal data, declared elsewhere": (OTHER, protection),
        "personal data, not encrypted": (PERSONAL, None),
        "personal data, encrypted": (PERSONAL, protection),
    }
    turns = [{name: await measured(*case) for name, case in cases.items()} for _ in range(TURNS)]
    for name in cases:
        append, reading = (
            sorted(column)[TURNS // 2]
            for column in zip(*(turn[name] for turn in turns), strict=True)
        )
        print(f"{name:40} append {append:6.1f} µs   read {reading:6.1f} µs")


if __name__ == "__main__":
    asyncio.run(main())
