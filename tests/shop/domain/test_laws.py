"""What holds for every category, whatever it is about."""

from inspect import getmembers, isclass
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application import parking
from application.category import Category
from application.sagas import operating
from application.shop.service import SHOP
from domain import orders, payments, shipments, stock
from domain.decider import DomainError, replace
from domain.stock import Stock
from tests.application import test_parking
from tests.shop.domain import test_orders, test_payments, test_shipments, test_stock
from tests.shop.domain.histories import EXAMPLES, LAW, any_of, histories, live, wishes

# A saga's events follow from its definition: its laws are in tests/application/sagas. Records are
# kept by the service for itself, and nobody can ask for one.
DECIDED = [
    category
    for category in SHOP.catalogue.categories
    if category.commands and category.decider is not operating.decider
]
EVERY_CATEGORY = pytest.mark.parametrize("category", DECIDED, ids=lambda category: category.name)


@EVERY_CATEGORY
@LAW
@given(data=st.data())
def test_folding_is_total(category: Category, data: st.DataObject) -> None:
    """History is never refused, not even one that cannot have happened."""
    category.decider.fold(data.draw(histories(category)))


@EVERY_CATEGORY
@LAW
@given(data=st.data())
def test_a_repeated_command_gives_no_events(category: Category, data: st.DataObject) -> None:
    """After any sequence of commands, repeating the last accepted one adds nothing."""
    for _ in live(category.decider, data.draw(wishes(category))):
        pass  # it asserts on the way


@EVERY_CATEGORY
@LAW
@given(data=st.data())
def test_events_survive_storage(category: Category, data: st.DataObject) -> None:
    """An event that was written as JSON is read back the same."""
    event = data.draw(any_of(*category.events))
    assert type(event).model_validate_json(event.model_dump_json()) == event


@EVERY_CATEGORY
def test_every_command_is_carried_out_once(category: Category) -> None:
    """Each kind of command can be fulfilled, and none does anything when it is repeated."""
    done = [step for life in EXAMPLES[category.name] for step in live(category.decider, life)]
    assert all(events for _, events in done)
    assert {type(wish) for wish, _ in done} == set(category.commands)


@EVERY_CATEGORY
def test_every_event_can_happen(category: Category) -> None:
    """No kind of event is out of reach of the commands."""
    done = [step for life in EXAMPLES[category.name] for step in live(category.decider, life)]
    assert {type(event) for _, events in done for event in events} == set(category.events)


@pytest.mark.parametrize(
    ("page", "tests"),
    [
        (orders, test_orders),
        (stock, test_stock),
        (payments, test_payments),
        (shipments, test_shipments),
        (parking, test_parking),
    ],
)
def test_every_refusal_has_a_test(page: ModuleType, tests: ModuleType) -> None:
    """A page's tests import all of its refusals, and the lint sees that no import is idle."""
    refusals = {
        name
        for name, kind in getmembers(page, isclass)
        if issubclass(kind, DomainError) and kind.__module__ == page.__name__
    }
    assert refusals - vars(tests).keys() == set()


def test_replace_makes_another_state() -> None:
    """A state with other fields is a new one: the first stays, and no field is made up."""
    stock = Stock(on_hand=1)

    assert replace(stock, on_hand=2) == Stock(on_hand=2)
    assert stock == Stock(on_hand=1)
    with pytest.raises(TypeError, match="Stock has no"):
        replace(stock, on_hnad=2)  # type: ignore[call-arg]
