"""An identity names what it is about: nothing that may differ from process to process is in it."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from application.command_dispatch import CommandDispatch, CommandIdReused
from application.identity import canonical, event_ids
from application.messages import Context
from application.ports import NO_STREAM
from application.shop.service import SHOP
from domain.decider import Command
from domain.orders import OrderLine, OrderPlaced, PlaceOrder
from domain.values import Money
from infrastructure import memory
from tests.shop.domain.histories import LAW

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ASKED = Context.start("a test", UUID(int=1), NOON)


class Pick(Command):
    """A command with all that has more than one way to be written."""

    units: Mapping[str, int] = Field(default_factory=dict)
    labels: frozenset[str] = frozenset()
    weight: Decimal = Decimal(0)
    at: datetime = NOON


picks = st.builds(
    Pick,
    units=st.dictionaries(st.text(max_size=3), st.integers(1, 3)),
    labels=st.frozensets(st.text(max_size=3)),
    weight=st.decimals(-(10**9), 10**9, places=2),
    at=st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
)


def respelled(pick: Pick, chance: random.Random) -> Pick:
    """The same, as another process may come to write it."""
    units, labels = list(pick.units.items()), list(pick.labels)
    chance.shuffle(units)
    chance.shuffle(labels)
    zone = timezone(timedelta(hours=chance.randint(-12, 12)))
    return Pick(
        units=dict(units),
        labels=frozenset(labels),
        weight=pick.weight.quantize(Decimal("0.0001")),
        at=pick.at.astimezone(zone),
    )


@LAW
@given(pick=picks, chance=st.randoms(use_true_random=False))
def test_the_same_content_has_one_form(pick: Pick, chance: random.Random) -> None:
    """Neither order, nor how a number is spelled, nor a time zone makes another identity."""
    again = respelled(pick, chance)

    assert again == pick
    assert event_ids(UUID(int=1), again, 2) == event_ids(UUID(int=1), pick, 2)


@LAW
@given(one=picks, other=picks)
def test_another_content_has_another_form(one: Pick, other: Pick) -> None:
    """Two forms are equal if and only if the contents are."""
    assert (canonical(one) == canonical(other)) == (one == other)


def test_the_form_is_for_ever() -> None:
    """What was written down by one release has to be found again by the next."""
    command = order("2.50 GBP")

    assert canonical(command) == (
        '{"country":"France","lines":[{"quantity":2,"sku":"a",'
        '"unit_price":{"amount":"2.5","currency":"GBP"}}]}'
    )
    assert event_ids(UUID(int=1), command, 2) == [
        UUID("2d962afa-f568-510f-8a37-d1c0e3d49e1a"),
        UUID("2f386cd5-6e58-550a-bb98-b51c3f500f8b"),
    ]


def test_what_has_no_form_is_refused() -> None:
    """An identity is never made of what a type happens to print."""
    with pytest.raises(TypeError, match="a object has no canonical form"):
        canonical({"what": object()})


def order(price: str, **more: Any) -> PlaceOrder:
    lines = (OrderLine(sku="a", quantity=2, unit_price=Money.parse(price)),)
    return PlaceOrder(country="France", lines=lines, **more)


@pytest.mark.parametrize("again", [order("2.5 GBP"), order("2.50 GBP", from_history=False)])
async def test_a_command_that_is_spelled_otherwise_is_the_same(again: PlaceOrder) -> None:
    """2.5 is 2.50, and a default is the same said or unsaid: it is answered as the first time."""
    dispatch = CommandDispatch(memory.EventStore(SHOP.catalogue), SHOP.catalogue)
    first = await dispatch("o-1", order("2.50 GBP"), ASKED)

    outcome = await dispatch("o-1", again, ASKED)

    assert (outcome.repeated, outcome.version) == (True, first.version)


async def test_a_command_that_an_earlier_release_carried_out_is_recognised() -> None:
    """Its events have ids of an older form; repeated, it is answered, and another is refused."""
    store, command = memory.EventStore(SHOP.catalogue), order("2.50 GBP")
    content = sha256(f"PlaceOrder {command.model_dump_json()}".encode()).hexdigest()
    placed = OrderPlaced(**dict(command))
    event = SHOP.catalogue.new_event(placed, uuid5(ASKED.command_id, f"0 {content}"), ASKED)
    await store.append("order-o-1", [event], NO_STREAM)
    dispatch = CommandDispatch(store, SHOP.catalogue)

    assert (await dispatch("o-1", command, ASKED)).repeated
    with pytest.raises(CommandIdReused):
        await dispatch("o-1", order("2.60 GBP"), ASKED)
