"""An identity names what it is about: nothing that may differ from process to process is in it."""

import pickle
import random
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from application import identity
from application.command_dispatch import CommandDispatch, CommandIdReused
from application.identity import canonical, event_ids
from application.messages import Context
from application.ports import NO_STREAM
from domain.decider import Command
from domain.speed import checked
from domain.values import Money
from infrastructure import memory
from tests.histories import LAW
from tests.sample.service import SAMPLE
from tests.sample.transfers import RequestTransfer, TransferRequested

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ASKED = Context.start("a test", UUID(int=1), NOON)


@LAW
@given(namespace=st.uuids(), name=st.text())
def test_an_id_of_a_text_is_that_of_the_standard_library(namespace: UUID, name: str) -> None:
    """Equal, of version 5 and of the same variant, and as usable as a key."""
    here, original = identity.uuid5(namespace, name), uuid.uuid5(namespace, name)

    assert here == original
    assert hash(here) == hash(original)
    assert (here.version, here.variant, str(here)) == (5, uuid.RFC_4122, str(original))
    assert pickle.loads(pickle.dumps(here)) == original


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


# only: reference
class Line(BaseModel):
    """A part of a command of the first release."""

    sku: str
    description: str | None = None
    quantity: int
    unit_price: Money


class PlaceOrder(Command):
    """A command of the first release."""

    customer_id: str | None = None
    country: str | None = None
    lines: tuple[Line, ...]
    from_history: bool = False


def test_the_form_is_for_ever() -> None:
    """What was written down by one release has to be found again by the next."""
    lines = [{"sku": "a", "quantity": 2, "unit_price": "2.50 GBP"}]
    command = PlaceOrder.model_validate({"country": "France", "lines": lines})

    assert canonical(command) == (
        '{"country":"France","lines":[{"quantity":2,"sku":"a",'
        '"unit_price":{"amount":"2.5","currency":"GBP"}}]}'
    )
    assert event_ids(UUID(int=1), command, 2) == [
        UUID("2d962afa-f568-510f-8a37-d1c0e3d49e1a"),
        UUID("2f386cd5-6e58-550a-bb98-b51c3f500f8b"),
    ]


# end: reference
def test_a_part_of_one_object_has_the_form_of_a_model() -> None:
    """Which of both a part of a command is may change: it says the same."""

    @checked
    class Small:
        units: int
        note: str | None = None

    class Model(BaseModel):
        units: int
        note: str | None = None

    assert canonical(Small(units=1)) == canonical(Model(units=1)) == '{"units":1}'


def test_what_has_no_form_is_refused() -> None:
    """An identity is never made of what a type happens to print."""
    with pytest.raises(TypeError, match="a object has no canonical form"):
        canonical({"what": object()})


def transfer(fee: str, **more: Any) -> RequestTransfer:
    return RequestTransfer(source="a", target="b", amount=2, fee=Money.parse(fee), **more)


@pytest.mark.parametrize("again", [transfer("2.5 EUR"), transfer("2.50 EUR", note=None)])
async def test_a_command_that_is_spelled_otherwise_is_the_same(again: RequestTransfer) -> None:
    """2.5 is 2.50, and a default is the same said or unsaid: it is answered as the first time."""
    dispatch = CommandDispatch(memory.EventStore(SAMPLE.catalogue), SAMPLE.catalogue)
    first = await dispatch("t-1", transfer("2.50 EUR"), ASKED)

    outcome = await dispatch("t-1", again, ASKED)

    assert (outcome.repeated, outcome.version) == (True, first.version)


async def test_a_command_that_an_earlier_release_carried_out_is_recognised() -> None:
    """Its events have ids of an older form; repeated, it is answered, and another is refused."""
    store, command = memory.EventStore(SAMPLE.catalogue), transfer("2.50 EUR")
    content = sha256(f"RequestTransfer {command.model_dump_json()}".encode()).hexdigest()
    requested = TransferRequested(**dict(command))
    event = SAMPLE.catalogue.new_event(requested, uuid5(ASKED.command_id, f"0 {content}"), ASKED)
    await store.append("transfer-t-1", [event], NO_STREAM)
    dispatch = CommandDispatch(store, SAMPLE.catalogue)

    assert (await dispatch("t-1", command, ASKED)).repeated
    with pytest.raises(CommandIdReused):
        await dispatch("t-1", transfer("2.60 EUR"), ASKED)
