"""What a projection's query can say, through esdbclient over a socket."""

import json
from collections.abc import Callable

import pytest
from esdbclient import NewEvent, StreamState

from projecting import Projecting
from waiting import eventually

COUNT = "$init() { return {n: 0}; }, Happened(state) { state.n += 1; }"


@pytest.fixture
def category(fresh: Callable[[str], str]) -> str:
    """A category that no other test uses."""
    return fresh("order").replace("-", "")


# Where events come from


def test_from_stream(projecting: Projecting, stream: str) -> None:
    """A stream's events are folded into a state; types without a handler are not even seen."""
    name = projecting.project(f"fromStream('{stream}').when({{{COUNT}}})")
    assert projecting.state(name) == {}
    projecting.happens(stream, "Happened", "Other", "Happened")
    projecting.has_state(name, {"n": 2})
    projecting.has_processed(name, 2)


def test_what_was_there_before(projecting: Projecting, stream: str) -> None:
    """A projection begins at the beginning."""
    projecting.happens(stream, *["Happened"] * 700)
    name = projecting.project(f"fromStream('{stream}').when({{{COUNT}}})")
    projecting.has_state(name, {"n": 700})


def test_from_all(projecting: Projecting, stream: str, fresh: Callable[[str], str]) -> None:
    """All streams of users are one source; what projections write is not in it."""
    kind = fresh("Kind")
    name = projecting.project(
        f"fromAll().when({{ '{kind}'(s, e) {{ s[e.streamId] = e.sequenceNumber; }} }})"
    )
    projecting.happens(stream, kind, "Other", kind)
    projecting.happens(f"{stream}-2", kind)
    projecting.has_state(name, {stream: 2, f"{stream}-2": 0})


def test_from_all_any(projecting: Projecting, stream: str) -> None:
    """``$any`` takes events of every type, the metadata of users' streams among them, no links."""
    name = projecting.project(
        "fromAll().when({ $init() { return {seen: []}; }, $any(s, e) {"
        f"  if (e.streamId.endsWith('{stream}')) s.seen.push(e.eventType);"
        "  if (e.streamId.startsWith('$') && !e.streamId.startsWith('$$')) s.seen.push('system');"
        "} })"
    )
    projecting.happens(stream, "One", "Two")
    projecting.client.set_stream_metadata(stream, metadata={"a": 1})
    link = NewEvent("$>", f"0@{stream}".encode(), content_type="application/octet-stream")
    projecting.client.append_to_stream(stream, current_version=StreamState.ANY, events=[link])
    projecting.happens(stream, "Three")
    projecting.has_state(name, {"seen": ["One", "Two", "$metadata", "Three"]})


def test_from_category(projecting: Projecting, category: str) -> None:
    """A category is all its streams, by their links; an event knows its category and its link."""
    name = projecting.project(
        f"fromCategory('{category}').when({{ Happened(s, e) {{"
        "  s[e.streamId] = [e.category, e.linkMetadata.$o]; } })"
    )
    for stream in (f"{category}-1", f"{category}-2"):
        projecting.happens(stream, "Happened")
    projecting.has_state(name, {f"{category}-{n}": [category, f"{category}-{n}"] for n in (1, 2)})


def test_from_streams(projecting: Projecting, fresh: Callable[[str], str]) -> None:
    """Several streams, or categories, are one source, in the order of the log."""
    a, b = fresh("a"), fresh("b")
    for number, stream in enumerate([a, b, b, a, a, b] * 60):
        projecting.happens(stream, "Happened", number=number)
    for source in (f"fromStreams(['{a}', '{b}'])", f"fromStreams('{a}', '{b}')"):
        name = projecting.project(
            f"{source}.when({{ $init() {{ return {{last: -1, sorted: true}}; }},"
            "Happened(s, e) { s.sorted = s.sorted && e.data.number === s.last + 1;"
            " s.last = e.data.number; } })"
        )
        projecting.has_state(name, {"last": 359, "sorted": True})


