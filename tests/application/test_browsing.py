"""Looking around in a service: an event whole, a stream's history, and what a request set off."""

import json
from collections.abc import Sequence
from dataclasses import replace  # only: bus
from datetime import (
    UTC,
    datetime,
    timedelta,  # only: bus
)
from uuid import UUID, uuid4

import pytest

from application.browsing.documents import Difference, differences, plain
from application.browsing.explained import explained
from application.browsing.history import as_it_was, history
from application.browsing.places import Looking, NothingFound, event_named
from application.browsing.published import Record  # only: bus
from application.browsing.trace import (
    Origin,
    Step,  # only: bus
    trace,
)
from application.claim_check import ClaimCheck
from application.integration_events import Outgoing  # only: bus
from application.messages import Metadata, NewEvent
from application.ports import (
    NO_STREAM,
    BusUnavailable,  # only: bus
    ForwarderStanding,  # only: bus
)
from domain.personal import MASK
from infrastructure import memory
from tests.application.protected import Protection, give
from tests.sample.service import SAMPLE
from tests.sample.transfers import RequestTransfer, TransferRequested
from tests.sample.world import Bank

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)  # only: bus


def looking(store: memory.EventStore, payloads: memory.PayloadStore | None = None) -> Looking:
    return Looking(SAMPLE, memory.EventBrowser(store), payloads, lambda: None)


def written(
    type: str,
    data: object,
    *,
    id: UUID | None = None,
    caused_by: str = "",
    version: int = 1,
    correlation: str = "c-1",
) -> NewEvent:
    """An event as any program may have stored it; without a cause: of a command from outside."""
    command = uuid4()
    metadata = Metadata(
        correlation_id=correlation,
        causation_id=caused_by or str(command),
        command_id=command,
        schema_version=version,
        actor="somebody",
        occurred_at=NOW,
    )
    return NewEvent(id or uuid4(), type, json.dumps(data).encode(), metadata)


async def transferred() -> Bank:
    """A bank in which one transfer of 2 euros was made."""
    bank = Bank()
    await bank.deposit(a=5)
    await bank.request()
    await bank.settle()
    return bank


async def test_a_trace_has_all_that_a_request_set_off() -> None:
    """The command's event is the root; what it led to follows below it, saga steps and all."""
    bank = await transferred()

    found = await trace(looking(bank.store), "transfer-t-1")

    assert [one.recorded.id for one in found.steps if one.depth == 0] == [
        bank.store.shown("transfer-t-1")[0].id
    ]
    assert found.steps[0].origin is Origin.REQUEST
    streams = {one.recorded.stream for one in found.steps}
    assert streams >= {"transfer-t-1", "account-a", "account-b", "money_transfer-t-1"}
    assert "StepCompleted hold amount" in [one.what for one in found.steps if one.saga]
    everything = [one for one in bank.store.after(-1, 1000) if one.correlation_id]
    same = [one for one in everything if one.correlation_id == found.correlation_id]
    assert sorted(one.recorded.position for one in found.steps) == [one.position for one in same]


async def test_each_event_of_a_trace_comes_behind_its_cause() -> None:
    """One level deeper than the event that led to it, with the time since that one."""
    bank = await transferred()
    found = await trace(looking(bank.store), "transfer-t-1")

    depths = {str(one.recorded.id): one.depth for one in found.steps}
    for one in found.steps[1:]:
        assert one.depth == depths[one.recorded.causation_id or ""] + 1
        assert one.latency is not None


@pytest.mark.parametrize("by", ["stream", "bare id", "correlation id", "event id", "event"])
async def test_a_trace_is_found_by_any_name(by: str) -> None:
    """A correlation id, a stream, the id in it, and any event of it lead to the same trace."""
    bank = await transferred()
    first = bank.store.shown("transfer-t-1")[0]
    names = {
        "stream": "transfer-t-1",
        "bare id": "t-1",
        "correlation id": first.correlation_id or "",
        "event id": str(first.id),
        "event": "money_transfer-t-1@1",
    }

    found = await trace(looking(bank.store), names[by])

    assert (found.correlation_id, found.steps[0].recorded.id) == (first.correlation_id, first.id)


async def test_a_trace_of_nothing() -> None:
    """The error says what a name may be."""
    with pytest.raises(NothingFound, match="no correlation id, stream, event or id of account"):
        await trace(looking(memory.EventStore(SAMPLE.catalogue)), "nobody")


