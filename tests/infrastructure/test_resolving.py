"""Which servers a command uses, over every combination of what is set, runs, and has been kept."""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from infrastructure.processes import CommandFailed
from infrastructure.processes.found import Found, Running
from infrastructure.processes.needs import (
    APART,
    EVENTS,
    EVENTS_AND_OUTSIDE,
    NEW_EVENTS,
    READ_MODELS,
    RUN,
    SERVE,
    VIEWS,
    Needs,
    Startable,
    Starts,
)
from infrastructure.processes.resolving import Resolved, Source, resolve
from infrastructure.settings import EventStore, InvalidSettings, Settings


class _Settings(Settings):
    """Of a service that calls two servers of others."""

    supplier_uri: str | None = None
    courier_uri: str | None = None


def _startable(name: str, *fields: str, outside: bool = False) -> Startable:
    return Startable(name, fields, lambda _: nullcontext({}), outside)


NODE = _startable("eventstoredb", "eventstoredb_uri")
POSTGRES = _startable("postgres", "postgres_uri")
OUTSIDE = _startable("providers", "supplier_uri", "courier_uri", outside=True)
EMBEDDED = (NODE, POSTGRES, OUTSIDE)
ALL_NEEDS = (RUN, SERVE, READ_MODELS, EVENTS, EVENTS_AND_OUTSIDE, NEW_EVENTS, VIEWS, APART)
FIELDS = ("eventstoredb_uri", "postgres_uri", "supplier_uri", "courier_uri")
TABLES = {"dynamodb_table_prefix": "running-"}
"""What leads to the events of a service that runs on the DynamoDB of AWS."""
NOWHERE = Path("/nowhere/at/all")  # nothing is looked at, nor made


def _running(store: EventStore) -> Running:
    """A service whose servers are at ``scheme://running``."""
    servers = {field: _at(field, "running") for field in FIELDS}
    if store != "eventstoredb":
        del servers["eventstoredb_uri"]
    if store == "dynamodb":
        servers |= TABLES
    return Running(1, "http://running", store, servers)


def _at(field: str, host: str) -> str:
    return {"eventstoredb_uri": "esdb", "postgres_uri": "postgresql"}.get(
        field, "http"
    ) + f"://{host}"


def _settings() -> Iterator[Settings]:
    """All that can be set: each server not at all, elsewhere, or where the running service is."""
    hosts = (None, "elsewhere", "running")
    for store, *places in product(
        (None, *get_args(EventStore)), hosts, hosts, hosts[:2], hosts[:2]
    ):
        named = dict(zip(FIELDS, places, strict=True))
        given: dict[str, Any] = {field: _at(field, host) for field, host in named.items() if host}
        if store:
            given["event_store"] = store
        if store in ("postgres", "dynamodb") and "eventstoredb_uri" in given:
            continue
        yield _Settings(home=NOWHERE, **given)
        if store == "dynamodb":
            yield _Settings(home=NOWHERE, **{**given, **TABLES})


def _found() -> Iterator[Found]:
    """All that can be in a home."""
    embedded: tuple[EventStore, ...] = ("eventstoredb", "postgres")
    running_on = (None, *map(_running, get_args(EventStore)))
    for running, keeps in product(running_on, (None, *embedded)):
        for holds in ((), ("postgres",), ("postgres", "providers")):
            yield Found(running, keeps, frozenset({*holds, *([keeps] if keeps else [])}))


CASES = tuple(product(_settings(), _found(), ALL_NEEDS))


def _resolved() -> Iterator[tuple[Settings, Found, Needs, Resolved[Settings]]]:
    for settings, found, needs in CASES:
        try:
            yield settings, found, needs, resolve(settings, found, needs, EMBEDDED)
        except (CommandFailed, InvalidSettings):
            continue


RESOLVED = tuple(_resolved())


def _events(settings: Settings) -> str:
    return f"{settings.event_store}_uri"


def _needed(settings: Settings, needs: Needs) -> set[str]:
    return {
        *([_events(settings)] if needs.events else []),
        *(["postgres_uri"] if needs.views else []),
        *(OUTSIDE.fields if needs.outside else []),
    }


def test_the_combinations_are_many_and_most_can_be_resolved() -> None:
    """The laws below do not hold for want of cases."""
    assert len(CASES) > 5000
    assert len(RESOLVED) > len(CASES) / 3
    assert {needs for _, _, needs, _ in RESOLVED} == set(ALL_NEEDS)
    sources = {source for *_, resolved in RESOLVED for source in resolved.sources.values()}
    assert sources == set(Source)


def test_what_is_set_is_never_replaced() -> None:
    """A server that is set is used, whatever runs in the home."""
    for settings, _, _, resolved in RESOLVED:
        for field in FIELDS:
            if given := getattr(settings, field):
                assert getattr(resolved.settings, field) == given
                assert resolved.sources.get(field, Source.SET) is Source.SET
        if "event_store" in settings.model_fields_set:
            assert resolved.settings.event_store == settings.event_store


