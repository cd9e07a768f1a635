"""The map of a service says what its declaration says, all of it, and nothing else."""

from dataclasses import replace

from application.service import Service
from application.system_map import Reader, system_map
from tests.sample.aggregates import ACCOUNT
from tests.sample.service import SAMPLE

MAP = system_map(SAMPLE)


def reader(kind: str, name: str) -> Reader:
    (found,) = (one for one in MAP.readers if (one.kind, one.name) == (kind, name))
    return found


def test_every_declared_thing_is_on_the_map() -> None:
    """Each category with its commands and events, each reader by its name, each source."""
    assert [(lane.category, len(lane.commands), len(lane.events)) for lane in MAP.lanes] == [
        (one.name, len(one.commands), len(one.events)) for one in SAMPLE.categories
    ]
    names = {one.name for one in MAP.readers}
    assert {*SAMPLE.versions, *(one.name for one in SAMPLE.reactions)} <= names
    assert {one.name for one in SAMPLE.read_models} <= names
    assert set(SAMPLE.contract.topics) <= names  # only: bus
    assert len(MAP.sources) == len(SAMPLE.receives)  # only: bus


def test_a_read_model_reads_whole_categories_and_a_saga_single_events() -> None:
    """An arrow starts at the lane, or at the event that is meant."""
    assert reader("read model", "statements").whole == ("account", "transfer")
    saga = reader("saga", "money_transfer")
    assert saga.single == (("transfer", "TransferRequested"), ("transfer", "TransferCancelled"))
    assert saga.parts[0] == "request transfer"
    assert reader("read model", "sagas").of_sagas


def test_what_reads_an_event_is_found_by_the_event() -> None:
    """All readers, of whole categories and of this event."""
    readers = {one.name for one in MAP.readers_of("account", "Deposited")}
    assert {"balances", "statements"} <= readers
    assert "bank.account" in readers  # only: bus
    assert reader("saga", "money_transfer") not in MAP.readers_of("transfer", "TransferApproved")


def test_a_service_with_one_category_alone_has_a_map() -> None:
    """Without readers there are only lanes; of a read model in two versions it shows one."""
    alone = system_map(Service(name="alone", categories=(ACCOUNT,)))
    assert len(alone.lanes) == 1
    assert alone.readers == ()
    older = replace(SAMPLE.projections[0], version=SAMPLE.projections[0].version + 1)
    both = replace(SAMPLE, projections=(older, *SAMPLE.projections))
    assert len(system_map(both).readers) == len(MAP.readers)
