"""Personal data in integration events: encrypted on the bus, opened by a service with the keys."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final

import pytest

from application.command_dispatch import CommandDispatch
from application.forwarding import Forwarder
from application.integration_events import Contract, IntegrationEvent, Publication
from application.log_end import LogEnd
from application.personal.published import PublishedPersonalData, has_personal
from application.personal.sealing import Unopened
from application.ports import BusRecord
from application.receiving.handling import Handling
from application.receiving.incoming import Incoming
from application.receiving.shelf import Shelf
from application.writability import Writability
from domain.decider import Command
from domain.personal import MASK, Personal, Subject
from infrastructure import memory
from tests.application.protected import Protection, give
from tests.application.receiving_world import NOON, headers
from tests.application.test_forwarding import Observed, running
from tests.sample.aggregates import TRANSFER
from tests.sample.service import SAMPLE
from tests.sample.transfers import RequestTransfer, TransferRequested
from tests.waiting import until

SECRET: Final = "for the operation"


class Noted(IntegrationEvent, name="transfer.noted"):
    """What somebody wrote on a transfer."""

    source: Annotated[str, Subject]
    amount: int
    note: Annotated[str | None, Personal] = None


NOTED: Final = Publication(
    TRANSFER,
    {
        TransferRequested: lambda _, event: Noted(
            source=event.source, amount=event.amount, note=event.note
        )
    },
    (Noted,),
)
CONTRACT: Final = Contract("bank", (NOTED,))
TYPE: Final = "bank.transfer.noted.v1"
READS: Final = Incoming("bank", ("bank.transfer",), {Noted: lambda _: []})


async def published(protection: Protection) -> BusRecord:
    """The record of a transfer with a note, as a forwarder has put it on the bus."""
    log = memory.EventStore(protection.of(SAMPLE.catalogue))
    request = RequestTransfer(source="ann", target="bob", amount=3, note=SECRET)
    await give(protection.over(log), "t-1", request)
    bus, subscriptions = memory.Bus(CONTRACT.topics), memory.Subscriptions(log)
    forwarder = Forwarder(
        CONTRACT,
        subscriptions,
        log,
        protection.payloads,
        bus,
        memory.Leases(),
        LogEnd(subscriptions, Writability(log, "here")),
        Observed(),
        holder="ann",
        sealed=PublishedPersonalData(CONTRACT, protection.keyring).sealed,
    )
    async with running(forwarder):
        await until(lambda: bool(bus.records["bank.transfer"]))
    (one,) = bus.records["bank.transfer"]
    attributes = headers(one.event.id, one.event.type, source="/bank/transfer")
    return BusRecord(
        "bank.transfer", 0, 0, one.key.encode(), one.event.data, tuple(attributes), NOON
    )


async def received(record: BusRecord, protection: Protection | None) -> str | None:
    """The note as a receiver reads it, with these keys or none."""
    store, seen = memory.EventStore(SAMPLE.catalogue), list[str | None]()

    def read(event: Noted) -> Sequence[tuple[str, Command]]:
        seen.append(event.note)
        return []

    handling = Handling(
        Incoming("bank", ("bank.transfer",), {Noted: read}),
        CommandDispatch(store, SAMPLE.catalogue),
        Shelf(store, "bank", lambda: NOON),
        lambda: NOON,
    )
    if protection:
        opened = PublishedPersonalData(CONTRACT, protection.keyring).opened
        handling = replace(handling, opened=opened)
    await handling.carry_out(handling.read(record))
    (note,) = seen
    return note


async def test_a_record_has_no_personal_text() -> None:
    """It has the mask and the box; what is not personal can be read by everybody."""
    record = await published(Protection())

    assert record.value is not None
    assert SECRET.encode() not in record.value
    assert f'"note":"{MASK}"'.encode() in record.value
    assert Noted.model_validate_json(record.value) == Noted(source="ann", amount=3, note=MASK)


async def test_a_receiver_with_the_keys_reads_it_until_it_is_forgotten() -> None:
    """Others read the mask at once, and so does it, once the subject is forgotten."""
    protection = Protection()
    record = await published(protection)

    assert await received(record, protection) == SECRET
    assert await received(record, None) == MASK
    assert await received(record, Protection()) == MASK
    await protection.forget("ann")
    assert await received(record, protection) == MASK


async def test_a_damaged_box_is_no_data() -> None:
    """A record that was changed, or put under another event, is an error and not a mask."""
    protection = Protection()
    record = await published(protection)
    other = replace(record, headers=tuple(headers("4f1a3d0c-2d0e-4a55-8f5e-6a9d1b2c3d4e", TYPE)))

    with pytest.raises(Unopened):
        await received(other, protection)


async def test_what_was_forgotten_is_published_as_its_mask() -> None:
    """Publishing goes on: the event reads as masks, and so does its record."""
    protection = Protection()
    await protection.keys.destroy("ann")

    record = await published(protection)

    assert record.value is not None
    assert b"$personal" not in record.value
    assert Noted.model_validate_json(record.value).note == MASK


def test_a_service_without_personal_fields_needs_no_keys() -> None:
    """Neither what the sample publishes nor what it receives has any; these have."""
    assert not has_personal(SAMPLE.contract, SAMPLE.receives)
    assert has_personal(CONTRACT, ())
    assert has_personal(SAMPLE.contract, (READS,))
