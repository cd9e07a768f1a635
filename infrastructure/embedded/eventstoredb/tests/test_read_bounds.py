"""Where a read may begin, and what is answered at and beyond the ends, as the server does it."""

from collections.abc import Iterator
from typing import Any

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.protos.Grpc import streams_pb2

from embedded_eventstoredb import NodeProcess
from reading import (
    END,
    START,
    SUBSCRIPTION,
    Reading,
    by_type,
    kinds,
    of_all,
    of_stream,
    versions,
)

ANY = StreamState.ANY
HANDLER = ("UNKNOWN", "Exception was thrown by handler.")
STREAM_ERROR = ("UNKNOWN", "Unexpected ReadStreamResult: Error")
ALL_ERROR = ("UNKNOWN", "Unexpected ReadAllResult: Error")
LARGEST = 2**63 - 1
COMPATIBLE = streams_pb2.ReadReq.Options.ControlOption(compatibility=1)


@pytest.fixture
def reading(node: NodeProcess) -> Iterator[Reading]:
    reading = Reading(node.uri)
    yield reading
    reading.close()


@pytest.fixture
def ten(sync_client: EventStoreDBClient, stream: str) -> str:
    """A stream of ten events."""
    append(sync_client, stream, 10)
    return stream


def append(client: EventStoreDBClient, stream: str, count: int) -> int:
    events = [NewEvent("Happened", b"{}") for _ in range(count)]
    return client.append_to_stream(stream, current_version=ANY, events=events)


@pytest.mark.parametrize(
    ("start", "refused"),
    [
        (END, STREAM_ERROR),
        ({"revision": 2**64 - 1}, STREAM_ERROR),
        ({"revision": 2**64 - 2}, HANDLER),
        ({"revision": 2**63}, HANDLER),
    ],
)
@pytest.mark.parametrize("exists", [True, False])
def test_no_stream_is_read_forwards_from_there(
    reading: Reading, ten: str, start: dict[str, Any], refused: tuple[str, str], exists: bool
) -> None:
    """A read forwards from the end, or from an invalid version, is refused, with or without a
    stream.
    """
    name = ten if exists else f"{ten}-absent"
    assert reading.refusal(**of_stream(name, **start), count=1) == refused


@pytest.mark.parametrize("start", [END, {"revision": 2**64 - 1}, {"revision": LARGEST}])
def test_a_stream_is_read_backwards_from_its_end(
    reading: Reading, ten: str, start: dict[str, Any]
) -> None:
    """Backwards, the end and any version beyond it are where the last event is."""
    answers = reading.answers(**of_stream(ten, **start), count=2, backwards=True)
    assert versions(answers) == [9, 8]


def test_the_largest_version_is_beyond_the_end(reading: Reading, ten: str) -> None:
    """A read from the largest version is not an error: it finds nothing."""
    assert reading.answers(**of_stream(ten, revision=LARGEST), count=1) == []
    subscribed = reading.answers(
        **of_stream(ten, revision=LARGEST), subscription=SUBSCRIPTION, until="caught_up"
    )
    assert kinds(subscribed) == ["confirmation", "caught_up"]


def test_without_a_start_nothing_is_read(reading: Reading, ten: str) -> None:
    """A request that does not say where to start is answered with nothing."""
    for source in (of_stream(ten), of_all()):
        assert reading.answers(**source, count=1) == []
        assert reading.answers(**source, subscription=SUBSCRIPTION) == []


def test_combinations(reading: Reading, ten: str) -> None:
    """An unsupported combination of options is refused by name."""
    combined = "The combination of ({}) is invalid."
    asked: list[tuple[str, dict[str, Any]]] = [
        ("Stream, None, Forwards, NoFilter", of_stream(ten, **START)),
        ("All, None, Forwards, NoFilter", of_all(**START)),
        ("Stream, Count, Forwards, Filter",
            {**of_stream(ten, **START), "count": 1, "filter": by_type("A")}),
        ("Stream, Subscription, Backwards, NoFilter",
            {**of_stream(ten, **START), "subscription": SUBSCRIPTION, "backwards": True}),
        ("All, Subscription, Backwards, NoFilter",
            {**of_all(**START), "subscription": SUBSCRIPTION, "backwards": True}),
    ]  # fmt: skip  # a line for what is said, and one for what was asked
    for said, options in asked:
        assert reading.refusal(**options) == ("INVALID_ARGUMENT", combined.format(said))


