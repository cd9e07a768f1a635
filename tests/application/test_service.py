"""A service is declared in one value, which refuses what contradicts itself."""

from dataclasses import replace
from typing import Any

import pytest

from application.category import Category
from application.event_filter import EventFilter
from application.reactions import Reaction
from application.service import InvalidService, Service
from domain.decider import Command, Decider, Event
from tests.sample.accounts import Deposited
from tests.sample.aggregates import ACCOUNT, TRANSFER
from tests.sample.money_transfer import money_transfer
from tests.sample.read_models import balances, transfer_summary
from tests.sample.transfers import TransferRequested

NOTHING: Decider[Any, Any, Any] = Decider(None, lambda state, _: state, lambda *_: ())


def same(data: dict[str, Any]) -> dict[str, Any]:
    return data


def named(name: str, base: type[Any]) -> type[Any]:
    """Another class of that name."""
    return type(name, (base,), {})


REQUESTED_AGAIN = Category("again", NOTHING, (), (named("TransferRequested", Event),))
REQUESTS_AGAIN = Category("again", NOTHING, (named("RequestTransfer", Command),), ())
REACTION: Reaction[Any] = Reaction("money_transfer", TRANSFER.own, lambda tools: tools.outside)
LATER = replace(balances, version=balances.version + 1, follows=(TRANSFER,))
NAMESAKE = replace(REACTION, name=balances.name)
NEWER = replace(money_transfer, version=3)


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ({"categories": (TRANSFER, TRANSFER)}, "two categories are called transfer"),
        ({"categories": (TRANSFER, REQUESTED_AGAIN)}, "two events are called TransferRequested"),
        ({"categories": (TRANSFER, REQUESTS_AGAIN)}, "two commands are called RequestTransfer"),
        ({"projections": (transfer_summary, transfer_summary)}, "read model: .*transfer_summary"),
        ({"projections": (balances,)}, "balances reads .*Deposited in account"),
        ({"projections": (balances, LATER)}, "balances reads .*Deposited in account"),
        ({"projections": (balances,), "reactions": (NAMESAKE,)}, "Deposited in account"),
        ({"reactions": (replace(REACTION, events=ACCOUNT.own),)}, "Deposited in account"),
        ({"sagas": (money_transfer,), "reactions": (REACTION,)}, "group: money_transfer"),
        ({"sagas": (money_transfer, money_transfer)}, "money_transfer, version 1"),
        ({"sagas": (money_transfer, NEWER)}, r"has the versions \[1, 3\]"),
        ({"upcasters": {TransferRequested: {2: same}}}, "TransferRequested lacks .* version 1"),
        ({"upcasters": {TransferRequested: {1: same, 3: same}}}, "lacks .* version 2"),
        ({"upcasters": {Deposited: {1: same}}}, "Deposited, which is in no category"),
    ],
)
def test_a_contradiction_is_refused_and_named(declared: dict[str, Any], why: str) -> None:
    """Doubles, what nothing declares, and gaps: each is named, with the service it is in."""
    with pytest.raises(InvalidService, match=f"bank: .*{why}"):
        Service(**{"name": "bank", "categories": (TRANSFER,), **declared})


def test_a_service_has_what_the_kit_keeps_for_it() -> None:
    """Its sagas, their moments, parked events and snapshots are categories; sagas are shown."""
    service: Service[None] = Service("bank", (TRANSFER,), (transfer_summary,), (money_transfer,))

    kept = {category.name for category in service.catalogue.categories} - {"transfer"}
    assert kept == {
        "money_transfer",
        "deadlines",
        "parking",
        "apikey",
        "forgotten",
        "incoming",  # only: bus
        "snapshot",
        "operation",
    }
    assert [one.name for one in service.read_models] == ["transfer_summary", "sagas", "sagas"]
    assert service.groups == ("money_transfer",)


@pytest.mark.parametrize("name", ["", "transfer-line"])
def test_a_category_has_a_name_that_streams_can_begin_with(name: str) -> None:
    """A name with a dash would never be found again."""
    with pytest.raises(ValueError, match="a category is the part of a stream before '-'"):
        Category(name, NOTHING, (), ())


def test_a_category_knows_its_events() -> None:
    """Asking for one that it does not have is a mistake, and no empty answer."""
    assert TRANSFER.only(TransferRequested) == EventFilter.of("transfer", "TransferRequested")
    with pytest.raises(ValueError, match="account has no event TransferRequested"):
        ACCOUNT.only(TransferRequested)