def test_from_categories(projecting: Projecting, category: str) -> None:
    """Of several categories, too, the events come in the order of the log."""
    a, b = f"{category}a", f"{category}b"
    for number in range(20):
        projecting.happens(f"{(a, b)[number % 3 == 0]}-{number}", "Happened", number=number)
    linked = (f"$ce-{a}", f"$ce-{b}")
    eventually(lambda: sum(len(projecting.events(links)) for links in linked), 20)
    name = projecting.project(
        f"fromCategories(['{a}', '{b}']).when({{ $init() {{ return {{seen: []}}; }},"
        "Happened(s, e) { s.seen.push(e.body.number); } })"
    )
    projecting.has_state(name, {"seen": list(range(20))})


def test_broken_json_is_left_out(projecting: Projecting, stream: str) -> None:
    """What calls itself JSON and is not is not seen; what is binary is, without a body."""
    name = projecting.project(
        f"fromStream('{stream}').when({{ $init() {{ return {{seen: []}}; }},"
        "$any(s, e) { s.seen.push([e.isJson, e.body === undefined]); } })"
    )
    events = [
        NewEvent("Happened", b"{no json"),
        NewEvent("Happened", b"\x00\xff", content_type="application/octet-stream"),
        NewEvent("Happened", b"{}"),
    ]
    projecting.client.append_to_stream(stream, current_version=StreamState.ANY, events=events)
    projecting.has_state(name, {"seen": [[False, True], [True, False]]})


# Whose state it is


def test_for_each_stream(projecting: Projecting, category: str) -> None:
    """Each stream of a category has a state of its own; the category has none."""
    name = projecting.project(f"fromCategory('{category}').foreachStream().when({{{COUNT}}})")
    projecting.happens(f"{category}-1", "Happened", "Happened")
    projecting.happens(f"{category}-2", "Happened")
    projecting.has_state(name, {"n": 2}, f"{category}-1")
    projecting.has_state(name, {"n": 1}, f"{category}-2")
    assert projecting.state(name) == projecting.state(name, f"{category}-3") == {}


def test_partition_by(projecting: Projecting, stream: str) -> None:
    """A function chooses the partition; an event that it gives none is passed over."""
    name = projecting.project(
        f"fromStream('{stream}').partitionBy(e => e.body.customer).when({{{COUNT}}})"
    )
    for customer in ("ann", 7, None, "ann"):
        projecting.happens(stream, "Happened", customer=customer)
    projecting.has_state(name, {"n": 2}, "ann")
    projecting.has_state(name, {"n": 1}, "7")
    projecting.has_processed(name, 3)


def test_more_partitions_than_a_script_keeps(projecting: Projecting, stream: str) -> None:
    """However many partitions there are, each finds its own state again."""
    for first in (0, 2_500, 5_000, 0):
        events = [
            NewEvent("Happened", json.dumps({"key": f"k{number}"}).encode())
            for number in range(first, first + 2_500)
        ]
        projecting.client.append_to_stream(stream, current_version=StreamState.ANY, events=events)
    name = projecting.project(
        f"fromStream('{stream}').partitionBy(e => e.body.key).when({{{COUNT}}})"
    )
    eventually(lambda: projecting.processed(name), 10_000)
    assert [projecting.state(name, key)["n"] for key in ("k0", "k2499", "k2500", "k7499")] == [
        2, 2, 1, 1,
    ]  # fmt: skip  # four keys, four counts


@pytest.mark.parametrize("tombstone", [True, False])
@pytest.mark.parametrize("source", ["fromAll()", "fromCategory('{}')"])
def test_deleted(projecting: Projecting, category: str, source: str, tombstone: bool) -> None:
    """``$deleted`` is called for each soft-deleted stream, but not for a tombstone."""
    stream = f"{category}-1"
    name = projecting.project(
        f"{source.format(category)}.foreachStream().when({{ {COUNT},"
        "$deleted(s, _, partition) { s.gone = partition; } })"
    )
    projecting.happens(stream, "Happened")
    projecting.has_state(name, {"n": 1}, stream)
    client = projecting.client
    remove = client.tombstone_stream if tombstone else client.delete_stream
    remove(stream, current_version=StreamState.ANY)
    projecting.happens(f"{category}-2", "Happened")
    projecting.has_state(name, {"n": 1}, f"{category}-2")
    after = {"n": 1} if tombstone else {"n": 1, "gone": stream}
    assert projecting.state(name, stream) == after


