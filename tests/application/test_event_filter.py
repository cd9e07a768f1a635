"""Which events are ours: those whose category and type are ours."""

from dataclasses import dataclass

import pytest

from application.event_filter import EVERYTHING, EventFilter
from tests.sample.aggregates import TRANSFER
from tests.sample.service import SAMPLE
from tests.sample.transfers import TransferRequested


@dataclass(frozen=True)
class Event:
    stream: str
    type: str


def test_an_event_is_ours_by_category_and_type() -> None:
    """Neither is enough, and a category is all that comes before the first dash."""
    requested = TRANSFER.only(TransferRequested)

    assert Event("transfer-1", "TransferRequested") in requested
    assert Event("transfer-", "TransferRequested") in requested
    assert Event("transfer-a-b", "TransferRequested") in requested
    for stream in (
        "web-77",
        "transfers-1",
        "transfer_x-1",
        "transfer",
        "-transfer",
        "",
        "$ce-transfer",
    ):
        assert Event(stream, "TransferRequested") not in requested
    assert Event("transfer-1", "transferrequested") not in SAMPLE.catalogue.own
    assert Event("transfer-1", "Deposited") not in SAMPLE.catalogue.own, (
        "a type of ours, in another category"
    )


def test_filters_are_joined_and_narrowed() -> None:
    """Each type stays with its categories."""
    both = EventFilter.of("a", "X", "Y") | EventFilter.of("b", "Y")

    assert both.categories == {"a", "b"}
    assert both.types == {"X", "Y"}
    assert both.of_types(["X"]) == EventFilter.of("a", "X")
    assert both.in_categories(["b"]) == EventFilter.of("b", "Y")
    assert not both.admits("b-1", "X")


def test_everything_is_admitted_without_a_filter() -> None:
    """Also events of other programs; it covers every filter, and joined with one it stays."""
    few = EventFilter.of("a", "X")
    counted = {("a", "X"): 2, ("b", "X"): 3}

    assert Event("anything", "Whatever") in EVERYTHING
    assert EVERYTHING.covers(few)
    assert not few.covers(EVERYTHING)
    assert few | EVERYTHING == EVERYTHING | few
    assert Event("b-1", "X") in (few | EVERYTHING)
    assert (few.total(counted), EVERYTHING.total(counted)) == (2, 5)


@pytest.mark.parametrize("category", ["", "transfer-1", "-"])
def test_a_filter_is_for_a_category_that_can_be_one(category: str) -> None:
    """A name with a dash would never be found."""
    with pytest.raises(ValueError, match="category"):
        EventFilter.of(category, "TransferRequested")


def test_what_reads_events_here_reads_ours_alone() -> None:
    """Every read model and every reaction asks for categories of the table."""
    asked = [one.events for one in SAMPLE.read_models] + [one.events for one in SAMPLE.reactions]
    assert all(one.pairs <= SAMPLE.catalogue.own.pairs for one in asked)
