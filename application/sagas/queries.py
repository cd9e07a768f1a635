"""The questions about sagas: which are open, stuck or overdue, how many, and how one stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from application.paging import LARGEST_PAGE, Page, require_limit
from application.ports import Finding, Lookup
from application.sagas.standings import SagaStanding
from application.sagas.state import AT_WORK, Status

OVERDUE_AFTER: Final = timedelta(minutes=1)
"""So late a saga may move without anybody being worried."""

WHICH: Final = ("open", "stuck", "overdue", *map(str, Status), "all")
"""Open: at work, or failed. Stuck: at work, and its step fails and fails, or it is overdue."""


async def saga(views: Lookup[SagaStanding], saga_id: str) -> SagaStanding | None:
    """The saga with its timeline, if the read model has heard of it."""
    seen = (await views.load([saga_id])).get(saga_id)
    return seen.view if seen else None


async def sagas(
    views: Finding[SagaStanding],
    which: str = "open",
    *,
    now: datetime,
    after: str | None = None,
    limit: int = 50,
) -> Page[SagaStanding]:
    """Sagas by age, the oldest first, without their timelines.

    ``ValueError`` for another word than ``WHICH`` has; ``limit`` as for orders.
    """
    require_limit(limit)
    if which in ("stuck", "overdue"):
        found = await _worrying(views, which, now)
        last = await saga(views, after) if after else None
        found = [saga for saga in found if after is None or (last and _age(saga) > _age(last))]
    else:
        equal = _equal(which)
        page = await views.find(equal=equal, by="started_at", after=after, limit=limit + 1)
        found = [seen.view for _, seen in page]
    return Page(found[:limit], after=found[limit - 1].saga_id if len(found) > limit else None)


def overdue(saga: SagaStanding, now: datetime) -> bool:
    """Whether it should have moved, and nobody has seen to it."""
    return saga.due is not None and saga.due < now - OVERDUE_AFTER


@dataclass(frozen=True)
class SagaCounts:
    """How many sagas of one name are open, and how."""

    at_work: Mapping[Status, int]
    stuck: Mapping[Status, int]  # their step fails and fails
    overdue: int
    failed: int


async def saga_counts(views: Finding[SagaStanding], saga: str, now: datetime) -> SagaCounts:
    """Counted by the store of the views, so it is quick however many are at work."""

    async def counted(status: Status, **more: str) -> int:
        return await views.count(equal={"saga": saga, "status": status, **more})

    return SagaCounts(
        at_work={status: await counted(status) for status in sorted(AT_WORK)},
        stuck={status: await counted(status, stuck="true") for status in sorted(AT_WORK)},
        overdue=await views.count(equal={"saga": saga}, by="due", until=_late(now)),
        failed=await counted(Status.FAILED),
    )


def _equal(which: str) -> Mapping[str, str]:
    match which:
        case "all":
            return {}
        case "open":
            return {"open": "true"}
        case _ if which in WHICH:
            return {"status": which}
        case _:
            raise ValueError(f"there are no sagas {which!r}, but {', '.join(WHICH)}")


async def _worrying(
    views: Finding[SagaStanding], which: str, now: datetime
) -> Sequence[SagaStanding]:
    """All of them, by age: they are few, or it is time to start a service."""
    found = await _every(views, {}, "due", until=_late(now))
    if which == "stuck":
        found |= await _every(views, {"stuck": "true"}, "started_at")
    return sorted(found.values(), key=_age)


async def _every(
    views: Finding[SagaStanding], equal: Mapping[str, str], by: str, until: str | None = None
) -> dict[str, SagaStanding]:
    """By id, however many pages that takes."""
    found: dict[str, SagaStanding] = {}
    after: str | None = None
    while page := await views.find(
        equal=equal, by=by, after=after, until=until, limit=LARGEST_PAGE
    ):
        found |= {id: seen.view for id, seen in page}
        after = page[-1][0]
    return found


def _age(saga: SagaStanding) -> tuple[datetime, str]:
    return saga.started_at, saga.saga_id


def _late(now: datetime) -> str:
    """A moment as it stands in a view: what was due by then is overdue."""
    return (now - OVERDUE_AFTER).astimezone(UTC).isoformat().replace("+00:00", "Z")
