"""The read model of sagas: where each stands, and its timeline, however often events come."""

from dataclasses import replace
from datetime import timedelta

import pytest

from application.ports import Seen
from application.projections.folding import fold
from application.sagas.events import (
    CompensationOrdered,
    EventArrived,
    SagaCompensated,
    SagaCompleted,
    SagaEvent,
    SagaFailed,
    SagaResolved,
    SagaRetried,
    SagaStarted,
    SagaWoken,
    StepBegun,
    StepCompleted,
    StepDelayed,
    StepRefused,
    StepTimedOut,
    StepUndone,
    UndoDelayed,
    WaitBegun,
    WaitExpired,
)
from application.sagas.queries import overdue
from application.sagas.standings import SagaStanding, shown_by, standings_of
from application.sagas.state import AT_WORK, SagaState, SagaStatus, evolve
from application.sagas.timeline import ENTRIES, EntryKind, EntryOutcome, TimelineEntry
from infrastructure.providers.simulated import Fault
from tests.application.sagas.small_saga import APPROVED, saga
from tests.projection_specification import ProjectionSpecification, at, recorded
from tests.sample.money_transfer import money_transfer
from tests.sample.service import SAMPLE
from tests.sample.world import Bank

STREAM = "money_transfer-t-1"
BANK = replace(SAMPLE, sagas=(*SAMPLE.sagas, replace(saga(APPROVED), name="review")))
"""With a second saga, one that waits."""

REVIEW = "review-t-1"
REVIEW_STARTED = SagaStarted(saga="review", version=1, facts={})
STARTED = SagaStarted(saga="money_transfer", version=1, facts={"transfer_id": "t-1"})
REQUEST, HOLD, PAY, COMPLETE, MOVE = (step.name for step in money_transfer.steps)
TIMEOUT = timedelta(minutes=5)


def begun(step: str, minute: int = 1) -> StepBegun:
    return StepBegun(step=step, deadline=at(minute) + TIMEOUT)


def delayed(step: str, minute: int = 9) -> StepDelayed:
    return StepDelayed(step=step, error="out of order", again_at=at(minute))


def standing(*events: SagaEvent) -> SagaStanding:
    """After these events, one a minute; however often each of them comes."""
    past = [(STREAM, event) for event in events]
    view = fold(BANK.standings, recorded(BANK.catalogue, past), {})[STREAM].view  # type: ignore[union-attr]  # it is there
    ProjectionSpecification(BANK.catalogue, BANK.standings).given(*past).then({STREAM: view})
    return view


def short(view: SagaStanding) -> list[tuple[str, str, str, int]]:
    return [(entry.kind, entry.name, entry.outcome, entry.attempts) for entry in view.timeline]


def test_a_saga_under_way_has_a_step_and_a_moment_by_which_it_moves() -> None:
    """It is at work, and an attempt takes no longer than its step's timeout."""
    view = standing(STARTED, begun(HOLD))

    assert (view.saga_id, view.saga, view.definition) == ("t-1", "money_transfer", 1)
    assert (view.status, view.open, view.stuck) == (SagaStatus.RUNNING, True, False)
    assert (view.step, view.attempts, view.due) == (HOLD, 0, at(1) + TIMEOUT)
    assert (view.started_at, view.changed_at) == (at(0), at(1))


def test_a_saga_that_waits_says_until_when_and_why() -> None:
    """The failed attempts at one step are counted, with the last error; being woken is no news."""
    view = standing(STARTED, begun(PAY), delayed(PAY, 3), SagaWoken(due=at(3)))
    assert (view.attempts, view.error, view.due) == (1, "out of order", at(3) + TIMEOUT)

    view = standing(STARTED, begun(PAY), delayed(PAY, 9))
    assert view.due == at(9)
    assert short(view) == [("step", PAY, "under way", 1)]


@pytest.mark.parametrize(("failed", "stuck"), [(4, False), (5, True)])
def test_a_saga_is_stuck_when_its_step_says_so(failed: int, stuck: bool) -> None:
    """After as many failed attempts as the step's definition allows before somebody looks."""
    assert money_transfer.step(PAY).alert_after == 5
    tries = [delayed(PAY, minute) for minute in range(failed)]

    assert standing(STARTED, begun(PAY), *tries).stuck is stuck
    assert not standing(STARTED, begun(PAY), *tries, StepCompleted(step=PAY)).stuck


