"""Which servers a command uses: those that are set, those of a running service, or its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from infrastructure.processes import CommandFailed
from infrastructure.processes.found import Found, Running
from infrastructure.processes.needs import Needs, Startable, Starts
from infrastructure.settings import STORES, InvalidSettings, Settings

S = TypeVar("S", bound=Settings)


class Source(Enum):
    """Where the address of a server comes from."""

    SET = "the settings"
    RUNNING = "the service that runs in the home"
    STARTED = "the server that is started here"


@dataclass(frozen=True)
class Resolved(Generic[S]):
    """The servers that a command uses."""

    settings: S
    """With the addresses of all that are set or that run already."""
    sources: Mapping[str, Source]
    """Where the address of each comes from, by the field that has it."""
    starts: Sequence[Startable] = ()
    """What has to be started, in this order."""


def resolve(settings: S, found: Found, needs: Needs, startable: Sequence[Startable]) -> Resolved[S]:
    """The servers for a command with these needs. Looks at nothing but its arguments.

    =======================================  ==================================================
    a server that is needed, and …           is …
    =======================================  ==================================================
    that is set                              used
    that a service in the home uses          used, if the command joins it and the service has
                                             the same events
    for which neither is so                  started, if the command may start it
    =======================================  ==================================================

    Without a setting, the event store is the one that the home has. Read models in a store without
    an address are those of the service that is joined, and so is what they are searched in.
    Raises :class:`CommandFailed` for what cannot be had, and ``InvalidSettings`` where a server has
    to be set.
    """
    if needs.starts is not Starts.NOTHING:
        settings = _with_event_store(settings, found)
    joined = found.running if needs.joins and _same_events(settings, found.running) else None
    running = joined.servers if joined else {}
    settings = settings.viewing_at(joined.views_at if joined else {})
    sources = _sources(settings, running, needs, startable)
    if joined and _same_views(settings, joined, sources):  # only: opensearch
        settings = settings.searching_at(joined.search_at)  # only: opensearch
    missing = [field for field, source in sources.items() if source is Source.STARTED]
    _require_startable(settings, found, needs, missing)
    _require_started(settings, missing, startable)
    addresses: dict[str, object] = {
        field: running[field] for field, source in sources.items() if source is Source.RUNNING
    }
    # only: temporal
    if needs.histories and settings.temporal_address is None and "temporal_address" in running:
        addresses["temporal_address"] = running["temporal_address"]  # of one with `--engine`, too
    # end: temporal
    if settings.temporal_ui_uri is None:  # only: temporal
        addresses["temporal_ui_uri"] = running.get("temporal_ui_uri")  # only: temporal
    # only: eventstoredb and embedded
    if not needs.serves:
        addresses["eventstoredb_port"] = 0  # no other process looks for the node
    # end: eventstoredb and embedded
    starts = [one for one in startable if not set(missing).isdisjoint(one.fields)]
    return Resolved(settings.model_copy(update=addresses), sources, starts)


def _sources(
    settings: Settings, running: Mapping[str, str], needs: Needs, startable: Sequence[Startable]
) -> dict[str, Source]:
    """Of all that is needed, and of the read models where they are known.

    Beside an event store that is started here, no service keeps read models up to date. The keys of
    personal data are beside the read models, and started with such an event store, and by what uses
    servers of its own.
    """
    needed = _needed(settings, needs, startable)
    sources = {field: _source(settings, field, running) for field in needed}
    views, events = _source(settings, settings.views_in, running), sources.get(settings.events_in)
    if needs.views_if_known and Source.STARTED not in (views, events):
        sources[settings.views_in] = views
    if needs.keys and (views is not Source.STARTED or events is Source.STARTED or not needs.joins):
        sources[settings.views_in] = views
    return sources


def _needed(settings: Settings, needs: Needs, startable: Sequence[Startable]) -> Iterator[str]:
    """The fields that have the addresses of what is needed."""
    if needs.events:
        yield settings.events_in
    if needs.views:
        yield settings.views_in
    if needs.outside:
        yield from (field for one in startable if one.outside for field in one.fields)
    drives = settings.other_engine == "temporal"  # only: temporal
    if (needs.sagas or needs.histories) and drives:  # only: temporal
        yield "temporal_address"  # only: temporal


def _source(settings: Settings, field: str, running: Mapping[str, str]) -> Source:
    if settings.leads_to(field):
        return Source.SET
    return Source.RUNNING if field in running else Source.STARTED


def _same_events(settings: Settings, running: Running | None) -> bool:
    """Whether the service that runs has the events that these settings lead to."""
    return running is not None and settings.events_at in ({}, running.events_at)


# only: opensearch
def _same_views(settings: Settings, joined: Running, sources: Mapping[str, Source]) -> bool:
    """Whether the read models of that service are used."""
    if settings.views_in not in sources:
        return False
    beside = sources[settings.views_in] is Source.RUNNING
    return settings.views_at == joined.views_at if settings.views_at else beside


# end: opensearch
def _require_startable(
    settings: Settings, found: Found, needs: Needs, missing: Sequence[str]
) -> None:
    """Raises unless the command may start what is missing."""
    if not missing:
        return
    if needs.starts is Starts.NOTHING:
        wanted = "it has to be set for this command; `run` brings servers of its own"
        lines = (f"{settings.name_of(field)}: {wanted}" for field in missing)
        raise InvalidSettings("\n".join(lines))
    if reason := _why_not(settings, found, needs, missing):
        raise CommandFailed(reason)


def _require_started(
    settings: Settings, missing: Sequence[str], startable: Sequence[Startable]
) -> None:
    """Raises unless there is a server here for each that is missing."""
    here = {field for one in startable for field in one.fields}
    if unknown := [settings.name_of(field) for field in missing if field not in here]:
        wanted = "it has to be set, since no server for it comes with the service"
        compose = (
            "`docker compose up --detach` starts one, with the user and the password of "
            "docker-compose.yml; .env.example shows how the address is written"
        )
        raise InvalidSettings("\n".join(f"{name}: {wanted}; {compose}" for name in unknown))


def _why_not(settings: Settings, found: Found, needs: Needs, missing: Sequence[str]) -> str | None:
    """Why the command cannot start what is missing, and what would help."""
    names = _listed([settings.name_of(field) for field in missing])
    events, home = _names_events(settings), settings.name_of("home")
    if found.running and needs.joins and not _same_events(settings, found.running):
        return (
            f"the service that runs in {settings.home} has other events than {events} leads to: "
            f"set {names} too, or unset that"
        )
    if settings.events_at and found.keeps:
        return (
            f"the data in {settings.home} goes with the events there, not with those that {events} "
            f"leads to: set {names} too, or set {home} to another directory"
        )
    if needs.starts is Starts.WHAT_HAS_RUN and not _has_run(settings, found, missing):
        return f"there is nothing in {settings.home} yet: start `run` first, or set {names}"
    return None


def _has_run(settings: Settings, found: Found, missing: Sequence[str]) -> bool:
    """Whether the home has the events, or, where those are elsewhere, anything beside them."""
    if settings.events_in in missing:
        return found.keeps == settings.event_store
    return bool(found.keeps or found.holds)


def _with_event_store(settings: S, found: Found) -> S:
    """The settings with the event store that the home has, where none is set."""
    if settings.events_at:
        return settings  # a server outside of the home
    has = found.running.event_store if found.running else found.keeps
    if has is None or has == settings.event_store:
        return settings
    chosen = settings.model_copy(update={"event_store": has})
    is_set, hosted = "event_store" in settings.model_fields_set, STORES[has].has_own_address
    if found.running and hosted and not is_set:
        return chosen.model_copy(update=found.running.events_at)
    kept = "the service that runs in {} has its events" if found.running else "the events in {} are"
    kept, store = kept.format(settings.home), settings.name_of("event_store")
    if is_set:
        raise CommandFailed(
            f"{kept} in {STORES[has].name}, not in {STORES[settings.event_store].name}: set "
            f"{store}={has} or leave it out, or set {settings.name_of('home')} to another directory"
        )
    if chosen.events_at and not _same_events(chosen, found.running):
        raise CommandFailed(
            f"{kept} in another {STORES[has].name} than {settings.name_of(chosen.events_in)} leads "
            f"to: set {store} to say which events are meant, or unset the other"
        )
    return chosen


def _names_events(settings: Settings) -> str:
    """The setting that leads to the events."""
    has_address = getattr(settings, settings.events_in) is not None
    return settings.name_of(settings.events_in if has_address else "event_store")


def _listed(names: Sequence[str]) -> str:
    """``A``, ``A and B``, ``A, B and C``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
