"""``headwater sagas list``: sagas by the time of their start, readably or as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from rich.text import Text

from application.paging import Page
from application.sagas import queries as saga_queries
from application.sagas.lookup import NoSuchSaga
from application.sagas.standings import DETAIL, SagaStanding
from application.sagas.state import SagaStatus
from application.time_range import TimeRange
from infrastructure.cli.figures import seconds
from infrastructure.cli.forms import say_data
from infrastructure.cli.list_end import in_all, say_end, summary
from infrastructure.cli.printing import Console
from infrastructure.cli.process import UsageError
from infrastructure.cli.table import Column, print_table, width, wrapped
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


@dataclass(frozen=True)
class Wanted:
    """Which sagas, and in which order."""

    which: str
    saga: str | None
    started: TimeRange
    oldest_first: bool


async def print_sagas(
    deployment: Deployment, wanted: Wanted, after: str | None, limit: int, *, json: bool
) -> None:
    """Print a page. Raises :class:`UsageError`, ``CommandFailed``, ``NotBuilt`` …"""
    now = datetime.now(UTC)
    async with opened_for(deployment, VIEWS) as container:
        service = container.service()
        if wanted.saga is not None and wanted.saga not in service.versions:
            raise UsageError(str(NoSuchSaga(wanted.saga, service.versions)))
        standings = service.standings
        views = await container.read_models().live(standings)
        try:
            page = await saga_queries.sagas(
                views,
                wanted.which,
                now=now,
                saga=wanted.saga,
                started=wanted.started,
                oldest_first=wanted.oldest_first,
                after=after,
                limit=limit,
            )
        except ValueError as error:
            raise UsageError(str(error)) from error
        lag = (await container.lags().of(standings)).seconds
    if json:
        _print_json(page, now, lag)
    else:
        _show(page, wanted.which, now, lag)


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
    print_table(_COLUMNS, [_cells(saga, now) for saga in page.items])
    for why, ids in _whys(page.items).items():
        console.print()
        for line in wrapped(Text(why, style="bold"), width()):
            console.print(line)
        for line in wrapped(Text(", ".join(ids)), width() - 2):
            console.print(Text("  ") + line)
    kind = "" if which == "all" else f"{which} "
    shown = summary(len(page.items), page.total, f"{kind}saga", f"{kind}sagas")
    if page.items:
        console.print()
    say_end(f"{shown}, {_age(lag)}", page.after)


def _whys(items: Sequence[SagaStanding]) -> Mapping[str, Sequence[str]]:
    """The reasons why they do not continue; many often have one cause."""
    whys: dict[str, list[str]] = {}
    for saga in items:
        if why := saga.error or (saga.reason if saga.open else None):
            whys.setdefault(why, []).append(saga.key)
    return whys


_FIELDS: Final = tuple(name for name in SagaStanding.model_fields if name not in DETAIL)
_COLUMNS: Final = (
    *map(Column, ("saga", "status", "step")),
    *(Column(name, right=True) for name in ("attempts", "age")),
    Column("moves", text=True),
)


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
        **in_all(page.total),
        "lag_seconds": lag,
    }
    say_data(document, items="sagas", columns=_FIELDS)


def _document(saga: SagaStanding, now: datetime) -> dict[str, Any]:
    return {
        **saga.model_dump(mode="json", exclude=set(DETAIL)),
        "overdue": saga_queries.overdue(saga, now),
        "age_seconds": (now - saga.started_at).total_seconds(),
    }