def test_what_an_event_has(projecting: Projecting, stream: str) -> None:
    """Its own keys are the raw texts; what is parsed from them is there, but not among them."""
    name = projecting.project(
        f"fromStream('{stream}').when({{ Happened(s, e) {{ return {{"
        "keys: Object.keys(e).sort(), body: e.body, same: e.body === e.data && e.body === e.body,"
        "metadata: e.metadata, link: e.linkMetadata }; } })"
    )
    projecting.happens(stream, "Happened", metadata={"m": 1}, number=7)
    raw = ["bodyRaw", "linkMetadataRaw", "metadataRaw"]
    others = ["category", "eventId", "eventType", "isJson", "partition", "sequenceNumber"]
    projecting.has_state(
        name,
        {
            "keys": sorted([*raw, *others, "streamId"]),
            "body": {"number": 7},
            "same": True,
            "metadata": {"m": 1},
            "link": None,
        },
    )


def test_the_state_comes_before_what_is_emitted(projecting: Projecting, stream: str) -> None:
    """A state that counts an emitted event can be had before the event can be read."""
    name = projecting.project(
        f"fromStream('{stream}').when({{ $init() {{ return {{n: 0}}; }},"
        f" Happened(s) {{ s.n += 1; emit('{stream}-out', 'Told', {{}}); }} }})"
    )
    number = 0

    def came_first() -> bool:
        nonlocal number
        number += 1
        projecting.happens(stream, "Happened")
        projecting.has_state(name, {"n": number})
        emitted = len(projecting.events(f"{stream}-out"))
        eventually(lambda: len(projecting.events(f"{stream}-out")), number)
        return emitted < number

    eventually(came_first, True)  # again where looking has taken longer than the moment


def test_state_shared_by_partitions(projecting: Projecting, stream: str) -> None:
    """With ``biState`` each partition has its state, and all have one more."""
    name = projecting.project(
        f"options({{biState: true}}); fromStream('{stream}').partitionBy(e => e.body.key).when({{"
        "$init() { return {n: 0}; }, $initShared() { return {all: 0}; },"
        "Happened([own, shared]) { own.n += 1; shared.all += 1; return [own, shared]; } })"
    )
    for key in "aab":
        projecting.happens(stream, "Happened", key=key)
    projecting.has_state(name, {"all": 3})
    assert (projecting.state(name, "a"), projecting.state(name, "b")) == ({"n": 2}, {"n": 1})


def test_what_a_handler_returns(projecting: Projecting, stream: str) -> None:
    """A handler changes the state it is given, or returns another."""
    name = projecting.project(
        f"fromStream('{stream}').when({{ $created(s) {{ s.made = 1; }},"
        "Changed(s) { s.x = 1; }, Replaced(s) { return {before: s, list: [null, '2.10', true]}; }})"
    )
    projecting.happens(stream, "Changed", "Replaced")
    projecting.has_state(name, {"before": {"made": 1, "x": 1}, "list": [None, "2.10", True]})


# What it writes


def test_output_state(projecting: Projecting, stream: str) -> None:
    """Each change of the state is a ``Result`` that names what caused it."""
    name = projecting.project(
        f"fromStream('{stream}').when({{ {COUNT}, Idle() {{}} }}).outputState()"
    )
    first, _, last = projecting.happens(stream, "Happened", "Idle", "Happened")
    results = f"$projections-{name}-result"
    eventually(lambda: projecting.bodies(results), [{"n": 1}, {"n": 2}])
    told = [event for event in projecting.events(results) if event.type == "Result"]
    assert [json.loads(event.metadata)["$causedBy"] for event in told] == [
        str(first.id),
        str(last.id),
    ]


