"""An import that is disturbed, stopped or repeated ends where an undisturbed one does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

from application.command_dispatch import CommandDispatch
from application.messages import Context, NewEvent, RecordedEvent
from application.ports import Appended, EventStore, StoreUnavailable
from application.shop.importing import ImportStopped, import_history
from application.shop.service import SHOP
from domain.orders import PlaceOrder, ReturnLines
from infrastructure import memory
from tests.application.test_backpressure import REFUSE, Gate
from tests.shop.application.histories import back, bring_in, events, history, line, recorded, row

UUID_1 = UUID(int=1)


@pytest.fixture
def store() -> memory.EventStore:
    return memory.EventStore(SHOP.catalogue)


# ── stopping and repeating ───────────────────────────────────────────────────────────────────────


class Unreliable:
    """An event store that does not answer at first, though it may have done what it was asked."""

    def __init__(self, store: EventStore, failures: int, *, after_append: bool) -> None:
        self._store, self.failures, self._after = store, failures, after_append

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        if self.failures and self._after:
            await self._store.append(stream, events, expected_version)
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("nobody there")
        return await self._store.append(stream, events, expected_version)

    def read(
        self,
        stream: str,
        *,
        from_version: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        return self._store.read(stream, from_version=from_version, backwards=backwards, limit=limit)


async def _no_pause(_attempt: int) -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize("after_append", [False, True])
async def test_a_store_that_does_not_answer_is_asked_again(
    store: memory.EventStore, after_append: bool
) -> None:
    """Nothing is lost, and nothing is there twice when only the answer was lost."""
    unreliable = Unreliable(store, failures=5, after_append=after_append)
    rows = history(row("1"), row("C2", quantity=-1), row("C3", quantity=-1))

    await import_history(rows, CommandDispatch(unreliable, SHOP.catalogue), pause=_no_pause)

    assert unreliable.failures == 0
    assert [it.type for it in await recorded(store, "order-1")] == [
        "OrderPlaced",
        "LinesReturned",
        "LinesReturned",
    ]


async def test_an_import_stops_when_the_store_stays_away(store: memory.EventStore) -> None:
    """One clear error, and the same import brings everything in when the store is back."""
    unreliable = Unreliable(store, failures=10**6, after_append=False)
    rows = history(*(row(str(invoice)) for invoice in range(100)))

    with pytest.raises(ImportStopped, match=r"0 of 100 lines .* Run the same import again"):
        await import_history(rows, CommandDispatch(unreliable, SHOP.catalogue), pause=_no_pause)
    unreliable.failures = 0

    assert (await import_history(rows, CommandDispatch(unreliable, SHOP.catalogue))).orders == 100


async def test_an_order_that_stands_otherwise_is_rejected_with_its_returns(
    store: memory.EventStore,
) -> None:
    """What somebody else placed under the number of an invoice is left alone."""
    context = Context.start("a clerk", UUID_1, datetime(2026, 1, 1, tzinfo=UTC))
    other = PlaceOrder(lines=(line("x", 10, "1 GBP", None),), from_history=True)
    await CommandDispatch(store, SHOP.catalogue)("1", other, context)

    report = await bring_in(store, row("1", "x", 6), row("C2", "x", -1), row("3", "x"))

    assert [(it.line, it.reason) for it in report.rejected_lines] == [
        (2, "Another order has been placed under this id"),
        (3, "The order of this step was refused"),
    ]
    assert report.orders == 1
    assert len(await events(store, "order-1")) == 1


async def test_a_return_that_no_longer_fits_is_rejected(store: memory.EventStore) -> None:
    """When goods came back in another way since the first attempt, the domain has the last word."""
    await bring_in(store, row("1", "x", 6))
    context = Context.start("a clerk", UUID_1, datetime(2026, 1, 1, tzinfo=UTC))
    await CommandDispatch(store, SHOP.catalogue)(
        "1", ReturnLines(return_id="r", lines=(back(1, 5),)), context
    )

    report = await bring_in(store, row("1", "x", 6), row("C2", "x", -2))

    reasons = [it.reason for it in report.rejected_lines]
    assert reasons == ["No more units can be returned than were ordered"]


# ── waiting for read models ──────────────────────────────────────────────────────────────────────


async def test_an_import_that_had_to_wait_loses_no_line(store: memory.EventStore) -> None:
    """Each command of it passes the gate; all lines are in the store in the end."""
    gate = Gate()
    gate.saw(0.0)
    gate.saw(REFUSE + 100)
    lines = history(*(row(str(number)) for number in range(5)))

    dispatch = CommandDispatch(store, SHOP.catalogue)
    report = await import_history(lines, dispatch, admitted=gate.backpressure.wait)

    assert (report.imported, report.rejected) == (5, 0)
    assert gate.paused
