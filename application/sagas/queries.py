"""The queries about sagas: open, stuck and overdue ones, counts, and one with its timeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from application.paging import LARGEST_PAGE, Page, page, require_limit
from application.ports import Finding, Lookup, Total
from application.sagas.lookup import SagaName
from application.sagas.standings import SagaStanding
from application.sagas.state import AT_WORK, SagaStatus
from application.time_range import EVER, TimeRange

OVERDUE_AFTER: Final = timedelta(minutes=1)
"""How late a saga may move before it counts as overdue."""

_Keyed = tuple[str, SagaStanding]
_Start = tuple[datetime, str]

WHICH: Final = ("open", "waiting", "stuck", "overdue", *map(str, SagaStatus), "all")
"""Open: at work, or failed. Stuck: at work, and its step keeps failing, or it is overdue."""


async def saga(views: Lookup[SagaStanding], name: SagaName) -> SagaStanding | None:
    """The saga with its timeline, if the read model has it.

    A build of version 1 knows it by its id alone.
    """
    found = await views.load([str(name), name.id])
    standings = [found[key].view for key in (str(name), name.id) if key in found]
    return next((one for one in standings if one.saga == name.saga), None)


async def sagas(
    views: Finding[SagaStanding],
    which: str = "open",
    *,
    now: datetime,
    saga: str | None = None,
    started: TimeRange = EVER,
    oldest_first: bool = False,
    after: str | None = None,
    limit: int = 50,
) -> Page[SagaStanding]:
    """Sagas by the time of their start, newest first, without their timelines, and their total.

    Of one name, or of all; ``after`` is the key of a saga. ``ValueError`` for another word than
    ``WHICH`` has; ``limit`` as for orders.
    """
    require_limit(limit)
    if which in ("stuck", "overdue"):
        found = await _worrying(views, which, {} if saga is None else {"saga": saga}, now)
        found = [one for one in found if one[1].started_at in started]
        last = (await views.load([after])).get(after) if after else None
        if after and not last:
            return Page([], None, Total(len(found)))
        place = _start((after, last.view)) if after and last else None
        return _page(found, place, limit, oldest_first=oldest_first)
    return await page(
        views,
        {**_equal(which), "saga": saga},
        by="started_at",
        since=started.first_text,
        until=started.last_text,
        after=after,
        descending=not oldest_first,
        limit=limit,
        counted=True,
    )


def _page(
    found: Sequence[_Keyed], after: _Start | None, limit: int, *, oldest_first: bool
) -> Page[SagaStanding]:
    """The part of a list behind that start."""
    ordered = sorted(found, key=_start, reverse=not oldest_first)
    rest = [
        one
        for one in ordered
        if after is None or (_start(one) > after if oldest_first else _start(one) < after)
    ]
    last = rest[limit - 1][0] if len(rest) > limit else None
    return Page([one for _, one in rest[:limit]], last, Total(len(found)))


def overdue(saga: SagaStanding, now: datetime) -> bool:
    """Whether it should have moved, and no service has noticed."""
    return saga.due is not None and saga.due < now - OVERDUE_AFTER


@dataclass(frozen=True)
class SagaCounts:
    """How many sagas of one name are open, and how."""

    at_work: Mapping[SagaStatus, int]
    waiting: int | None  # at work, and their step waits; None: the build does not know
    stuck: Mapping[SagaStatus, int]  # their step keeps failing
    overdue: int
    failed: int


async def saga_counts(
    views: Finding[SagaStanding], saga: str, now: datetime, *, waiting: bool = True
) -> SagaCounts:
    """Counted by the store of the views, so it is quick however many are at work.

    ``waiting``: whether the build knows of waits, as version 1 does not.
    """

    async def counted(status: SagaStatus, **more: str) -> int:
        return await views.count(equal={"saga": saga, "status": status, **more})

    return SagaCounts(
        at_work={status: await counted(status) for status in sorted(AT_WORK)},
        waiting=await views.count(equal={"saga": saga, "waiting": "true"}) if waiting else None,
        stuck={status: await counted(status, stuck="true") for status in sorted(AT_WORK)},
        overdue=await views.count(equal={"saga": saga}, by="due", until=_late(now)),
        failed=await counted(SagaStatus.FAILED),
    )


def _equal(which: str) -> Mapping[str, str]:
    match which:
        case "all":
            return {}
        case "open" | "waiting":
            return {which: "true"}
        case _ if which in WHICH:
            return {"status": which}
        case _:
            raise ValueError(f"there are no sagas {which!r}, but {', '.join(WHICH)}")


async def _worrying(
    views: Finding[SagaStanding], which: str, equal: Mapping[str, str], now: datetime
) -> Sequence[_Keyed]:
    """All of them: they are few, or it is time to start a service."""
    found = await _every(views, equal, "due", until=_late(now))
    if which == "stuck":
        found |= await _every(views, {**equal, "stuck": "true"}, "started_at")
    return [*found.items()]


async def _every(
    views: Finding[SagaStanding], equal: Mapping[str, str], by: str, until: str | None = None
) -> dict[str, SagaStanding]:
    """By key, however many pages that takes."""
    found: dict[str, SagaStanding] = {}
    after: str | None = None
    while page := await views.find(
        equal=equal, by=by, after=after, until=until, limit=LARGEST_PAGE
    ):
        found |= {key: seen.view for key, seen in page}
        after = page[-1][0]
    return found


def _start(one: _Keyed) -> _Start:
    key, saga = one
    return saga.started_at, key


def _late(now: datetime) -> str:
    """A moment as it stands in a view: what was due by then is overdue."""
    return (now - OVERDUE_AFTER).astimezone(UTC).isoformat().replace("+00:00", "Z")
