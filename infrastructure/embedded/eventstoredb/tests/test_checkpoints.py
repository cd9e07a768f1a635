"""Checkpoints of filtered subscriptions: when they come, and which they are, as on the server."""

from collections.abc import Iterator

import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.protos.Grpc import streams_pb2

from reading import (
    END,
    START,
    SUBSCRIPTION,
    Reading,
    by_type,
    kinds,
    of_all,
)

ANY = StreamState.ANY
NOWHERE = (2**64 - 1, 2**64 - 1)


@pytest.fixture
def reading(eventstoredb_uri: str) -> Iterator[Reading]:
    """Reads of an empty node."""
    reading = Reading(eventstoredb_uri)
    yield reading
    reading.close()


@pytest.fixture
def client(eventstoredb_uri: str) -> Iterator[EventStoreDBClient]:
    with EventStoreDBClient(eventstoredb_uri) as client:
        yield client


def append(client: EventStoreDBClient, kind: str, count: int = 1) -> int:
    events = [NewEvent(kind, b"{}") for _ in range(count)]
    return client.append_to_stream("noise", current_version=ANY, events=events)


def checkpoints(answers: list[streams_pb2.ReadResp]) -> list[tuple[int, int]]:
    found = [a.checkpoint for a in answers if a.WhichOneof("content") == "checkpoint"]
    return [(checkpoint.commit_position, checkpoint.prepare_position) for checkpoint in found]


def positions(reading: Reading) -> list[int]:
    """Of all records that any reader of $all is shown."""
    answers = reading.answers(**of_all(**START), count=1000)
    return [answer.event.commit_position for answer in answers]


def test_before_everything(reading: Reading) -> None:
    """On an empty node, where nothing matches, the first checkpoint is before everything.

    That is no position, but the largest number.
    """
    answers = reading.answers(
        **of_all(**START), subscription=SUBSCRIPTION, filter=by_type("Mine"), until="caught_up"
    )
    assert kinds(answers) == ["confirmation", "checkpoint", "caught_up"]
    assert checkpoints(answers) == [NOWHERE]


def test_from_the_first_position(reading: Reading) -> None:
    """From position 0 it is that one."""
    answers = reading.answers(
        **of_all(0), subscription=SUBSCRIPTION, filter=by_type("Mine"), until="caught_up"
    )
    assert checkpoints(answers) == [(0, 0)]


def test_where_a_window_began(reading: Reading, client: EventStoreDBClient) -> None:
    """When nothing matches, a checkpoint is just before the window that was looked at."""
    append(client, "Noise", 23)
    asked = by_type("Mine", window=5)
    answers = reading.answers(
        **of_all(**START), subscription=SUBSCRIPTION, filter=asked, until="caught_up"
    )
    found = checkpoints(answers)
    assert found[0] == (0, 0)
    assert {prepare for _, prepare in found} == {0}
    records = [commit for commit in positions(reading) if commit >= found[1][0]]
    assert [commit for commit, _ in found[1:]] == records[: 5 * (len(found) - 1) : 5]
    assert 3 <= len(found) <= 1 + len(positions(reading)) // 5


def test_a_multiple_of_windows(reading: Reading, client: EventStoreDBClient) -> None:
    """With a multiplier it is just before the last of so many windows."""
    append(client, "Noise", 40)

    def found(window: int, multiplier: int) -> list[tuple[int, int]]:
        return checkpoints(
            reading.answers(
                **of_all(**START), subscription=SUBSCRIPTION, until="caught_up",
                filter=by_type("Mine", window=window, multiplier=multiplier),
            )
        )  # fmt: skip  # where, how far, and how often

    third = found(5, 3)
    each = found(5, 1)  # later: the links of the projections may have come in between
    assert third
    assert third == each[2::3][: len(third)]


def test_the_last_event(reading: Reading, client: EventStoreDBClient) -> None:
    """When an event was sent, the checkpoint before "caught up" is that event."""
    append(client, "Noise", 3)
    mine = append(client, "Mine")
    append(client, "Noise", 3)
    answers = reading.answers(
        **of_all(**START), subscription=SUBSCRIPTION, until="caught_up",
        filter=by_type("Mine", window=1000),
    )  # fmt: skip  # where, how far, and how often
    assert kinds(answers) == ["confirmation", "event", "checkpoint", "caught_up"]
    assert checkpoints(answers) == [(mine, mine)]


def test_from_the_end(reading: Reading, client: EventStoreDBClient) -> None:
    """From the end, there is none before a window of new records; then it is at the last one."""
    append(client, "Noise", 3)
    asked = by_type("Mine", window=5)
    call = reading.call(**of_all(**END), subscription=SUBSCRIPTION, filter=asked)
    assert kinds([next(call), next(call)]) == ["confirmation", "caught_up"]
    append(client, "Noise", 20)
    (at,) = checkpoints([next(call)])
    assert at[0] == at[1]
    assert at[0] in positions(reading)
    call.cancel()


def test_start_again_from_a_checkpoint(reading: Reading, client: EventStoreDBClient) -> None:
    """A subscription that starts from any of them misses no event."""
    for _ in range(6):
        append(client, "Noise", 7)
        append(client, "Mine")
    asked = {"subscription": SUBSCRIPTION, "filter": by_type("Mine", window=3)}
    answers = reading.answers(**of_all(**START), until="caught_up", **asked)
    for number, answer in enumerate(answers):
        for commit, prepare in checkpoints([answer]):
            rest = {a.event.event.id.string for a in answers[number:]} - {""}
            for start in (of_all(commit, prepare), of_all(commit)):
                again = reading.answers(**start, until="caught_up", **asked)
                assert {a.event.event.id.string for a in again} - {""} >= rest
