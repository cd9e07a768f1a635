"""What OpenSearch (real) does to an index, or refuses: what becomes of writes and questions."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from application.ports import Removed, StoreUnavailable
from application.projections.builds import Build
from infrastructure.opensearch import SearchEngine, SearchIndex, server
from infrastructure.opensearch.names import Name
from infrastructure.opensearch.server import Server
from tests.contracts.baskets import SEARCHED, Basket, basket, seen
from tests.contracts.search_engines import on_opensearch


@pytest.fixture
async def index(request: pytest.FixtureRequest) -> AsyncIterator[SearchIndex[Basket]]:
    async with on_opensearch(request) as engine:
        index = engine.index(SEARCHED, Build("baskets", 1))
        await index.prepare()
        yield index


# What an operator does, and what OpenSearch itself does to the indexes of a nearly full disk.
BLOCKS = ["index.blocks.write", "index.blocks.read_only", "index.blocks.read_only_allow_delete"]


@pytest.mark.parametrize("block", BLOCKS)
async def test_a_blocked_index_is_waited_for(
    index: SearchIndex[Basket], opensearch: str, block: str
) -> None:
    """The fault is the index, not the event: the reason names the block, queries go on, and nothing
    is lost when it ends."""
    await index.write(seen(1, a=basket(notes=("x",))))
    async with server(opensearch) as opened:
        await blocked(opened, index, {block: True})
        with pytest.raises(StoreUnavailable, match=r"cluster_block_exception.*blocked"):
            await index.write(seen(2, a=basket(notes=("y",))))
        assert [key for key, _ in await index.search(["x"])] == ["a"]

        await blocked(opened, index, {block: None})
        await index.write(seen(2, a=basket(notes=("y",))))
        assert [key for key, _ in await index.search(["y"])] == ["a"]


async def test_a_closed_index_is_waited_for(index: SearchIndex[Basket], opensearch: str) -> None:
    """Neither questions nor writes take it for a fault of theirs."""
    name: Name = index._name  # as an operator finds it
    async with server(opensearch) as opened:
        await opened.ask(lambda client: client.indices.close(index=name.alias))
        for question in (
            lambda: index.search(["x"]),
            lambda: index.load(["a"]),
            lambda: index.write(seen(1, a=basket())),
        ):
            with pytest.raises(StoreUnavailable, match="index_closed_exception"):
                await question()

        await opened.ask(lambda client: client.indices.open(index=name.alias))
        await index.write(seen(1, a=basket()))


async def blocked(
    opened: Server, index: SearchIndex[Basket], blocks: Mapping[str, bool | None]
) -> None:
    name: Name = index._name  # as an operator finds it
    await opened.ask(lambda client: client.indices.put_settings(index=name.alias, body=blocks))


async def test_what_cannot_be_kept_is_a_fault_of_the_event(index: SearchIndex[Basket]) -> None:
    """A document that the server refuses is named, with the reason; it is not tried again."""
    with pytest.raises(ValueError, match=r"cannot keep k+ … in .*baskets_v1: .*immense term"):
        await index.write(seen(1, **{"k" * 40_000: basket()}))


async def test_a_removed_view_stays_removed_however_late_a_write_comes(
    index: SearchIndex[Basket], opensearch: str
) -> None:
    """OpenSearch forgets the version of a deleted document after ``gc_deletes``, a minute. What is
    removed here is a document that no query finds, so its position is never forgotten."""
    name: Name = index._name  # as an operator finds it
    async with server(opensearch) as opened:
        at_once: dict[str, object] = {"index.gc_deletes": "0ms"}
        await opened.ask(lambda client: client.indices.put_settings(index=name.alias, body=at_once))
        await index.write(seen(4, a=basket(notes=("x",))))
        await index.write({"a": Removed(5)})
        await opened.ask(lambda client: client.indices.forcemerge(index=name.alias))

        await index.write(seen(4, a=basket(notes=("x",))))

    assert await index.load(["a"]) == {"a": Removed(5)}
    assert await index.search(["x"]) == []


async def test_a_very_long_word_is_searched_by_its_beginning(index: SearchIndex[Basket]) -> None:
    """Its first 8,000 letters count: Lucene takes no longer terms."""
    long = "w" * 8_000
    await index.write(seen(1, a=basket(notes=(f"{long}a",))))

    assert [key for key, _ in await index.search([f"{long}b"])] == ["a"]
    assert await index.search([f"{long[:-1]}b"]) == []


async def test_a_forbidden_query_is_a_fault_of_the_server(
    index: SearchIndex[Basket], opensearch: str
) -> None:
    """A cluster may forbid expensive queries, such as those by beginnings of words: the reason is
    that of the server, and it is not taken for a bad question."""
    forbidden = "search.allow_expensive_queries"
    async with server(opensearch) as opened:
        for allowed in (False, None):
            settings = {"transient": {forbidden: allowed}}
            await opened.ask(lambda client, body=settings: client.cluster.put_settings(body=body))  # type: ignore[misc]  # mypy cannot infer the default's type
            if allowed is False:
                with pytest.raises(StoreUnavailable, match=forbidden):
                    await index.search(["x"])
    assert await index.search(["x"]) == []


async def test_writes_that_trickle_are_refreshed_seldom(
    request: pytest.FixtureRequest,
) -> None:
    """Each refresh makes a segment. The first write does not wait, later ones for their turn."""
    async with (
        on_opensearch(request) as engine,
        server(request.getfixturevalue("opensearch")) as at,
    ):
        paced = SearchEngine(at, engine._prefix.removesuffix("-"), 7, apart=0.2)
        index = paced.index(SEARCHED, Build("baskets", 1))
        await index.prepare()
        now = asyncio.get_running_loop().time
        began = now()
        for number in range(4):
            await index.write(seen(number, a=basket(notes=("x",))))
        assert now() - began >= 3 * 0.2
        assert [seen.position for _, seen in await index.search(["x"])] == [3]