def test_a_completed_saga_has_its_steps_told_and_is_not_open() -> None:
    """Each step is one entry with its attempts, and how long it took."""
    view = standing(
        STARTED,
        begun(HOLD),
        delayed(HOLD),
        StepCompleted(step=HOLD),
        begun(COMPLETE, 4),
        StepCompleted(step=COMPLETE),
        SagaCompleted(),
    )

    assert (view.status, view.open, view.step, view.due) == (
        SagaStatus.COMPLETED,
        False,
        None,
        None,
    )
    assert view.timeline == (
        TimelineEntry(
            kind=EntryKind.STEP,
            name=HOLD,
            outcome=EntryOutcome.COMPLETED,
            attempts=2,
            began_at=at(1),
            ended_at=at(3),
            error="out of order",
        ),
        TimelineEntry(
            kind=EntryKind.STEP,
            name=COMPLETE,
            outcome=EntryOutcome.COMPLETED,
            attempts=1,
            began_at=at(4),
            ended_at=at(5),
        ),
    )


def test_a_compensated_saga_tells_what_was_undone_and_why() -> None:
    """What may have happened is undone, last in, first out; each undoing has its attempts."""
    view = standing(
        STARTED,
        begun(HOLD),
        StepCompleted(step=HOLD),
        begun(PAY, 3),
        StepTimedOut(step=PAY, error="no answer"),
        UndoDelayed(step=PAY, error="out of order", again_at=at(9)),
        StepUndone(step=PAY),
        StepUndone(step=HOLD),
        SagaCompensated(),
    )

    assert (view.status, view.reason) == (SagaStatus.COMPENSATED, f"{PAY}: no answer")
    assert view.undone == (PAY, HOLD)
    assert short(view) == [
        ("step", HOLD, "completed", 1),
        ("step", PAY, "timed out", 1),
        ("undo", PAY, "undone", 2),
        ("undo", HOLD, "undone", 1),
    ]
    assert [entry.began_at for entry in view.timeline] == [at(1), at(3), at(4), at(6)]


def test_what_was_refused_is_not_undone() -> None:
    """A step that has never happened is in the timeline, and nothing undoes it."""
    view = standing(
        STARTED,
        begun(HOLD),
        StepCompleted(step=HOLD),
        begun(PAY, 3),
        StepRefused(step=PAY, reason="declined by the bank"),
    )

    assert (view.status, view.step) == (SagaStatus.COMPENSATING, HOLD)
    assert view.timeline[1].error == "declined by the bank"
    assert short(view)[2:] == [("undo", HOLD, "under way", 0)]


def test_a_saga_that_failed_waits_for_a_person_and_a_command_has_a_name() -> None:
    """Failed is open, and due never; after a retry its step is begun anew in the timeline."""
    failed = (STARTED, begun(MOVE), SagaFailed(step=MOVE, reason="the account is gone"))
    view = standing(*failed)
    assert (view.status, view.open, view.stuck, view.due) == (SagaStatus.FAILED, True, False, None)
    assert (view.step, view.error) == (MOVE, "the account is gone")

    view = standing(*failed, SagaRetried(by="ada", reason="they are back"))
    assert (view.status, view.step) == (SagaStatus.RUNNING, MOVE)
    assert (view.timeline[1].by, view.timeline[1].reason) == ("ada", "they are back")
    assert short(view) == [
        ("step", MOVE, "failed", 1),
        ("command", "retry", "recorded", 0),
        ("step", MOVE, "under way", 0),
    ]

    view = standing(*failed, SagaResolved(by="ada", reason="sent by hand"))
    assert (view.status, view.open) == (SagaStatus.RESOLVED, False)


def test_a_command_cuts_off_what_is_under_way() -> None:
    """A step that was under way when all had to be undone is told as cut off, and undone."""
    view = standing(STARTED, begun(COMPLETE), CompensationOrdered(by="api", reason="too slow"))

    assert view.reason == "too slow"
    assert short(view) == [
        ("step", COMPLETE, "cut off", 0),
        ("command", "compensate", "recorded", 0),
        ("undo", COMPLETE, "under way", 0),
    ]


def waiting(*events: SagaEvent) -> SagaStanding:
    """A review after these events, one a minute."""
    past = [(REVIEW, event) for event in (REVIEW_STARTED, *events)]
    view = fold(BANK.standings, recorded(BANK.catalogue, past), {})[REVIEW].view  # type: ignore[union-attr]  # it is there
    ProjectionSpecification(BANK.catalogue, BANK.standings).given(*past).then({REVIEW: view})
    return view


def test_a_timeline_keeps_its_latest_entries() -> None:
    """However often an operator retries; what was undone is shown as long as the saga is."""
    undone = [begun(HOLD), begun(PAY), StepRefused(step=PAY, reason="no"), StepUndone(step=HOLD)]
    again = [SagaFailed(step=REQUEST, reason="no"), SagaRetried(by="ann", reason="try")]
    past = [(STREAM, event) for event in (STARTED, *undone, *again * 200)]

    view = fold(BANK.standings, recorded(BANK.catalogue, past), {})[STREAM].view  # type: ignore[union-attr]  # it is there

    assert len(view.timeline) == ENTRIES
    assert view.timeline[-2].name == "retry"
    assert view.undone == (HOLD,)


