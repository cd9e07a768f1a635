"""The same commands in the same order leave the same streams, whatever the event store."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.command_dispatch import CommandDispatch, CommandIdReused
from application.messages import Context, RecordedEvent
from domain.decider import DomainError
from embedded_eventstoredb import NodeProcess
from tests.contracts.made_up import all_of
from tests.contracts.stores import Stores
from tests.parity.page import page
from tests.parity.stores import every_store
from tests.sample.accounts import AccountCommand, Deposit, Hold, Release, Withdraw
from tests.sample.service import SAMPLE

PAGE = Path(__file__).parents[2] / "docs" / "parity.md"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sent:
    """A command, and which of its account's: the same number is the same command, repeated."""

    account: str
    command: AccountCommand
    number: int


ids, amounts = st.sampled_from("xyz"), st.integers(1, 5)
commands: st.SearchStrategy[AccountCommand] = st.one_of(
    st.builds(Deposit, deposit_id=ids, amount=amounts),
    st.builds(Hold, transfer_id=ids, amount=amounts),
    st.builds(Release, transfer_id=ids),
    st.builds(Withdraw, transfer_id=ids),
)
sent = st.builds(Sent, st.sampled_from("abc"), commands, st.integers(0, 5))
rounds = st.lists(st.lists(sent, min_size=1, max_size=6), min_size=1, max_size=6)
"""The commands of a round are sent at the same time."""


@pytest.fixture
async def stores(
    node: NodeProcess, postgres_with_events: str, dynamodb_with_events: tuple[str, str]
) -> AsyncIterator[Mapping[str, Stores]]:
    async with every_store(node.uri, postgres_with_events, dynamodb_with_events) as stores:
        yield stores


@given(rounds=rounds)
@settings(
    max_examples=20,
    deadline=None,  # sockets decide
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each has accounts of its own
)
async def test_the_same_commands_leave_the_same_streams(
    stores: Mapping[str, Stores], rounds: list[list[Sent]]
) -> None:
    """Answers and refusals are the same, and each stream, event by event; and in the order of all
    events, those of a round come behind those of the rounds before it."""
    history = uuid4()
    left = {name: await _carried_out(one, history, rounds) for name, one in stores.items()}

    expected = left.pop("memory")
    for name, found in left.items():
        assert found == expected, name


async def _carried_out(
    stores: Stores, history: UUID, rounds: Sequence[Sequence[Sent]]
) -> tuple[object, object]:
    """The answers to all commands, and what each stream holds in the end."""
    dispatch, answers, ends = CommandDispatch(stores.events, SAMPLE.catalogue), [], [-1]

    async def answer(sent: Sent) -> object:
        id = f"{sent.account}{history.hex}"
        context = Context.start("a test", uuid5(history, f"{sent.account}{sent.number}"), NOW)
        try:
            outcome = await dispatch(id, sent.command, context)
        except (DomainError, CommandIdReused) as refusal:
            return type(refusal)
        positions.append(outcome.position)
        return outcome.version, outcome.events, outcome.repeated

    for round in rounds:
        positions: list[int | None] = []
        answers.append(await asyncio.gather(*map(answer, round)))
        new = [one for one in positions if one is not None and one > ends[-1]]
        ends.append(max(new, default=ends[-1]))
    streams = {
        account: await all_of(stores.events.read(f"account-{account}{history.hex}"))
        for account in "abc"
    }
    in_order = sorted((e for stream in streams.values() for e in stream), key=lambda e: e.position)
    assert all(e.position <= ends[-1] for e in in_order)
    return answers, {name: [*map(_without_place, stream)] for name, stream in streams.items()}


def _without_place(event: RecordedEvent) -> tuple[object, ...]:
    """All but its position and the time, which a store chooses."""
    return event.id, event.type, event.stream, event.version, event.event, event.metadata


async def test_the_page_says_what_each_store_does(stores: Mapping[str, Stores]) -> None:
    """Each row is tried anew."""
    assert await page(stores) == PAGE.read_text(), "run `python -m tests.parity > docs/parity.md`"