async def test_an_event_whose_cause_is_gone_is_an_orphan() -> None:
    """It is shown as a root of its own, so nothing of the correlation is hidden."""
    store = memory.EventStore(SAMPLE.catalogue)
    lost = written("Deposited", {}, caused_by=str(uuid4()))
    root = written("Deposited", {})
    await store.append("account-a", [lost, root], NO_STREAM)

    found = await trace(looking(store), "c-1")

    assert [(one.recorded.id, one.origin) for one in found.steps] == [
        (root.id, Origin.REQUEST),
        (lost.id, Origin.LOST),
    ]


async def test_events_that_follow_from_each_other_come_once() -> None:
    """A cycle of causes, which only another system can write, neither hangs nor hides them."""
    store = memory.EventStore(SAMPLE.catalogue)
    one, two = uuid4(), uuid4()
    itself = uuid4()
    events = [
        written("Deposited", {}, id=one, caused_by=str(two)),
        written("Deposited", {}, id=two, caused_by=str(one)),
        written("Deposited", {}, id=itself, caused_by=str(itself)),
    ]
    await store.append("account-a", events, NO_STREAM)

    found = await trace(looking(store), "c-1")

    assert [one.recorded.id for one in found.steps] == [one, two, itself]
    assert found.steps[0].origin is Origin.CYCLE


async def test_a_deep_trace_is_not_too_deep() -> None:
    """A chain of a thousand events is shown as far as a trace goes, and says that there is more."""
    store = memory.EventStore(SAMPLE.catalogue)
    ids = [uuid4() for _ in range(1_500)]
    causes = ["", *map(str, ids)]
    chain = [
        written("Deposited", {}, id=id, caused_by=cause)
        for id, cause in zip(ids, causes, strict=False)
    ]
    await store.append("account-a", chain, NO_STREAM)

    found = await trace(looking(store), "c-1")

    assert (len(found.steps), found.steps[-1].depth, found.more) == (1_000, 999, True)


async def test_a_stream_with_several_requests_names_the_others() -> None:
    """The trace is that of the first; the others can be asked for."""
    store = memory.EventStore(SAMPLE.catalogue)
    events = [written("Deposited", {}, correlation=id) for id in ("c-1", "c-2", "c-1", "c-3")]
    await store.append("account-a", events, NO_STREAM)

    found = await trace(looking(store), "account-a")

    assert (found.correlation_id, list(found.others)) == ("c-1", ["c-2", "c-3"])


# only: bus
class Away(memory.Bus):
    """A bus that does not answer."""

    async def standing(self) -> ForwarderStanding | None:
        raise BusUnavailable("it is away")


async def records(bank: Bank, bus: memory.Bus) -> list[tuple[Step, Record]]:
    """Those in the trace of the transfer."""
    found = await trace(replace(looking(bank.store), bus=bus), "t-1")
    return [(one, record) for one in found.steps for record in one.records]


async def passed(bus: memory.Bus, position: int, *records: Outgoing) -> None:
    """A forwarder has published these and is past that position."""
    async with bus.publisher() as publisher:
        await publisher.publish(records, ForwarderStanding(position, None, 0, LATER, "a test"))


async def test_a_trace_shows_when_a_record_was_published() -> None:
    """By the time of the record itself, and how long after its event; under the topic's name."""
    bank, bus = await transferred(), memory.Bus(SAMPLE.contract.topics)
    all = bank.store.after(-1, 1000)
    made = [SAMPLE.contract.outgoing(one) for one in all if one in SAMPLE.contract.events]
    await passed(bus, all[-1].position, *(each for some in made for each in some))

    found = await records(bank, bus)

    assert {one.topic for _, one in found} == {"bank.account", "bank.transfer"}
    assert {(one.words, one.at) for _, one in found} == {("published", LATER)}
    for step, record in found:
        assert record.after(step.recorded) == (LATER - step.recorded.recorded_at).total_seconds()


@pytest.mark.parametrize(
    ("kind", "up_to", "words", "by"),
    [
        (Away, None, "published or not: the bus does not answer", None),
        (memory.Bus, None, "not yet published", None),
        (memory.Bus, 0, "not yet published", None),
        (memory.Bus, 10**9, "published, no record found", True),
    ],
)
async def test_a_trace_says_why_a_record_has_no_time(
    kind: type[memory.Bus], up_to: int | None, words: str, by: bool | None
) -> None:
    """The bus is away, nothing was published yet, the forwarder is not there yet; or it is past
    the event, by a time that is known, and the record is not there any more."""
    bank, bus = await transferred(), kind(SAMPLE.contract.topics)
    if up_to is not None:
        await passed(bus, up_to)

    found = await records(bank, bus)

    assert found
    for step, record in found:
        assert (record.words, record.at, record.after(step.recorded)) == (words, None, None)
        assert record.by == (LATER if by else None)