def test_output_by_partition(projecting: Projecting, category: str) -> None:
    """A partition's results are in a stream of its own, linked in the common one."""
    name = projecting.project(
        f"fromCategory('{category}').foreachStream().when({{{COUNT}}}).outputState()"
    )
    streams = [f"{category}-1", f"{category}-2"]
    for stream in [*streams, streams[0]]:
        projecting.happens(stream, "Happened")
    own = [f"$projections-{name}-{stream}-result" for stream in streams]
    eventually(lambda: projecting.bodies(own[0]), [{"n": 1}, {"n": 2}])
    common = [f"0@{own[0]}", f"0@{own[1]}", f"1@{own[0]}"]
    eventually(lambda: projecting.said(f"$projections-{name}-result"), common)
    assert projecting.said(f"$projections-{name}-partitions") == streams


def test_transform_and_filter(
    projecting: Projecting, stream: str, fresh: Callable[[str], str]
) -> None:
    """The result is the state transformed; what the filter takes out is a result removed."""
    results = fresh("results")
    projecting.project(
        f"fromStream('{stream}').when({{{COUNT}}}).filterBy(s => s.n !== 2)"
        f".transformBy(s => ({{double: s.n * 2}})).outputTo('{results}')"
    )
    projecting.happens(stream, "Happened", "Happened", "Happened")
    eventually(lambda: len(projecting.events(results)), 3)
    assert [(event.type, event.data) for event in projecting.events(results)] == [
        ("Result", b'{"double":2}'),
        ("ResultRemoved", b""),
        ("Result", b'{"double":6}'),
    ]


def test_a_result_that_stays_the_same(projecting: Projecting, stream: str) -> None:
    """A state that changes without changing the result writes none."""
    name = projecting.project(
        f"fromStream('{stream}').when({{{COUNT}}}).transformBy(s => ({{many: s.n > 2}}))"
    )
    projecting.happens(stream, *["Happened"] * 4)
    projecting.has_state(name, {"n": 4})
    results = f"$projections-{name}-result"
    eventually(lambda: projecting.bodies(results), [{"many": False}, {"many": True}])


def test_emit(projecting: Projecting, stream: str) -> None:
    """An emitted event carries its metadata, its cause, and the correlation of its cause."""
    projecting.project(
        f"fromStream('{stream}').when({{ Happened(s, e) {{"
        f" emit('{stream}-out', 'Told', {{name: 'Zoë', of: e.body.x}}, {{mood: 'good'}}); }} }})"
    )
    (cause,) = projecting.happens(stream, "Happened", metadata={"$correlationId": "c-1"}, x=4)
    eventually(lambda: projecting.bodies(f"{stream}-out"), [{"name": "Zoë", "of": 4}])
    (event,) = projecting.events(f"{stream}-out")
    assert (event.type, event.content_type) == ("Told", "application/json")
    told = json.loads(event.metadata)
    assert told.pop("$v").count(":") == 3
    assert told == {
        "$s": {stream: 0},
        "mood": "good",
        "$causedBy": str(cause.id),
        "$correlationId": "c-1",
    }


def test_link_to(projecting: Projecting, stream: str) -> None:
    """Links are written to events and to streams, and lead to them."""
    projecting.project(
        f"fromStream('{stream}').when({{ Happened(s, e) {{"
        f" linkTo('{stream}-links', e); linkStreamTo('{stream}-streams', e.streamId);"
        f" copyTo('{stream}-copies', e); }} }})"
    )
    projecting.happens(stream, "Happened", "Other", "Happened")
    eventually(lambda: projecting.said(f"{stream}-links"), [f"0@{stream}", f"2@{stream}"])
    resolved = projecting.client.get_stream(f"{stream}-links", resolve_links=True)
    assert [event.stream_position for event in resolved] == [0, 2]
    eventually(lambda: projecting.said(f"{stream}-streams"), [stream, stream])
    assert projecting.events(f"{stream}-copies") == []


def test_what_is_emitted_can_be_projected(projecting: Projecting, stream: str) -> None:
    """One projection reads what another writes, through links as well."""
    projecting.project(
        f"fromStream('{stream}').when({{ Happened(s, e) {{ linkTo('{stream}-all', e); }} }})"
    )
    name = projecting.project(f"fromStream('{stream}-all').when({{{COUNT}}})")
    projecting.happens(stream, "Happened", "Happened")
    projecting.has_state(name, {"n": 2})