def test_a_saga_that_waits_for_an_event_is_neither_stuck_nor_late() -> None:
    """Until its moment: what it waits for and until when are shown, and it counts as at work."""
    view = waiting(WaitBegun(step="await approval", until=at(9_000)))

    assert (view.status, view.open, view.stuck) == (SagaStatus.RUNNING, True, False)
    assert (view.step, view.due) == ("await approval", at(9_000))
    assert (view.waiting, view.waits_for) == (True, "TransferApproved")
    assert view.waits_until == at(9_000)
    assert not overdue(view, at(8_999))
    assert overdue(view, at(9_002))


def test_a_wait_that_is_over_is_in_the_timeline() -> None:
    """As completed where the event came, and as expired where it did not."""
    begun = WaitBegun(step="await approval", until=at(9))
    came = waiting(
        begun,
        EventArrived(step="await approval", event_id="1"),
        StepCompleted(step="await approval"),
    )
    late = waiting(begun, WaitExpired(step="await approval", error="no TransferApproved"))

    assert (came.waits_for, came.waits_until) == (None, None)
    assert short(came) == [("step", "await approval", "completed", 1)]
    assert short(late)[0] == ("step", "await approval", "expired", 1)
    assert late.timeline[0].error == "no TransferApproved"


def test_sagas_that_share_an_id_are_shown_apart() -> None:
    """The key holds the saga's name: a review may have the id of a transfer."""
    past = recorded(BANK.catalogue, [(STREAM, STARTED), ("review-t-1", REVIEW_STARTED)])

    assert sorted(fold(BANK.standings, past, {})) == [STREAM, "review-t-1"]


def test_the_version_before_goes_on_as_it_was() -> None:
    """Where it answers still, it is keyed by the id, and holds what the last release can read."""
    (_, before) = standings_of(BANK.sagas)
    past = recorded(
        BANK.catalogue, [(STREAM, STARTED), (STREAM, SagaRetried(by="ada", reason="it is back"))]
    )
    seen = fold(before, past, {})

    assert (before.version, [one.name for one in before.follows]) == (1, ["money_transfer"])
    assert list(seen) == ["t-1"]
    view = seen["t-1"].view  # type: ignore[union-attr]  # it is there
    assert [entry["kind"] for entry in view.model_dump(mode="json")["timeline"]] == ["wish"]
    read = before.view.model_validate_json(view.model_dump_json())
    assert [entry.kind for entry in read.timeline] == [EntryKind.COMMAND]


def test_a_build_of_the_version_before_counts_one_saga() -> None:
    """What it does not show is unknown, and never counted as none."""
    assert shown_by(1, ("money_transfer", "standing_order")) == ("money_transfer",)
    assert shown_by(2, ("money_transfer", "standing_order")) == ("money_transfer", "standing_order")


def test_a_saga_that_was_never_started_is_no_guess() -> None:
    """An event of an unknown saga is an error that names it, not half a view."""
    with pytest.raises(LookupError, match="SagaWoken of money_transfer-t-1, which was never"):
        fold(BANK.standings, recorded(BANK.catalogue, [(STREAM, SagaWoken(due=at(1)))]), {})


@pytest.mark.parametrize(
    "faults",
    [
        (),
        (Fault(kind="unavailable", call="redeem", times=7),),
        (Fault(kind="decline", call="redeem"),),
        (
            Fault(kind="unavailable", call="redeem"),
            Fault(kind="unavailable", call="restore", times=9),
        ),
        (
            Fault(kind="drop", call="redeem"),
            Fault(kind="late", call="restore", seconds=99, times=2),
        ),
    ],
    ids=["none", "delayed", "declined", "timed out", "no answers"],
)
async def test_what_is_shown_agrees_with_the_saga_itself(faults: tuple[Fault, ...]) -> None:
    """After every event that an engine records, the view says what the saga knows of itself."""
    world = Bank(*faults)
    await world.deposit(a=5)
    await world.request(amount=2)
    await world.settle()

    state, view = SagaState(), None
    for past in world.recorded(STREAM):
        state = evolve(state, past.event)  # type: ignore[arg-type]  # a saga's stream
        view = fold(BANK.standings, [past], {} if view is None else {STREAM: view})[STREAM]
        assert isinstance(view, Seen)
        shown, at_work = view.view, state.status in AT_WORK
        assert (shown.status, shown.attempts) == (state.status, state.attempts)
        assert (shown.due is not None) == shown.open == at_work
        under_way = [entry for entry in shown.timeline if entry.outcome is EntryOutcome.UNDER_WAY]
        assert [entry.name for entry in under_way] == (
            [shown.step] if at_work and shown.step else []
        )
        assert set(shown.undone).isdisjoint(state.to_undo)