def test_all_that_is_needed_is_there() -> None:
    """Each server has an address, or is started; and only read models are used beside those."""
    for _, _, needs, resolved in RESOLVED:
        needed = _needed(resolved.settings, needs)
        assert needed <= set(resolved.sources) <= needed | {"postgres_uri"}
        for field, source in resolved.sources.items():
            if field != "dynamodb_uri":  # which is there, also without an address
                assert (getattr(resolved.settings, field) is None) == (source is Source.STARTED)


def test_nothing_is_started_that_is_not_needed() -> None:
    """What starts gives at least one address that is needed, and that nothing else has."""
    for _, _, needs, resolved in RESOLVED:
        missing = {field for field, source in resolved.sources.items() if source is Source.STARTED}
        assert missing <= _needed(resolved.settings, needs)
        assert missing <= {field for one in resolved.starts for field in one.fields}
        assert all(missing.intersection(one.fields) for one in resolved.starts)


def test_read_models_are_not_used_beside_events_that_are_started() -> None:
    """Where they are optional: no service keeps them up to date, so none may be waited for."""
    for _, _, needs, resolved in RESOLVED:
        events = _events(resolved.settings)
        if needs.views_if_known and resolved.sources[events] is Source.STARTED:
            assert "postgres_uri" in {events} or "postgres_uri" not in resolved.sources


def test_a_command_that_looks_never_starts_an_empty_event_store() -> None:
    """It starts the store that has its events in the home, or none."""
    for _, found, needs, resolved in RESOLVED:
        if needs.starts is Starts.WHAT_HAS_RUN and resolved.starts:
            assert found.keeps or found.holds
            if resolved.sources.get(_events(resolved.settings)) is Source.STARTED:
                assert found.keeps == resolved.settings.event_store


def test_a_service_that_serves_starts_nothing() -> None:
    """``serve`` uses the servers that are set, and no other."""
    for _, _, needs, resolved in RESOLVED:
        if needs is SERVE:
            assert set(resolved.sources.values()) == {Source.SET}
            assert not resolved.starts


def test_servers_of_a_running_service_are_used_together_with_its_events() -> None:
    """Read models that were filled from other events are never taken for those of these events."""
    for _, found, needs, resolved in RESOLVED:
        if Source.RUNNING in resolved.sources.values():
            assert needs.joins
            assert found.running is not None
            if needs.events:
                assert resolved.settings.events_at == found.running.events_at


def test_nothing_is_started_beside_a_running_service_that_is_joined() -> None:
    """The home is taken: everything that is not set is there already, or the command is refused."""
    for _, found, needs, resolved in RESOLVED:
        if needs.joins and found.running:
            assert not resolved.starts


def test_events_of_a_home_are_never_passed_by() -> None:
    """Where no event store is set, it is that of the service that runs, or that kept its events."""
    for settings, found, needs, resolved in RESOLVED:
        has = found.running.event_store if found.running else found.keeps
        if not settings.events_at and has and needs is not SERVE:
            assert resolved.settings.event_store == has


def test_data_of_a_home_is_never_put_beside_other_events() -> None:
    """Read models and journals that go with the events of the home are not started for others."""
    for settings, found, _, resolved in RESOLVED:
        if settings.events_at and found.keeps:
            assert not resolved.starts


def test_only_a_service_has_the_port_that_is_set() -> None:
    """Others need not find the node of a command, and it must not meet one that runs."""
    for settings, _, needs, resolved in RESOLVED:
        expected = settings.eventstoredb_port if needs in (RUN, SERVE) else 0
        assert resolved.settings.eventstoredb_port == expected


def test_what_starts_anything_is_refused_in_a_home_of_other_events_only() -> None:
    """``run``, ``import`` and ``simulate`` need nothing to be set, and nothing to be there."""
    for settings, found, needs in CASES:
        if needs not in (RUN, APART) and (needs is not NEW_EVENTS or found.running):
            continue
        try:
            resolve(settings, found, needs, EMBEDDED)
        except CommandFailed:
            has = found.running.event_store if found.running else found.keeps
            assert has is not None
            assert settings.events_at or has != settings.event_store


# only: temporal
def test_temporal_is_needed_where_sagas_run_on_it() -> None:
    """It is started where nothing is set, and has to be set where nothing may be started."""
    temporal = _startable("temporal", "temporal_address")
    settings = _Settings(saga_engine="temporal")
    resolved = resolve(settings, Found(), RUN, (temporal, *EMBEDDED))
    assert temporal in resolved.starts
    assert temporal not in resolve(settings, Found(), NEW_EVENTS, (temporal, *EMBEDDED)).starts
    assert temporal not in resolve(_Settings(), Found(), RUN, (temporal, *EMBEDDED)).starts
    with pytest.raises(InvalidSettings, match="HEADWATER_TEMPORAL_ADDRESS: it has to be set"):
        resolve(settings, Found(), SERVE, (temporal, *EMBEDDED))


