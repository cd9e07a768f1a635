"""What holds for every category, whatever it is about: a suite that is run on one service.

A module of tests imports all of it, and says by ``pytest_generate_tests = of(…)`` on what it runs.
"""

from collections.abc import Callable, Iterable, Sequence
from inspect import getmembers, isclass
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.category import Category
from application.sagas import operating
from domain.decider import DomainError
from tests.histories import LAW, Histories, live

__all__ = [
    "test_a_repeated_command_gives_no_events",
    "test_events_survive_storage",
    "test_every_category_has_examples",
    "test_every_command_is_carried_out_once",
    "test_every_event_can_happen",
    "test_every_refusal_has_a_test",
    "test_folding_is_total",
]

Page = tuple[ModuleType, ModuleType]
"""A page of the domain, and the module with its tests."""


def of(histories: Histories, pages: Sequence[Page] = ()) -> Callable[[pytest.Metafunc], None]:
    """Runs each law on every category that has examples, and on every page."""

    def generate(metafunc: pytest.Metafunc) -> None:
        if "category" in metafunc.fixturenames:
            each = [(histories, category) for category in histories.categories]
            names = [category.name for category in histories.categories]
            metafunc.parametrize(("histories", "category"), each, ids=names)
        elif "histories" in metafunc.fixturenames:
            metafunc.parametrize("histories", [histories], ids=[histories.service.name])
        if "tests" in metafunc.fixturenames:
            names = [page.__name__.rpartition(".")[2] for page, _ in pages]
            metafunc.parametrize(("page", "tests"), pages, ids=names)

    return generate


def test_every_category_has_examples(histories: Histories) -> None:
    """No category that takes commands is left out, but sagas: their laws are in tests of sagas."""
    decided = [
        category
        for category in histories.service.categories  # those of the kit have tests of their own
        if category.commands and category.decider is not operating.decider
    ]
    missing = [category.name for category in decided if category not in histories.categories]
    assert not missing, f"add examples of {', '.join(missing)} to the Histories of the service"


@LAW
@given(data=st.data())
def test_folding_is_total(histories: Histories, category: Category, data: st.DataObject) -> None:
    """History is never refused, not even one that cannot have happened."""
    category.decider.fold(data.draw(histories.events(category)))


@LAW
@given(data=st.data())
def test_a_repeated_command_gives_no_events(
    histories: Histories, category: Category, data: st.DataObject
) -> None:
    """After any sequence of commands, repeating the last accepted one adds nothing."""
    for _ in live(category.decider, data.draw(histories.commands(category))):
        pass  # it asserts on the way


@LAW
@given(data=st.data())
def test_events_survive_storage(
    histories: Histories, category: Category, data: st.DataObject
) -> None:
    """An event that was written as JSON is read back the same."""
    event = data.draw(histories.any_of(*category.events))
    assert type(event).model_validate_json(event.model_dump_json()) == event


def test_every_command_is_carried_out_once(histories: Histories, category: Category) -> None:
    """Each kind of command can be carried out, and does nothing when it is repeated."""
    lives = histories.examples[category.name]
    done = [step for life in lives for step in live(category.decider, life)]
    assert all(events for _, events in done)
    missing = set(category.commands) - {type(command) for command, _ in done}
    assert not missing, _lacks(category, missing)


def test_every_event_can_happen(histories: Histories, category: Category) -> None:
    """No kind of event is out of reach of the commands."""
    lives = histories.examples[category.name]
    done = [step for life in lives for step in live(category.decider, life)]
    missing = set(category.events) - {type(event) for _, events in done for event in events}
    assert not missing, _lacks(category, missing)


def test_every_refusal_has_a_test(page: ModuleType, tests: ModuleType) -> None:
    """A page's tests import all of its refusals, and the lint sees that no import is idle."""
    refusals = {
        name
        for name, kind in getmembers(page, isclass)
        if issubclass(kind, DomainError) and kind.__module__ == page.__name__
    }
    missing = sorted(refusals - vars(tests).keys())
    assert not missing, f"write a test in {tests.__name__} for {', '.join(missing)}"


def _lacks(category: Category, missing: Iterable[type]) -> str:
    names = ", ".join(sorted(kind.__name__ for kind in missing))
    return f"add an example with {names} to the life of {category.name} in the Histories"
