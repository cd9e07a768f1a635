"""The questions about sagas: by age, in pages, and counted."""

from datetime import datetime, timedelta

import pytest

from application.ports import Seen, Total
from application.sagas import queries as saga_queries
from application.sagas.lookup import SagaName
from application.sagas.standings import SagaStanding, standings_of
from application.sagas.state import SagaStatus
from application.time_range import TimeRange
from infrastructure import memory
from tests.projection_specification import at
from tests.sample.service import SAMPLE

NOW = at(60)


def standing(
    id: str, status: SagaStatus, minute: int, due: datetime | None = None, stuck: bool = False
) -> SagaStanding:
    return SagaStanding(
        saga_id=id,
        saga="money_transfer",
        definition=1,
        status=status,
        open=status in (SagaStatus.RUNNING, SagaStatus.COMPENSATING, SagaStatus.FAILED),
        stuck=stuck,
        step=None,
        attempts=0,
        started_at=at(minute),
        changed_at=at(minute),
        due=due,
        error=None,
        reason=None,
        undone=(),
    )


@pytest.fixture
async def views() -> memory.Views[SagaStanding]:
    """One of each kind, whose ids are in another order than their ages."""
    views = memory.Views(SAMPLE.standings)
    late, soon = NOW - timedelta(seconds=61), NOW - timedelta(seconds=59)
    known = [
        standing("done", SagaStatus.COMPLETED, 1),
        standing("undone", SagaStatus.COMPENSATED, 2),
        standing("stuck", SagaStatus.RUNNING, 9, soon, stuck=True),
        standing("forgotten", SagaStatus.COMPENSATING, 8, late),
        standing("busy", SagaStatus.RUNNING, 7, soon),
        standing("failed", SagaStatus.FAILED, 6),
    ]
    seen = {view.key: Seen(view, 1) for view in known}
    await views.save(seen, checkpoint=1, expected=None)
    return views


@pytest.mark.parametrize(
    ("which", "found"),
    [
        ("open", ["stuck", "forgotten", "busy", "failed"]),
        ("stuck", ["stuck", "forgotten"]),
        ("overdue", ["forgotten"]),
        ("failed", ["failed"]),
        ("running", ["stuck", "busy"]),
        ("all", ["stuck", "forgotten", "busy", "failed", "undone", "done"]),
    ],
)
@pytest.mark.parametrize("oldest_first", [False, True])
async def test_sagas_come_newest_first(
    views: memory.Views[SagaStanding], which: str, found: list[str], oldest_first: bool
) -> None:
    """Or oldest first, whatever is asked for: page after page, each once, each with the total."""
    ids, after = list[str](), None
    for _ in range(3):
        page = await saga_queries.sagas(
            views, which, now=NOW, oldest_first=oldest_first, after=after, limit=2
        )
        ids += [saga.saga_id for saga in page.items]
        assert page.total == Total(len(found))
        if (after := page.after) is None:
            break

    assert ids == (found[::-1] if oldest_first else found)


@pytest.mark.parametrize("which", ["all", "open", "stuck"])
async def test_sagas_of_a_time_are_listed(views: memory.Views[SagaStanding], which: str) -> None:
    """By their start: from the first moment on, and before the last."""
    within = TimeRange(at(7), at(9))
    page = await saga_queries.sagas(views, which, now=NOW, started=within)

    expected = ["forgotten"] if which == "stuck" else ["forgotten", "busy"]
    assert [saga.saga_id for saga in page.items] == expected
    assert page.total == Total(len(expected))


async def test_a_page_goes_on_where_a_saga_was(views: memory.Views[SagaStanding]) -> None:
    """Behind one that there is not, there is nothing, whatever is asked for."""
    for which in ("all", "stuck"):
        page = await saga_queries.sagas(views, which, now=NOW, after="money_transfer-none")
        assert (page.items, page.after) == ([], None)


async def test_a_word_that_means_nothing_is_refused(views: memory.Views[SagaStanding]) -> None:
    """The refusal names the words that there are."""
    with pytest.raises(
        ValueError, match="no sagas 'lost', but open, waiting, stuck, overdue, running"
    ):
        await saga_queries.sagas(views, "lost", now=NOW)


async def test_open_sagas_are_counted(views: memory.Views[SagaStanding]) -> None:
    """At work and stuck by what they do, overdue, and failed."""
    counts = await saga_queries.saga_counts(views, "money_transfer", NOW)

    assert counts == saga_queries.SagaCounts(
        at_work={SagaStatus.COMPENSATING: 1, SagaStatus.RUNNING: 2},
        waiting=0,
        stuck={SagaStatus.COMPENSATING: 0, SagaStatus.RUNNING: 1},
        overdue=1,
        failed=1,
    )


async def test_sagas_of_one_name_are_listed_apart(views: memory.Views[SagaStanding]) -> None:
    """A name says which; without one all are listed."""
    mine = await saga_queries.sagas(views, "stuck", now=NOW, saga="money_transfer")
    theirs = await saga_queries.sagas(views, "stuck", now=NOW, saga="standing_order")

    assert [len(page.items) for page in (mine, theirs)] == [2, 0]


async def test_a_saga_is_found_by_its_name() -> None:
    """In a build of version 1, too, whose key is the id; and never another saga of that id."""
    newest, before = standings_of(SAMPLE.sagas)
    known = standing("o-1", SagaStatus.RUNNING, 1)
    for projection, key in ((newest, known.key), (before, "o-1")):
        views = memory.Views(projection)
        await views.save({key: Seen(known, 1)}, checkpoint=1, expected=None)

        assert await saga_queries.saga(views, SagaName("money_transfer", "o-1")) == known
        assert await saga_queries.saga(views, SagaName("standing_order", "o-1")) is None


async def test_sagas_that_wait_are_found_and_counted(views: memory.Views[SagaStanding]) -> None:
    """They are at work, and neither stuck nor overdue."""
    one = standing("waits", SagaStatus.RUNNING, 3, NOW + timedelta(days=14))
    one = one.model_copy(update={"waiting": True})
    await views.save({one.key: Seen(one, 2)}, checkpoint=2, expected=1)
    found = await saga_queries.sagas(views, "waiting", now=NOW)
    counts = await saga_queries.saga_counts(views, "money_transfer", NOW)

    assert [saga.saga_id for saga in found.items] == ["waits"]
    assert (counts.waiting, counts.at_work[SagaStatus.RUNNING], counts.overdue) == (1, 3, 1)
