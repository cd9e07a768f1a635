"""``headwater sagas list``: sagas by age, readably or as JSON."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.text import Text

from application.paging import Page
from application.sagas import queries as saga_queries
from application.sagas.lookup import NoSuchSaga
from application.sagas.standings import DETAIL, SagaStanding
from application.sagas.state import SagaStatus
from infrastructure.cli.columns import aligned
from infrastructure.cli.figures import seconds
from infrastructure.cli.printing import Console, say_json
from infrastructure.cli.process import UsageError
from infrastructure.processes.needs import VIEWS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment

COLOURS: Final = {
    SagaStatus.RUNNING: "cyan",
    SagaStatus.COMPENSATING: "yellow",
    SagaStatus.COMPLETED: "green",
    SagaStatus.COMPENSATED: "green",
    SagaStatus.FAILED: "bold red",
    SagaStatus.RESOLVED: "green",
}


async def print_sagas(
    deployment: Deployment,
    which: str,
    saga: str | None,
    after: str | None,
    limit: int,
    *,
    json: bool,
) -> None:
    """Print a page. Raises :class:`UsageError`, ``CommandFailed``, ``NotBuilt`` …"""
    now = datetime.now(UTC)
    async with opened_for(deployment, VIEWS) as container:
        service = container.service()
        if saga is not None and saga not in service.versions:
            raise UsageError(str(NoSuchSaga(saga, service.versions)))
        standings = service.standings
        views = await container.read_models().live(standings)
        try:
            page = await saga_queries.sagas(
                views, which, now=now, saga=saga, after=after, limit=limit
            )
        except ValueError as error:
            raise UsageError(str(error)) from error
        lag = (await container.lags().of(standings)).seconds
    if json:
        _print_json(page, now, lag)
    else:
        _show(page, which, now, lag)


def in_words(saga: SagaStanding, now: datetime) -> Text:
    """``running``, ``running, stuck``, ``compensating, overdue``."""
    words = Text(saga.status, style=COLOURS[saga.status])
    if saga.stuck:
        words.append(", stuck", style="bold red")
    if saga_queries.overdue(saga, now):
        words.append(", overdue", style="bold red")
    return words


def _show(page: Page[SagaStanding], which: str, now: datetime, lag: float | None) -> None:
    console = Console(soft_wrap=True)
    heads = [Text(head, style="bold") for head in _HEADS]
    lines = aligned([heads, *(_cells(saga, now) for saga in page.items)], right=_NUMBERS)
    for line in lines if page.items else ():
        console.print(line)
    for why, ids in _whys(page.items).items():
        console.print()
        console.print(Text(why, style="bold"))
        console.print(f"  {', '.join(ids)}")
    number, kind = len(page.items) or "no", "" if which == "all" else f"{which} "
    summary = f"{number} {kind}{'saga' if number == 1 else 'sagas'}, {_age(lag)}"
    if page.after:
        summary += f"; there are more: --after {page.after}"
    if page.items:
        console.print()
    console.print(Text(summary, style="dim"))


def _whys(items: Sequence[SagaStanding]) -> Mapping[str, Sequence[str]]:
    """The reasons why they do not continue; many often have one cause."""
    whys: dict[str, list[str]] = {}
    for saga in items:
        if why := saga.error or (saga.reason if saga.open else None):
            whys.setdefault(why, []).append(saga.key)
    return whys


_HEADS: Final = ("saga", "status", "step", "attempts", "age", "moves")
_NUMBERS: Final = (3, 4)


def _cells(saga: SagaStanding, now: datetime) -> Sequence[Text]:
    failed = str(saga.attempts) if saga.attempts else ""
    age = seconds((now - saga.started_at).total_seconds())
    words = (saga.step or "", failed, age, _moves(saga, now))
    return (Text(saga.key), in_words(saga, now), *map(Text, words))


def _moves(saga: SagaStanding, now: datetime) -> str:
    """When something is to happen."""
    if saga.status is SagaStatus.FAILED:
        return "a person must act"
    if saga.due is None:
        return ""
    what = f"waits for {saga.waits_for or 'its time'}, " if saga.waits_until else ""
    left = (saga.due - now).total_seconds()
    return f"{what}within {seconds(left)}" if left >= 0 else f"{what}{seconds(-left)} late"


def _age(lag: float | None) -> str:
    if lag is None:
        return "how old this is, is not known: nothing fills the read model"
    return "up to date" if lag == 0 else f"at most {seconds(lag)} old"


def _print_json(page: Page[SagaStanding], now: datetime, lag: float | None) -> None:
    document: dict[str, Any] = {
        "sagas": [_document(saga, now) for saga in page.items],
        "after": page.after,
        "lag_seconds": lag,
    }
    say_json(document)


def _document(saga: SagaStanding, now: datetime) -> dict[str, Any]:
    return {
        **saga.model_dump(mode="json", exclude=set(DETAIL)),
        "overdue": saga_queries.overdue(saga, now),
        "age_seconds": (now - saga.started_at).total_seconds(),
    }
