"""Sagas: which are open, stuck or overdue, and the timeline of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from fastapi import Response

from application.ports import Finding
from application.sagas.lookup import SagaName
from application.sagas.queries import WHICH, SagaCounts, overdue, saga, saga_counts, sagas
from application.sagas.standings import SagaStanding
from application.sagas.state import AT_WORK, SagaStatus
from infrastructure.console.listing import pages, within
from infrastructure.console.routing import BadAddress, NotFound
from infrastructure.console.section import Section
from infrastructure.console.visit import Visiting
from infrastructure.http.served import Served

SECTION: Final = Section("Sagas", "/sagas", "s")


@dataclass(frozen=True)
class OfOneName:
    """How the sagas of one name are."""

    name: str
    counts: SagaCounts
    engine: str  # only: temporal

    @property
    def stuck(self) -> int:
        return sum(self.counts.stuck.values())


@SECTION.get()
async def all_sagas(
    visit: Visiting,
    which: str = "open",
    of: str = "",
    since: str = "",
    until: str = "",
    after: str | None = None,
) -> Response:
    if which not in WHICH or of not in ("", *visit.service.program.service.versions):
        raise BadAddress(f"which is one of {', '.join(WHICH)}; of is the name of a saga")
    within(since, until)
    asked = {"which": which, "of": of, "since": since, "until": until}
    return await visit.page("sagas.html", partial(_look, visit.service, asked, after))


@SECTION.get("/{name}/{id:path}")
async def one_saga(visit: Visiting, name: str, id: str) -> Response:
    return await visit.page("saga.html", partial(_one, visit.service, name, id))


async def by_name(service: Served) -> Sequence[OfOneName]:
    """Counted by the store of the views. Raises ``NotBuilt``, ``StoreUnavailable``."""
    names = service.program.service.versions
    if not names:
        return []
    views, now = await _views(service), datetime.now(UTC)
    return [
        OfOneName(
            name,
            await saga_counts(views, name, now),
            service.settings.engine_of(name),  # only: temporal
        )
        for name in names
    ]


async def _views(service: Served) -> Finding[SagaStanding]:
    return await service.read_models.live(service.program.service.standings)


async def _look(service: Served, asked: Mapping[str, str], after: str | None) -> Mapping[str, Any]:
    now = datetime.now(UTC)
    page = await sagas(
        await _views(service),
        asked["which"],
        now=now,
        saga=asked["of"] or None,
        started=within(asked["since"], asked["until"]),
        after=after,
        limit=50,
    )
    return {
        **asked,
        "names": await by_name(service),
        "page": page,
        "rows": page.items,
        "choices": WHICH,
        **pages(SECTION.url, asked, page.after, first=after is None),
        "tone": partial(tone, now=now),
        "late": partial(overdue, now=now),
    }


async def _one(service: Served, name: str, id: str) -> Mapping[str, Any]:
    if name not in service.program.service.versions:
        raise NotFound(f"There is no saga {name}.")
    views = await service.read_models.live(service.program.service.standings)
    found = await saga(views, SagaName(name, id))
    if found is None:
        raise NotFound(f"The read model of sagas has no {name}-{id}. It may not have caught up.")
    now = datetime.now(UTC)
    definition = service.program.service.versions[name].get(found.definition)
    return {
        "one": found,
        "tone": tone(found, now),
        "late": overdue(found, now),
        "steps": [step.name for step in definition.steps] if definition else [],
        "at_work": found.status in AT_WORK,
        "failed": found.status is SagaStatus.FAILED,
        "elsewhere": service.settings.page_in_temporal(name, id),  # only: temporal
    }


def tone(one: SagaStanding, now: datetime) -> str:
    """How bad it is."""
    if one.status is SagaStatus.FAILED or one.stuck or overdue(one, now):
        return "bad"
    if one.status in (SagaStatus.COMPENSATING, SagaStatus.COMPENSATED):
        return "warn"
    return "good" if one.status in (SagaStatus.COMPLETED, SagaStatus.RESOLVED) else ""
