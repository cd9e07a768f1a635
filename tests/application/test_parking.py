"""The parking stream: what is held, what waits behind it, and what a person may ask for."""

from uuid import UUID

import pytest

from application.parking import (
    DiscardEvent,
    EventDiscarded,
    EventParked,
    EventReplayed,
    FinishReplay,
    NotParked,
    ParkEvent,
    QueueEvent,
    ReplayRequested,
    RequestReplay,
    WaitsBehind,
    decider,
)
from tests.specification import Specification

parking = Specification(decider)

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


def parked(id: UUID, version: int, stream: str = "order-1", error: str = "no") -> EventParked:
    return EventParked(
        event_id=id, stream=stream, version=version, type="T", error=error, attempts=3
    )


def queued(id: UUID, version: int, behind: UUID) -> EventParked:
    return EventParked(event_id=id, stream="order-1", version=version, type="T", behind=behind)


def park(id: UUID, version: int) -> ParkEvent:
    return ParkEvent(
        event_id=id, stream="order-1", version=version, type="T", error="no", attempts=3
    )


def queue(id: UUID, version: int, stream: str = "order-1") -> QueueEvent:
    return QueueEvent(event_id=id, stream=stream, version=version, type="T")


REPLAY = ReplayRequested(event_id=A, stream="order-1", by="ada")
DISCARD = EventDiscarded(event_id=A, stream="order-1", by="ada", reason="wrong")


def test_what_has_failed_is_parked_once() -> None:
    """Parking it again, as a repeated delivery would, adds nothing."""
    parking.given().when(park(A, 0)).then(parked(A, 0))
    parking.given(parked(A, 0)).when(park(A, 0)).then_nothing()


def test_what_follows_in_the_stream_waits_behind() -> None:
    """It is held, without an error of its own; what is parked already is not held twice."""
    parking.given(parked(A, 0)).when(queue(B, 1)).then(queued(B, 1, behind=A))
    parking.given(parked(A, 0), queued(B, 1, behind=A)).when(queue(B, 1)).then_nothing()


def test_what_has_nothing_before_it_flows() -> None:
    """No parked events, another stream, an earlier version: nothing to wait for."""
    parking.given().when(queue(A, 0)).then_nothing()
    parking.given(parked(A, 5)).when(queue(B, 9, "order-2")).then_nothing()
    parking.given(parked(A, 5)).when(queue(B, 4)).then_nothing()


def test_the_first_of_a_stream_is_replayed_first() -> None:
    """Only what comes first can be replayed: order is the point of parking."""
    given = parking.given(parked(A, 0), parked(B, 1))
    given.when(RequestReplay(event_id=A, by="ada")).then(REPLAY)
    given.when(RequestReplay(event_id=B, by="ada")).then_refused(WaitsBehind)
    parking.given().when(RequestReplay(event_id=A, by="ada")).then_refused(NotParked)


def test_what_fails_again_is_parked_again() -> None:
    """A replay that fails leaves the event where it was, with the new error."""
    parking.given(parked(A, 0), REPLAY).when(park(A, 0)).then(parked(A, 0))


def test_what_was_handled_is_gone() -> None:
    """It is not parked any more, and the next time it is not there."""
    replayed = EventReplayed(event_id=A, stream="order-1")
    finish = FinishReplay(event_id=A, stream="order-1")
    parking.given(parked(A, 0), REPLAY).when(finish).then(replayed)
    parking.given(parked(A, 0), REPLAY, replayed).when(finish).then_nothing()


def test_what_was_discarded_never_comes_back() -> None:
    """Not even when it is delivered, or fails, again; and only what is held can be discarded."""
    discard = DiscardEvent(event_id=A, by="ada", reason="wrong")
    parking.given(parked(A, 0)).when(discard).then(DISCARD)
    parking.given(parked(A, 0), DISCARD).when(park(A, 0)).then_nothing()
    parking.given(parked(A, 0), parked(B, 1), DISCARD).when(queue(A, 0)).then_nothing()
    parking.given().when(discard).then_refused(NotParked)


@pytest.mark.parametrize(
    ("history", "due"),
    [
        ([], None),
        ([parked(A, 0)], None),
        ([parked(A, 0), REPLAY], A),
        ([parked(A, 0), queued(B, 1, A), REPLAY], A),
        ([parked(A, 0), queued(B, 1, A), DISCARD], B),
        ([parked(A, 0), parked(B, 1), DISCARD], None),
        ([parked(B, 1), parked(A, 0)], None),
        ([parked(B, 1), parked(A, 0), REPLAY], A),
        ([parked(A, 1), REPLAY, parked(C, 0)], None),
    ],
)
def test_the_next_of_a_stream_is_due_when_nobody_need_be_asked(
    history: list[EventParked], due: UUID | None
) -> None:
    """The first by version, if a person asked for its replay, or it had only been waiting."""
    found = decider.fold(history).due("order-1")
    assert (found and found.parked.event_id) == due