def test_a_read_has_a_source_and_a_count(reading: Reading, ten: str) -> None:
    """A read of nothing in particular, and one of no events, is refused."""
    code, text = reading.refusal(count=1)
    assert (code, text[:23]) == ("INVALID_ARGUMENT", "'None' is not a valid E")
    assert reading.refusal(**of_stream(ten, **START), count=0) == STREAM_ERROR
    assert reading.refusal(**of_all(**START), count=0) == ALL_ERROR


def test_counts_may_be_enormous(reading: Reading, ten: str) -> None:
    """A count beyond all versions reads what there is."""
    for count in (2**63, 2**64 - 1):
        assert len(reading.answers(**of_stream(ten, **START), count=count)) == 10


def test_beyond_the_end_of_all(reading: Reading, sync_client: EventStoreDBClient, ten: str) -> None:
    """Beyond the end of $all, a read forwards finds nothing; a read backwards is an error."""
    far = append(sync_client, ten, 1) + 10**9
    for start in (of_all(far), of_all(**END), of_all(2**64 - 1), of_all(LARGEST)):
        assert reading.answers(**start, count=1) == []
    assert reading.refusal(**of_all(far), count=1, backwards=True) == ALL_ERROR
    for end in (of_all(**END), of_all(2**64 - 1)):
        assert len(reading.answers(**end, count=1, backwards=True)) == 1


def test_within_a_record(reading: Reading, sync_client: EventStoreDBClient, ten: str) -> None:
    """A position where no record begins is refused; a subscription is confirmed first."""
    within = append(sync_client, ten, 1) - 1
    refused = ("UNKNOWN", "Unexpected ReadAllResult: InvalidPosition")
    assert reading.refusal(**of_all(within), count=1) == refused
    assert reading.refusal(**of_all(within), count=1, backwards=True) == refused
    call = reading.call(**of_all(within), subscription=SUBSCRIPTION)
    assert kinds([next(call)]) == ["confirmation"]
    assert call.code().name == "INVALID_ARGUMENT"
    assert call.details() == "Trying to read from an invalid position."


@pytest.mark.parametrize(
    ("commit", "prepare"), [(2**63, 2**63), (0, 5), (10, 2**64 - 1), (2**64 - 1, 5)]
)
def test_numbers_that_are_no_position(reading: Reading, commit: int, prepare: int) -> None:
    """A number too large, or a prepare position behind the commit position, is refused at once."""
    for asked in ({"count": 1}, {"subscription": SUBSCRIPTION}):
        assert reading.refusal(**of_all(commit, prepare), **asked) == HANDLER


def test_just_before_a_record(reading: Reading, sync_client: EventStoreDBClient, ten: str) -> None:
    """The prepare position 0 is before the record: a subscription gets that one, too."""
    at = append(sync_client, ten, 1)
    append(sync_client, ten, 1)
    assert versions(reading.answers(**of_all(at, 0), count=1)) == [10]
    for prepare, first in ((0, 10), (at, 11)):
        call = reading.call(
            **of_all(at, prepare), subscription=SUBSCRIPTION, filter=by_type("Happened")
        )
        assert versions([answer for _, answer in zip(range(2), call, strict=False)]) == [first]
        call.cancel()


@pytest.mark.parametrize(
    ("events", "metadata", "start", "count", "said", "first"),
    [
        (10, {"$maxCount": 3}, 0, 5, [7], 7),
        (10, {"$maxCount": 3}, 2, 3, [7], 7),
        (64, {"$maxCount": 3}, 0, 1000, [61], 61),
        (64, {"$tb": 20}, 0, 1000, [], 20),
        (64, {"$tb": 20}, 0, 5, [20], 20),
        (64, {"$tb": 70}, 0, 1000, [70, 64], None),
        (10, {}, 50, 5, [10], None),
        (10, {}, 10, 5, [], None),
        (10, {"$maxAge": 1000}, 8, 5, [], 8),
    ],
)
def test_the_first_position_of_a_stream(
    reading: Reading, sync_client: EventStoreDBClient, stream: str,
    events: int, metadata: dict[str, int], start: int, count: int, said: list[int],
    first: int | None,
) -> None:  # fmt: skip  # a line of fixtures, and what is asked
    """A read forwards names each version that it skips to before it has found an event."""
    append(sync_client, stream, events)
    sync_client.set_stream_metadata(stream, metadata=metadata, current_version=ANY)
    answers = reading.answers(
        **of_stream(stream, revision=start), count=count, control_option=COMPATIBLE
    )
    found = versions(answers)
    assert [a.first_stream_position for a in answers[: len(said)]] == said
    assert found[:1] == ([] if first is None else [first])
    assert kinds(answers) == [
        *["first_stream_position"] * len(said), *["event"] * len(found), "last_stream_position"
    ]  # fmt: skip  # in this order
    assert answers[-1].last_stream_position == events - 1