# end: temporal
def test_a_resolution_is_a_value() -> None:
    """It depends on its arguments alone, and resolving what is resolved changes nothing."""
    for settings, found, needs, resolved in RESOLVED[::37]:
        assert resolve(settings, found, needs, EMBEDDED) == resolved
        again = resolve(resolved.settings, found, replace(needs, serves=True), EMBEDDED)
        assert again.settings == resolved.settings
    assert not NOWHERE.exists()


@pytest.mark.parametrize(
    ("given", "found", "needs", "told"),
    [
        ({}, Found(), READ_MODELS, r"nothing in /nowhere.* set HEADWATER_EVENTSTOREDB_URI and "),
        ({}, Found(), EVENTS, r"start `run` first, or set HEADWATER_EVENTSTOREDB_URI$"),
        ({}, Found(), VIEWS, r"or set HEADWATER_POSTGRES_URI$"),
        (
            {"eventstoredb_uri": "esdb://elsewhere"},
            Found(),
            EVENTS_AND_OUTSIDE,
            r"set HEADWATER_SUPPLIER_URI and HEADWATER_COURIER_URI$",
        ),
        (
            {"eventstoredb_uri": "esdb://elsewhere"},
            Found(_running("eventstoredb")),
            READ_MODELS,
            r"other events than HEADWATER_EVENTSTOREDB_URI .*: set HEADWATER_POSTGRES_URI too",
        ),
        (
            {"eventstoredb_uri": "esdb://elsewhere"},
            Found(keeps="eventstoredb"),
            RUN,
            r"not with those that HEADWATER_EVENTSTOREDB_URI leads to: .* HEADWATER_HOME to an",
        ),
        (
            {"event_store": "eventstoredb"},
            Found(keeps="postgres"),
            RUN,
            r"are in PostgreSQL, not in EventStoreDB: set HEADWATER_EVENT_STORE=postgres or leave",
        ),
        (
            {"postgres_uri": "postgresql://elsewhere"},
            Found(keeps="postgres"),
            RUN,
            r"another PostgreSQL than HEADWATER_POSTGRES_URI .*: set HEADWATER_EVENT_STORE to say",
        ),
    ],
)
def test_a_refusal_names_the_settings_that_would_help(
    given: Mapping[str, Any], found: Found, needs: Needs, told: str
) -> None:
    """One line: what was wrong, and what would be right."""
    with pytest.raises(CommandFailed, match=told) as refused:
        resolve(_Settings(home=NOWHERE, **given), found, needs, EMBEDDED)
    assert "\n" not in str(refused.value)


def test_a_service_that_serves_names_every_server_that_is_not_set() -> None:
    """One line each, as for other settings."""
    with pytest.raises(InvalidSettings) as refused:
        resolve(_Settings(event_store="postgres"), Found(), SERVE, EMBEDDED)

    names = [line.partition(":")[0] for line in str(refused.value).splitlines()]
    assert names == [f"HEADWATER_{field.upper()}" for field in FIELDS[1:]]


# only: opensearch
def test_a_command_searches_where_the_service_does() -> None:
    """Without a setting of its own it uses the OpenSearch of the service whose read models it
    reads. One that names a place of its own, or reads other read models, does not."""
    at = {"search": "opensearch", "opensearch_uri": "http://running", "opensearch_ca_file": "/ca"}
    announced = replace(_running("postgres"), search_at=at).document
    found = Found(Running.of(announced), "postgres")

    def used(needs: Needs, **given: Any) -> Mapping[str, str]:
        return resolve(_Settings(home=NOWHERE, **given), found, needs, EMBEDDED).settings.search_at

    assert used(VIEWS) == used(READ_MODELS) == at
    assert used(VIEWS, search="database") == {}
    assert used(VIEWS, event_store="postgres", postgres_uri="postgresql://elsewhere") == {}


# end: opensearch
def test_a_command_reads_the_views_that_the_service_has_in_dynamodb() -> None:
    """Without a setting of its own it starts no PostgreSQL beside them. One that names a place of
    its own does not use them."""
    views = {"read_models": "dynamodb", **TABLES}
    announced = replace(_running("dynamodb"), views_at=views).document
    found = Found(Running.of(announced), "dynamodb")

    def used(**given: Any) -> Resolved[Settings]:
        return resolve(_Settings(home=NOWHERE, **given), found, READ_MODELS, EMBEDDED)

    for given in ({}, {"event_store": "dynamodb", **TABLES}):
        resolved = used(**given)
        assert resolved.settings.views_at == views
        assert not resolved.starts
    elsewhere = used(read_models="postgres", postgres_uri="postgresql://elsewhere").settings
    assert elsewhere.views_at == {}
