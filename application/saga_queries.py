"""The questions about sagas: which are open, stuck or overdue, how many, and how one stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from application.ports import Views
from application.projections.sagas import SagaStanding
from application.queries import LARGEST_PAGE, Page, require_limit
from application.sagas.state import AT_WORK, Status

OVERDUE_AFTER: Final = timedelta(minutes=1)
"""So late a saga may move without anybody being worried."""

WHICH: Final = ("open", "stuck", "overdue", *map(str, Status), "all")
"""Open: at work, or failed. Stuck: at work, and its step fails and fails, or it is overdue."""


async def saga(views: Views[SagaStanding], saga_id: str) -> SagaStanding | None:
    """The saga with its timeline, if the read model has heard of it."""
    seen = (await views.load([saga_id])).get(saga_id)
    return seen.view if seen else None


async def sagas(
    views: Views[SagaStanding],
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
    found: list[SagaStanding] = []
    equal, wanted = _which(which, now)
    while len(found) <= limit:
        page = await views.find(equal=equal, by="started_at", after=after, limit=LARGEST_PAGE)
        found += [seen.view for _, seen in page if wanted(seen.view)]
        if len(page) < LARGEST_PAGE:
            break
        after = page[-1][0]
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


async def saga_counts(views: Views[SagaStanding], saga: str, now: datetime) -> SagaCounts:
    """Counted by the store of the views, so it is quick however many are at work."""

    async def counted(status: Status, **more: str) -> int:
        return await views.count(equal={"saga": saga, "status": status, **more})

    late = (now - OVERDUE_AFTER).astimezone(UTC).isoformat().replace("+00:00", "Z")
    return SagaCounts(
        at_work={status: await counted(status) for status in sorted(AT_WORK)},
        stuck={status: await counted(status, stuck="true") for status in sorted(AT_WORK)},
        overdue=await views.count(equal={"saga": saga}, by="due", until=late),
        failed=await counted(Status.FAILED),
    )


def _which(word: str, now: datetime) -> tuple[Mapping[str, str], Callable[[SagaStanding], bool]]:
    """What the store finds, and what is wanted of it."""
    match word:
        case "all":
            return {}, lambda _: True
        case "open":
            return {"open": "true"}, lambda _: True
        case "stuck":
            return {"open": "true"}, lambda saga: saga.stuck or overdue(saga, now)
        case "overdue":
            return {"open": "true"}, lambda saga: overdue(saga, now)
        case _ if word in WHICH:
            return {"status": word}, lambda _: True
        case _:
            raise ValueError(f"there are no sagas {word!r}, but {', '.join(WHICH)}")
