"""Whatever consumers of PostgreSQL's groups do, or die of: every event is done, none is lost."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, assert_never
from uuid import UUID

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.ports import Delivery, StoreUnavailable
from tests.contracts.made_up import name
from tests.infrastructure.test_postgres_consumer_groups import Process, kill_consumers, process
from tests.waiting import PATIENCE

Act = Literal["ack", "retry", "keep"]
acts = st.sampled_from(("ack", "ack", "retry", "keep"))


@dataclass(frozen=True)
class Life:
    """One consumer: what it does with the events that it is given, one after the other."""

    buffer: int
    acts: Sequence[Act]


@dataclass(frozen=True)
class Round:
    """Events come, consumers live side by side, and perhaps something kills them all."""

    events: int
    lives: Sequence[Life]
    killed: bool


@dataclass
class Books:
    """What was done with events: as far as anybody knows, and for sure."""

    settled: set[UUID] = field(default_factory=set)
    done: set[UUID] = field(default_factory=set)


lives = st.builds(Life, st.integers(1, 8), st.lists(acts, min_size=1, max_size=12))
rounds = st.builds(
    Round, st.integers(1, 15), st.lists(lives, min_size=1, max_size=4), st.booleans()
)


@given(rounds=st.lists(rounds, min_size=1, max_size=4))
@settings(
    max_examples=10,
    deadline=None,  # a server decides
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each has a group of its own
)
async def test_nothing_is_lost_and_what_is_done_stays_done(
    postgres: str, rounds: list[Round]
) -> None:
    """Each event is settled in the end, and none comes again once its consumer left in peace."""
    books, type, put = Books(), name("Noted"), set[UUID]()
    async with (
        asyncio.timeout(PATIENCE),
        process(postgres, name("group"), type) as one,
        process(postgres, one.group, type) as other,
    ):
        for round in rounds:
            put |= await one.put(round.events)
            await pass_by(postgres, round, (one, other), books)
        while something_is_left(postgres, one.group, type):
            await lead(Life(8, ["ack"] * 20), other, books.settled)
    assert books.settled == put


async def pass_by(uri: str, round: Round, processes: Sequence[Process], books: Books) -> None:
    settled = set[UUID]()
    async with asyncio.TaskGroup() as living:
        for number, life in enumerate(round.lives):
            living.create_task(lead(life, processes[number % 2], settled, books.done))
        if round.killed:
            await asyncio.sleep(0.03)  # some of them are under way by then
            await asyncio.to_thread(kill_consumers, uri)
    books.settled |= settled
    books.done |= set() if round.killed else settled


async def lead(
    life: Life, process: Process, settled: set[UUID], done: Collection[UUID] = ()
) -> None:
    """Live that life to its end, or until it is killed, or nothing comes any more."""
    with suppress(StoreUnavailable, TimeoutError):
        async with process.consume(buffer=life.buffer) as deliveries:
            for act in life.acts:
                delivery = await asyncio.wait_for(anext(deliveries), 0.1)
                assert delivery.recorded.id not in done
                if await did(act, delivery):
                    settled.add(delivery.recorded.id)


async def did(act: Act, delivery: Delivery) -> bool:
    """Whether that settles the event for good."""
    match act:
        case "ack":
            await delivery.ack()
        case "retry":
            await delivery.retry("not now")
        case "keep":
            pass
        case _:
            assert_never(act)
    return act == "ack"


def something_is_left(uri: str, group: str, type: str) -> bool:
    with psycopg.connect(uri) as connection:
        ((left,),) = connection.execute(
            "SELECT EXISTS (SELECT FROM consumer_group_events WHERE group_name = name) OR"
            " position < (SELECT max(global_position) FROM events WHERE event_type = %s)"
            " FROM consumer_groups WHERE name = %s",
            [type, group],
        ).fetchall()
        return bool(left)