async def test_a_record_from_before_a_replay_is_published() -> None:
    """The position was moved back before its event: the record is on the bus all the same."""
    bank, bus = await transferred(), memory.Bus(SAMPLE.contract.topics)
    event = next(one for one in bank.store.after(-1, 1000) if one in SAMPLE.contract.events)
    await passed(bus, event.position, *SAMPLE.contract.outgoing(event))
    await bus.move(ForwarderStanding(-1, None, 0, LATER, "a test"))

    found = await trace(replace(looking(bank.store), bus=bus), str(event.id))

    shown = next(one for one in found.steps if one.recorded.id == event.id)
    assert [(one.published, one.at, one.by) for one in shown.records] == [(True, LATER, None)]


# end: bus
async def test_an_event_knows_its_cause_and_its_effects() -> None:
    """Both are found over the correlation, in whichever stream they are."""
    bank = await transferred()
    found = await trace(looking(bank.store), "t-1")
    root = found.steps[0].recorded
    second = next(one.recorded for one in found.steps if one.depth == 1)

    first = await explained(looking(bank.store), root)
    next_one = await explained(looking(bank.store), second)

    assert first.cause is None
    assert second.id in [one.id for one in first.effects]
    assert next_one.cause is not None
    assert next_one.cause.id == root.id


async def test_old_bytes_are_shown_as_stored_and_as_read() -> None:
    """The stored data is untouched beside the event that the upcasters make of it."""
    store = memory.EventStore(SAMPLE.catalogue)
    old = {"source": "a", "target": "b", "amount": 2, "fee": "0.50"}
    await store.append("transfer-1", [written("TransferRequested", old)], NO_STREAM)
    recorded = await event_named(memory.EventBrowser(store), "transfer-1@0")

    found = await explained(looking(store), recorded)

    assert (found.stored, found.schema_version, found.current_version) == (old, 1, 2)
    assert found.lifted
    assert found.read is not None
    assert found.read["fee"] == "0.50 EUR"


@pytest.mark.parametrize(
    ("type", "data", "why"),
    [
        ("TransferRequested", {"source": 1}, "these bytes are no TransferRequested v1"),
        ("Unknown", {}, "no event type is named 'Unknown'"),
    ],
)
async def test_bytes_that_cannot_be_read_are_shown(type: str, data: object, why: str) -> None:
    """What is stored is there, with the reason why this release cannot read it."""
    store = memory.EventStore(SAMPLE.catalogue)
    await store.append("transfer-1", [written(type, data)], NO_STREAM)
    recorded = await event_named(memory.EventBrowser(store), "transfer-1@0")

    found = await explained(looking(store), recorded)

    assert (found.stored, found.read) == (data, None)
    assert why in (found.unreadable or "")


async def test_the_state_in_a_snapshot_is_shown_as_data() -> None:
    """It is stored as a text; by its fields, what is personal in it can be masked."""
    store = memory.EventStore(SAMPLE.catalogue)
    taken = {"version": 1, "event_id": str(uuid4()), "snapshots_version": 1, "commands": ""}
    digests = {"schema_digest": "", "evolve_digest": ""}
    snapshot = {**taken, **digests, "state": '{"requested":{"note":"for the rent"}}'}
    await store.append("snapshot-transfer-1", [written("SnapshotTaken", snapshot)], NO_STREAM)

    found = await explained(
        looking(store), await event_named(memory.EventBrowser(store), "snapshot-transfer-1@0")
    )

    assert found.read is not None
    assert found.read["state"] == {"requested": {"note": "for the rent"}}


async def test_personal_data_is_read_and_shown_encrypted_as_stored() -> None:
    """An event is opened to be read; its stored form has masks, and a box."""
    protection = Protection()
    store = memory.EventStore(protection.of(SAMPLE.catalogue))
    command = RequestTransfer(source="a", target="b", amount=1, note="for the rent")
    await give(protection.over(store), "1", command)

    found = await explained(
        looking(store), await event_named(memory.EventBrowser(store), "transfer-1@0")
    )

    assert found.read is not None
    assert (found.read["note"], found.stored["note"]) == ("for the rent", MASK)
    assert found.stored["$personal"]["of"] == ["a"]


