"""Which servers a command uses: those that are set, those of a running service, or its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, TypeVar

from infrastructure.processes import CommandFailed
from infrastructure.processes.found import Found, Running
from infrastructure.processes.needs import Embedded, Needs, Starts
from infrastructure.settings import EventStore, InvalidSettings, Settings

S = TypeVar("S", bound=Settings)

_NAMES: Final[Mapping[EventStore, str]] = {
    "eventstoredb": "EventStoreDB",
    "postgres": "PostgreSQL",
}


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
    starts: Sequence[Embedded] = ()
    """What has to be started, in this order; the node on ``settings.eventstoredb_port``."""


def resolve(settings: S, found: Found, needs: Needs, embedded: Sequence[Embedded]) -> Resolved[S]:
    """The servers for a command with these needs. Looks at nothing but its arguments.

    =======================================  ==================================================
    a server that is needed, and …           is …
    =======================================  ==================================================
    that is set                              used
    that a service in the home uses          used, if the command joins it and the service has
                                             the same events
    for which neither is so                  started, if the command may start it
    =======================================  ==================================================

    Without a setting, the event store is the one that the home has. Raises :class:`CommandFailed`
    for what cannot be had, and ``InvalidSettings`` where a server has to be set.
    """
    if needs.starts is not Starts.NOTHING:
        settings = _with_event_store(settings, found)
    joined = found.running if needs.joins and _same_events(settings, found.running) else None
    running = joined.servers if joined else {}
    sources = _sources(settings, running, needs, embedded)
    missing = [field for field, source in sources.items() if source is Source.STARTED]
    _require_startable(settings, found, needs, missing)
    addresses: dict[str, object] = {
        field: running[field] for field, source in sources.items() if source is Source.RUNNING
    }
    if not needs.serves:
        addresses["eventstoredb_port"] = 0  # no other process looks for it
    starts = [one for one in embedded if not set(missing).isdisjoint(one.fields)]
    return Resolved(settings.model_copy(update=addresses), sources, starts)


def _sources(
    settings: Settings, running: Mapping[str, str], needs: Needs, embedded: Sequence[Embedded]
) -> dict[str, Source]:
    """Of all that is needed, and of the read models where they are known.

    Beside an event store that is started here, no service keeps read models up to date.
    """
    needed = _needed(settings, needs, embedded)
    sources = {field: _source(settings, field, running) for field in needed}
    views, events = _source(settings, "postgres_uri", running), sources.get(settings.servers[0])
    if needs.views_if_known and Source.STARTED not in (views, events):
        sources["postgres_uri"] = views
    return sources


def _needed(settings: Settings, needs: Needs, embedded: Sequence[Embedded]) -> Iterator[str]:
    """The fields that have the addresses of what is needed."""
    if needs.events:
        yield settings.servers[0]
    if needs.views:
        yield "postgres_uri"
    if needs.outside:
        yield from (field for one in embedded if one.outside for field in one.fields)


def _source(settings: Settings, field: str, running: Mapping[str, str]) -> Source:
    if getattr(settings, field) is not None:
        return Source.SET
    return Source.RUNNING if field in running else Source.STARTED


def _same_events(settings: Settings, running: Running | None) -> bool:
    """Whether the service that runs has the events that these settings lead to."""
    return running is not None and settings.events_uri in (None, running.events_uri)


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


def _why_not(settings: Settings, found: Found, needs: Needs, missing: Sequence[str]) -> str | None:
    """Why the command cannot start what is missing, and what would help."""
    names = _listed([settings.name_of(field) for field in missing])
    events, home = settings.name_of(settings.servers[0]), settings.name_of("home")
    if found.running and needs.joins and not _same_events(settings, found.running):
        return (
            f"the service that runs in {settings.home} has other events than {events} leads to: "
            f"set {names} too, or unset that"
        )
    if settings.events_uri is not None and found.keeps:
        return (
            f"the data in {settings.home} goes with the events there, not with those that {events} "
            f"leads to: set {names} too, or set {home} to another directory"
        )
    if needs.starts is Starts.WHAT_HAS_RUN and not _has_run(settings, found, missing):
        return f"there is nothing in {settings.home} yet: start `run` first, or set {names}"
    return None


def _has_run(settings: Settings, found: Found, missing: Sequence[str]) -> bool:
    """Whether the home has the events, or, where those are elsewhere, anything beside them."""
    if settings.servers[0] in missing:
        return found.keeps == settings.event_store
    return bool(found.keeps or found.holds)


def _with_event_store(settings: S, found: Found) -> S:
    """The settings with the event store that the home has, where none is set."""
    if settings.events_uri is not None:
        return settings  # a server outside of the home
    has = found.running.event_store if found.running else found.keeps
    if has is None or has == settings.event_store:
        return settings
    chosen = settings.model_copy(update={"event_store": has})
    kept = "the service that runs in {} has its events" if found.running else "the events in {} are"
    kept, store = kept.format(settings.home), settings.name_of("event_store")
    if "event_store" in settings.model_fields_set:
        raise CommandFailed(
            f"{kept} in {_NAMES[has]}, not in {_NAMES[settings.event_store]}: set {store}={has} or "
            f"leave it out, or set {settings.name_of('home')} to another directory"
        )
    if chosen.events_uri and not _same_events(chosen, found.running):
        raise CommandFailed(
            f"{kept} in another {_NAMES[has]} than {settings.name_of('postgres_uri')} leads to: "
            f"set {store} to say which events are meant, or unset the other"
        )
    return chosen


def _listed(names: Sequence[str]) -> str:
    """``A``, ``A and B``, ``A, B and C``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
