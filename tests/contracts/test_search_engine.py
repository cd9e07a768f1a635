"""The contract of ``SearchEngine`` and ``SearchIndex``, on every adapter."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from application.ports import IndexMissing, Removed, SearchEngine, SearchIndex, Seen
from application.projections.builds import Build
from application.projections.comparing import Kept
from tests.contracts.baskets import SEARCHED, Basket, basket, seen
from tests.contracts.search_engines import ENGINES, engine_of

FIRST, SECOND = Build("baskets", 1), Build("baskets", 1, 2)


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[SearchEngine]:
    async with engine_of(request) as engine:
        yield engine


@pytest.fixture
async def index(engine: SearchEngine) -> SearchIndex[Basket]:
    """An empty index."""
    index = engine.index(SEARCHED, FIRST)
    await index.prepare()
    return index


async def documents(engine: SearchEngine, build: Build) -> list[Kept]:
    return [one async for one in engine.kept(build)]


async def test_an_index_has_the_number_that_it_was_begun_with(engine: SearchEngine) -> None:
    """The number stays until the index is begun anew, and is gone with it. Each build and its
    parts have numbers of their own."""
    index, parts, other = (
        engine.index(SEARCHED, FIRST),
        engine.parts(SEARCHED, FIRST),
        engine.index(SEARCHED, SECOND),
    )
    assert await index.filling() is None

    await index.begin(2**53)
    await parts.begin(7)
    assert (await index.filling(), await parts.filling()) == (2**53, 7)
    await index.begin(4)
    await index.prepare()
    assert (await index.filling(), await other.filling()) == (4, None)

    await engine.remove(FIRST)
    await engine.remove(FIRST)
    assert (await index.filling(), await parts.filling()) == (None, None)


async def test_an_index_begun_anew_is_empty(
    engine: SearchEngine, index: SearchIndex[Basket]
) -> None:
    """Nothing of the one before is loaded, found or compared, and nothing guards a key."""
    await index.write({**seen(5, a=basket(notes=("x",))), "b": Removed(5)})

    await index.begin(9)

    assert await index.load(["a", "b"]) == {}
    assert await index.search(["x"]) == []
    assert await documents(engine, FIRST) == []
    await index.write(seen(1, b=basket(notes=("x",))))
    assert [key for key, _ in await index.search(["x"])] == ["b"]


async def test_a_writer_of_a_lost_index_writes_nothing_into_the_new_one(
    engine: SearchEngine, index: SearchIndex[Basket]
) -> None:
    """While it has not noticed that the index was begun anew, it gets an error. Once it has asked
    for the number, it writes into the new one."""
    other = engine.index(SEARCHED, FIRST)
    await other.begin(9)

    with pytest.raises(IndexMissing):
        await index.write(seen(5, a=basket()))

    assert await other.load(["a"]) == {}
    assert await index.filling() == 9
    await index.write(seen(5, a=basket()))
    assert await other.load(["a"]) == seen(5, a=basket())


QUESTIONS: list[Callable[[SearchIndex[Basket]], Awaitable[object]]] = [
    lambda index: index.load(["a"]),
    lambda index: index.search(["x"]),
    lambda index: index.write(seen(1, a=basket())),
    lambda index: index.write({"a": Removed(1)}),
    lambda index: index.clear(),
]


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_missing_index_is_an_error(
    engine: SearchEngine, question: Callable[[SearchIndex[Basket]], Awaitable[object]]
) -> None:
    """It is neither taken for an empty one nor made by the way."""
    index = engine.index(SEARCHED, FIRST)

    with pytest.raises(IndexMissing):
        await question(index)

    assert await index.filling() is None
    with pytest.raises(IndexMissing):
        await engine.show(FIRST)
    assert await documents(engine, FIRST) == []


async def test_all_views_are_compared_with_their_positions(
    engine: SearchEngine, index: SearchIndex[Basket]
) -> None:
    """In the order of their keys by code point, removed ones among them, detail included."""
    keys = ["é", "B", "a10", "a9", "", "x" * 600, "sha256:x", "😀"]
    baskets = seen(3, **{key: basket(notes=(f"n {key[:9]}",)) for key in keys})
    await index.write({**baskets, "gone": Removed(4)})

    found = await documents(engine, FIRST)

    assert [one.key for one in found] == sorted([*keys, "gone"])
    shown = {one.key: one for one in found}
    assert shown["gone"] == Kept("gone", 4, None)
    assert shown["é"] == Kept("é", 3, basket(notes=("n é",)).model_dump(mode="json"))
    assert await index.load(keys) == baskets


async def test_more_views_than_a_page_are_compared(
    engine: SearchEngine, index: SearchIndex[Basket]
) -> None:
    """However many there are, each comes once."""
    keys = [f"k{number:04}" for number in range(2_300)]
    await index.write(seen(1, **dict.fromkeys(keys, basket())))

    assert [one.key for one in await documents(engine, FIRST)] == keys


RANKS = ["1E+30", "123456789012345678.10", "123456789012345678", "100", "10.01", "9.5", "1", "0.1",
         "0.099", "0", "-0.1", "-1", "-1.1", "-9", "-10", "-1E+30"]  # fmt: skip


async def test_ranks_are_exact(engine: SearchEngine) -> None:
    """Numbers of any size and sign are ordered exactly."""

    class Ranked(Basket):
        score: Decimal = Decimal(0)

    index = engine.index(replace(SEARCHED, view=Ranked, ranked="score"), FIRST)
    await index.prepare()
    scores = {f"k{place}": Decimal(rank) for place, rank in enumerate(RANKS)}
    views: dict[str, Seen[Basket]] = {
        key: Seen(Ranked(**basket().model_dump(), score=score), 1) for key, score in scores.items()
    }
    await index.write({key: views[key] for key in sorted(views)})

    assert [key for key, _ in await index.search([])] == list(scores)
    for place, (key, score) in enumerate(scores.items()):
        page = await index.search([], after=(score, key))
        assert [found for found, _ in page] == list(scores)[place + 1 :]
