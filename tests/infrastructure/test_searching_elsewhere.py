"""Which read models are kept in a search engine, and whose names they have there."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from application.ports import NotOurs, SearchEngine
from application.projections.builds import Build
from application.projections.filling_elsewhere import number_of
from infrastructure import memory, opensearch
from infrastructure.opensearch.server import Server
from infrastructure.searching import apart, beside, require_placed
from infrastructure.settings import InvalidSettings, Settings
from tests.contracts.baskets import SEARCHED
from tests.contracts.search_engines import on_opensearch
from tests.sample.service import SAMPLE

BUILD = Build(SEARCHED.name, SEARCHED.version)


def test_only_what_is_searched_is_kept_apart() -> None:
    """Those that declare words go to the search engine, all others stay; without an engine, all."""
    declared = SAMPLE.projections
    elsewhere = apart(declared, "opensearch")

    assert [one.name for one in elsewhere] == ["payee_search"]
    assert [*beside(declared, elsewhere), *elsewhere] == sorted(
        declared, key=lambda one: one.name == "payee_search"
    )
    assert apart(declared, "database") == []
    assert beside(declared, []) == list(declared)


async def test_a_command_that_would_look_elsewhere_is_refused() -> None:
    """A read model that a service keeps in a search engine, and a command that does not know."""
    builds = memory.Builds()
    await builds.register([SEARCHED])

    async def required(**settings: Any) -> None:
        given = Settings(**settings)
        await require_placed([SEARCHED], builds, builds.checkpoints, given)

    await required()
    await builds.checkpoints.advance(number_of(BUILD), 7, expected=None)
    with pytest.raises(InvalidSettings, match=r"HEADWATER_SEARCH: baskets_v1 is kept in a search"):
        await required()
    await required(search="opensearch", opensearch_uri="http://127.0.0.1:1")


@pytest.fixture
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[opensearch.SearchEngine]:
    async with on_opensearch(request) as engine:
        yield engine


async def leads_to(server: Server, alias: str) -> set[str]:
    return set(await server.ask(lambda client: client.indices.get_alias(name=alias)))


async def test_the_name_for_other_programs_leads_to_one_build_of_this_service(
    engine: opensearch.SearchEngine,
) -> None:
    """From one build to the other in one step; it follows an index that is filled again; and it is
    left alone where another service has it."""
    server, prefix = engine._server, engine._prefix  # what other programs see
    first, second = engine.index(SEARCHED, BUILD), engine.index(SEARCHED, replace(BUILD, number=2))
    for index in (first, second):
        await index.begin(5)

    await engine.show(BUILD)
    assert await leads_to(server, f"{prefix}baskets") == {f"{prefix}00000007-baskets_v1-5"}
    await first.begin(6)
    assert await leads_to(server, f"{prefix}baskets") == {f"{prefix}00000007-baskets_v1-6"}
    await engine.show(replace(BUILD, number=2))
    assert await leads_to(server, f"{prefix}baskets") == {f"{prefix}00000007-baskets_v1_2-5"}

    other: SearchEngine = opensearch.SearchEngine(server, prefix.removesuffix("-"), owner=8)
    await other.index(SEARCHED, BUILD).begin(1)
    with pytest.raises(NotOurs, match=r"baskets in OpenSearch leads to .*baskets_v1_2-5, of anot"):
        await other.show(BUILD)
    assert await leads_to(server, f"{prefix}baskets") == {f"{prefix}00000007-baskets_v1_2-5"}


async def test_an_index_of_others_is_not_touched(engine: opensearch.SearchEngine) -> None:
    """One that has the name of a build, but not our mark, stays as it is: the error names it."""
    server, name = engine._server, f"{engine._prefix}00000007-baskets_v1-notes"
    await server.ask(lambda client: client.indices.create(index=name))
    index = engine.index(SEARCHED, BUILD)

    for change in (index.prepare, lambda: index.begin(3), lambda: engine.remove(BUILD)):
        with pytest.raises(NotOurs, match="baskets_v1-notes in OpenSearch that is not a read mod"):
            await change()
    assert await server.ask(lambda client: client.indices.exists(index=name))
