"""What was seen of a stream: read on from, never trusted further than an append proves."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from application.command_dispatch import CommandDispatch
from application.loaded_stream import LoadedStream
from application.messages import Context
from application.ports import NO_STREAM, Appended
from infrastructure import memory
from tests.sample.accounts import Deposit, Deposited, Hold, InsufficientFunds
from tests.sample.service import SAMPLE

ACCOUNT = SAMPLE.catalogue.by_command[Deposit]


def asked() -> Context:
    return Context.start("a test", uuid4(), datetime(2026, 1, 1, tzinfo=UTC))


class Counted(memory.EventStore):
    """Counts how many events are read, and lets others look after each of them."""

    def __init__(self) -> None:
        super().__init__(SAMPLE.catalogue)
        self.read_events = 0
        self.between: Callable[[], object] = lambda: None

    async def read(self, stream: str, **rest):  # type: ignore[no-untyped-def]  # as its parent
        async for recorded in super().read(stream, **rest):
            self.read_events += 1
            yield recorded
            self.between()


async def test_a_known_stream_is_not_read_again() -> None:
    """A command on a stream that was just written costs its append alone."""
    store = Counted()
    dispatch = CommandDispatch(store, SAMPLE.catalogue, remember=10)
    await dispatch("a", Deposit(deposit_id="r", amount=5), asked())
    for number in range(5):
        await dispatch("a", Hold(transfer_id=f"o-{number}", amount=1), asked())

    assert store.read_events == 0


async def test_what_others_have_appended_is_found_by_the_append() -> None:
    """Deciding on what is old is noticed, and the decision is made anew."""
    store = memory.EventStore(SAMPLE.catalogue)
    ours, theirs = (CommandDispatch(store, SAMPLE.catalogue, remember=10) for _ in range(2))
    await ours("a", Deposit(deposit_id="r", amount=2), asked())
    await theirs("a", Hold(transfer_id="o-1", amount=2), asked())

    with pytest.raises(InsufficientFunds):
        await ours("a", Hold(transfer_id="o-2", amount=2), asked())


async def test_a_refusal_on_what_is_old_is_not_trusted() -> None:
    """What was not free when it was last seen may be free now."""
    store = memory.EventStore(SAMPLE.catalogue)
    ours, theirs = (CommandDispatch(store, SAMPLE.catalogue, remember=10) for _ in range(2))
    await ours("a", Deposit(deposit_id="r", amount=1), asked())
    await theirs("a", Deposit(deposit_id="s", amount=1), asked())

    outcome = await ours("a", Hold(transfer_id="o-1", amount=2), asked())

    assert outcome.version == 2


async def test_only_so_many_streams_are_remembered() -> None:
    """Memory is bounded by the number of streams, the ones asked for last."""
    store = Counted()
    dispatch = CommandDispatch(store, SAMPLE.catalogue, remember=1)
    for account in ("a", "b", "a"):
        await dispatch(account, Deposit(deposit_id=f"{uuid4()}", amount=1), asked())

    assert store.read_events == 1


async def test_a_repeated_command_is_recognised_in_what_is_remembered() -> None:
    """The same command id is answered as the first time, without a look at the store."""
    store = Counted()
    dispatch = CommandDispatch(store, SAMPLE.catalogue, remember=10)
    context, command = asked(), Deposit(deposit_id="r", amount=5)
    first = await dispatch("a", command, context)
    again = await dispatch("a", command, context)

    assert (again.version, again.position, again.repeated) == (first.version, first.position, True)
    assert store.read_events == 0


async def test_a_snapshot_takes_a_past_forward_only() -> None:
    """One that is older than what is known changes nothing, not for the moment of a read either."""
    store, seen = await received(4), list[int]()
    older, past = LoadedStream(ACCOUNT, "account-a"), LoadedStream(ACCOUNT, "account-a")
    await older.read_on(await received(2))
    await past.read_on(store)

    store.between = lambda: seen.append(past.version)
    assert await past.begin(older.snapshot(), store)

    assert (seen, past.state.balance) == ([3, 3, 3], 4)


async def test_a_snapshot_ends_what_was_known_in_part() -> None:
    """Who was amid an append when a snapshot came answers with the whole of it."""
    store, context = memory.EventStore(SAMPLE.catalogue), asked()
    events = [Deposited(deposit_id=id, amount=1) for id in "rs"]
    new = [SAMPLE.catalogue.new_event(event, uuid4(), context) for event in events]
    whole, past = LoadedStream(ACCOUNT, "account-a"), LoadedStream(ACCOUNT, "account-a")
    past.appended(new[:1], events[:1], Appended(version=0, position=0))
    await store.append("account-a", new, NO_STREAM)
    await whole.read_on(store)

    assert await past.begin(whole.snapshot(), store)

    earlier = await past.of_command(context.command_id, store)
    assert earlier == await whole.of_command(context.command_id, store)


async def received(times: int) -> Counted:
    """One unit each time, by the same commands."""
    store = Counted()
    for number in range(times):
        command = Deposit(deposit_id=f"r-{number}", amount=1)
        context = Context.start("a test", UUID(int=number), datetime(2026, 1, 1, tzinfo=UTC))
        await CommandDispatch(store, SAMPLE.catalogue)("a", command, context)
    return store