async def test_data_in_the_payload_store() -> None:
    """The reference, its size and the full event are shown; a missing payload is named."""
    store, payloads = memory.EventStore(SAMPLE.catalogue), memory.PayloadStore()
    large = written("TransferRequested", {"fee": 1, "source": "a", "target": "b", "amount": 1})
    await ClaimCheck(store, payloads, limit=10).append("transfer-1", [large], NO_STREAM)
    recorded = await event_named(memory.EventBrowser(store), "transfer-1@0")

    found = await explained(looking(store, payloads), recorded)
    missing = await explained(looking(store, memory.PayloadStore()), recorded)

    assert found.payload is not None
    assert (found.payload.size, found.payload.missing) == (len(large.data), None)
    assert found.read is not None
    assert found.read["fee"] == "1 EUR"
    assert missing.payload is not None
    assert missing.read is None
    assert missing.payload.missing == missing.unreadable


async def test_a_history_shows_each_event_with_what_it_changed() -> None:
    """The state after an event is the state before the next one, folded by the decider."""
    bank = await transferred()

    found = await history(looking(bank.store), "transfer-t-1")

    states = [(one.before, one.after) for one in found.changes]
    assert [after for _, after in states[:-1]] == [before for before, _ in states[1:]]
    assert states[0][0]["status"] is None
    assert states[-1][1]["status"] == "completed"
    assert Difference("status", None, "requested") in found.changes[0].changed
    assert found.unknown is None


async def test_a_stream_as_it_was_at_a_version() -> None:
    """The same state as folding the events up to there."""
    bank = await transferred()
    there = bank.store.shown("account-a")
    decider = SAMPLE.categories[0].decider

    for version, recorded in enumerate(there):
        found = await as_it_was(looking(bank.store), "account-a", version)
        state = decider.fold(one.event for one in there[: version + 1])
        assert (found.recorded.id, found.after) == (recorded.id, plain(state))
    with pytest.raises(NothingFound, match=f"has no version {len(there)}"):
        await as_it_was(looking(bank.store), "account-a", len(there))


async def test_a_page_of_a_history() -> None:
    """It begins at any version, with the true state before that."""
    bank = await transferred()
    whole = await history(looking(bank.store), "account-a")

    part = await history(looking(bank.store), "account-a", first=1, limit=1)

    assert list(part.changes) == list(whole.changes[1:2])
    assert part.more


async def test_states_are_unknown_behind_a_hole() -> None:
    """The events that are left are shown, and no state is made up of a part of them."""
    bank = await transferred()
    bank.store.truncate("account-a", 1)

    found = await history(looking(bank.store), "account-a")

    assert found.changes[0].recorded.version == 1
    assert {one.after for one in found.changes} == {None}
    assert found.unknown == "version 0 is missing"
    assert str(found.lacks[0]).startswith("account-a has lost its beginning")


async def test_a_stream_without_events_has_no_history() -> None:
    """The error names it."""
    with pytest.raises(NothingFound, match="account-none has no events"):
        await history(looking(memory.EventStore(SAMPLE.catalogue)), "account-none")


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2, "b": 3}, [Difference("a", 1, 2), Difference("b", None, 3)]),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, [Difference("a.b.1", 2, 3)]),
        ({"a": [1]}, {"a": []}, [Difference("a", None, []), Difference("a.0", 1, None)]),
    ],
)
def test_differences(before: object, after: object, changed: Sequence[Difference]) -> None:
    """Only what changed is named, by its path."""
    assert list(differences(before, after)) == changed


def test_any_state_is_plain_data() -> None:
    """It can be written as JSON, without losing money, dates or sets."""
    event = TransferRequested.model_validate(
        {"source": "a", "target": "b", "amount": 1, "fee": "0.5 EUR"}
    )
    state = {"moment": NOW, "set": frozenset({2, 1}), "event": event, "id": UUID(int=1)}

    shown = json.loads(json.dumps(plain(state)))

    assert shown["moment"] == "2026-01-01T00:00:00+00:00"
    assert shown["set"] == [1, 2]
    assert shown["event"]["fee"] == "0.5 EUR"
    assert shown["id"] == str(UUID(int=1))