def test_no_first_position_backwards(
    reading: Reading, sync_client: EventStoreDBClient, ten: str
) -> None:
    """Backwards, only the last position is named, and neither is of a stream that is not there."""
    sync_client.set_stream_metadata(ten, metadata={"$maxCount": 1}, current_version=ANY)
    asked: dict[str, Any] = {"count": 5, "control_option": COMPATIBLE}
    answers = reading.answers(**of_stream(ten, **END), **asked, backwards=True)
    assert kinds(answers) == ["event", "last_stream_position"]
    sync_client.delete_stream(ten, current_version=ANY)
    assert kinds(reading.answers(**of_stream(ten, **START), **asked)) == ["stream_not_found"]


def test_a_tombstoned_stream_is_refused_at_once(
    reading: Reading, sync_client: EventStoreDBClient, ten: str
) -> None:
    """A subscription to a tombstoned stream is refused before any confirmation."""
    sync_client.tombstone_stream(ten, current_version=ANY)
    refused = reading.refusal(**of_stream(ten, **START), subscription=SUBSCRIPTION)
    assert refused == ("FAILED_PRECONDITION", f"Event stream '{ten}' is deleted.")


def test_links(reading: Reading, sync_client: EventStoreDBClient, ten: str) -> None:
    """A link that cannot be read as one is an event; one that leads nowhere is a link alone."""
    never = f"{ten}-never"
    links = {
        f"3@{ten}": 3, f" +3@{ten}": 3, f"-1@{ten}": 9, f"99@{ten}": None, f"1@{never}": None,
        "1@": None, "rubbish": "an event", "": "an event", f"x@{ten}": "an event",
        f"-2@{ten}": "an event", f"{2**63}@{ten}": "an event", "3": "an event",
    }  # fmt: skip  # what leads to an event, what leads nowhere, and what leads at all
    events = [NewEvent("$>", data.encode()) for data in links]
    sync_client.append_to_stream(f"{ten}-links", current_version=ANY, events=events)
    source = {**of_stream(f"{ten}-links", **START), "resolve_links": True}
    subscribed = reading.answers(**source, subscription=SUBSCRIPTION, until="caught_up")
    for answers in (reading.answers(**source, count=50), subscribed[1:-1]):
        found: dict[str, object] = {}
        for event in (answer.event for answer in answers):
            raw = event.link if event.HasField("link") else event.event
            found[raw.data.decode()] = (
                "an event"
                if not event.HasField("link")
                else event.event.stream_revision if event.HasField("event") else None
            )  # fmt: skip  # three outcomes
        assert found == links


@pytest.mark.parametrize(
    "metadata",
    [{"$maxCount": 0}, {"$maxAge": 0}, {"$maxAge": 10**12}, {"$maxCount": 0, "$tb": 3},
        {"$cacheControl": 0, "$tb": 3}],
)  # fmt: skip  # one line as long as it fits
def test_limits_that_are_none(
    reading: Reading, sync_client: EventStoreDBClient, ten: str, metadata: dict[str, int]
) -> None:
    """A limit of 0 is not a limit, and voids all other limits of that metadata."""
    sync_client.set_stream_metadata(ten, metadata=metadata, current_version=ANY)
    assert versions(reading.answers(**of_stream(ten, **START), count=20)) == list(range(10))
    backwards = reading.answers(**of_stream(ten, **END), count=2, backwards=True)
    assert versions(backwards) == [9, 8]
