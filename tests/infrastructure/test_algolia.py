"""Algolia is asked so that nothing is lost, and nobody waits for ever. All on the recorded one."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

import pytest

from application.ports import IndexMissing, NotOurs, Removed, SearchIndex, StoreUnavailable
from application.projections.builds import Build
from infrastructure import algolia
from infrastructure.algolia.failures import AccessRefused
from tests.algolia import KEY, Fault, Recorded
from tests.algolia.opened import opened
from tests.contracts.baskets import SEARCHED, Basket, basket, seen
from tests.waiting import until

FIRST, SECOND = Build("baskets", 1), Build("baskets", 1, 2)
OWN, SHOWN = "test-00000007-baskets_v1", "test-baskets"
NEVER = 10**9  # polls


@pytest.fixture
async def server() -> AsyncIterator[Recorded]:
    async with Recorded.started() as server:
        yield server


@pytest.fixture
async def engine(server: Recorded) -> AsyncIterator[algolia.SearchEngine]:
    async with opened(server, patience=0.3) as application:
        yield algolia.SearchEngine(application, "test", owner=7)


@pytest.fixture
async def index(engine: algolia.SearchEngine) -> SearchIndex[Basket]:
    """An empty index."""
    index = engine.index(SEARCHED, FIRST)
    await index.prepare()
    return index


# ── what is asked, and of which host ─────────────────────────────────────────────────────────────


async def test_the_key_is_in_no_error(server: Recorded) -> None:
    """Not even where the answer repeats it."""
    server.faults = [Fault(status=403, message=f"{KEY} is not valid")]
    async with opened(server) as application:
        with pytest.raises(AccessRefused, match="403") as refused:
            await application.check()

    assert KEY not in f"{refused.value}{refused.value.__cause__}"
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("status", [500, 503])
async def test_the_next_host_is_asked(
    server: Recorded, index: SearchIndex[Basket], status: int
) -> None:
    """Where one host fails, the same request goes to the other."""
    server.faults = [Fault("/batch", host=0, status=status)]

    await index.write(seen(1, a=basket()))

    assert await index.load(["a"]) == seen(1, a=basket())
    assert not server.faults


async def test_a_host_that_is_down_is_left_out(server: Recorded) -> None:
    """Where nothing listens, the next one is asked."""
    server.addresses = ["http://127.0.0.1:9", *server.addresses]

    async with opened(server) as application:
        await application.check()


async def test_hosts_that_failed_are_asked_again(
    server: Recorded, index: SearchIndex[Basket]
) -> None:
    """Once all have failed, none is left out for minutes."""
    server.faults = [Fault(status=503)] * 20
    with pytest.raises(StoreUnavailable, match="does not answer"):
        await index.search(["x"])

    server.faults = []
    assert await index.search(["x"]) == []


async def test_a_limit_of_the_plan_is_waited_for(
    server: Recorded, index: SearchIndex[Basket]
) -> None:
    """429 is asked again after pauses of our own: the answer wants an hour."""
    server.faults = [Fault("/batch", status=429), Fault("/batch", status=429)]

    await index.write(seen(1, a=basket()))

    assert await index.load(["a"]) == seen(1, a=basket())


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("/batch", status=400), ValueError),
        (
            Fault("/batch", status=400, message="You have exceeded your Record quota"),
            StoreUnavailable,
        ),
        (Fault("/batch", status=402), StoreUnavailable),
        (Fault("/batch", status=413), StoreUnavailable),
        (Fault("/batch", drops=True), StoreUnavailable),
    ],
)
async def test_only_a_bad_record_is_an_error_of_its_own(
    server: Recorded, index: SearchIndex[Basket], fault: Fault, error: type[Exception]
) -> None:
    """All else may go away by itself, or by a larger plan."""
    server.faults = [fault]

    with pytest.raises(error):
        await index.write(seen(1, a=basket()))


# ── writing ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_write_ends_when_it_is_published(
    server: Recorded, index: SearchIndex[Basket]
) -> None:
    """Not before queries see it."""
    server.held.lag = 3
    writing = asyncio.create_task(index.write(seen(1, a=basket(notes=("x",)))))
    await until(lambda: any(one.endswith("/batch") for one in server.asked))
    assert await index.search(["x"]) == []

    await writing
    assert [key for key, _ in await index.search(["x"])] == ["a"]


async def test_a_write_that_is_not_published_has_failed(
    server: Recorded, index: SearchIndex[Basket]
) -> None:
    """Within the patience, and the next one may succeed."""
    server.held.lag = NEVER
    with pytest.raises(StoreUnavailable, match=r"has not been published within 0\.3 s"):
        await index.write(seen(1, a=basket()))

    server.held.lag = 0
    await index.write(seen(2, a=basket()))
    assert await index.load(["a"]) == seen(2, a=basket())


async def test_updates_that_are_ignored_need_not_be_published(
    server: Recorded, index: SearchIndex[Basket]
) -> None:
    """Algolia says nothing of them: the records are looked at instead."""
    await index.write(seen(5, a=basket()))
    server.held.publishes_ignored = False

    await index.write(seen(5, a=basket()))
    await index.write({"a": Removed(3)})

    assert await index.load(["a"]) == seen(5, a=basket())


async def test_an_answer_that_is_lost_is_written_again(
    server: Recorded, index: SearchIndex[Basket]
) -> None:
    """A write whose answer was lost may have been carried out. Writing again changes nothing."""
    server.faults = [Fault("/batch", drops=True, late=True)]
    with pytest.raises(StoreUnavailable):
        await index.write(seen(1, a=basket()))

    await index.write(seen(1, a=basket()))
    assert await index.load(["a"]) == seen(1, a=basket())


async def test_a_view_that_is_too_large_is_refused(
    server: Recorded, index: SearchIndex[Basket]
) -> None:
    """By its name and size. No request is sent for what no plan takes."""
    large = seen(1, a=basket(), big=basket(notes=("x" * 100_000,)))
    with pytest.raises(ValueError, match=r"big is a record of 200,\d+ bytes: Algolia takes 100,"):
        await index.write(large)
    assert not any(one.endswith("/batch") for one in server.asked)

    server.record_limit = 10_000
    with pytest.raises(ValueError, match=r"objectID=big is too big size=.*/10000 bytes"):
        await index.write(seen(1, a=basket(), big=basket(notes=("x" * 20_000,))))
    assert await index.load(["a", "big"]) == {}


async def test_a_position_that_cannot_be_guarded_is_refused(index: SearchIndex[Basket]) -> None:
    """Algolia compares no larger numbers."""
    with pytest.raises(ValueError, match="a has seen position 4611686018427387"):
        await index.write(seen(4_611_686_018_427_387, a=basket()))


async def test_a_batch_takes_a_few_requests(server: Recorded, index: SearchIndex[Basket]) -> None:
    """Its views are read, and written between two looks at whose the index is."""
    await index.write(seen(1, **{f"k{number}": basket() for number in range(1_000)}))
    server.asked.clear()

    await index.load([f"k{number}" for number in range(1_000)])
    await index.write(seen(2, **{f"k{number}": basket() for number in range(1_000)}))

    assert [one.rpartition("/")[2] for one in server.asked if "/task/" not in one] == [
        *("objects", "settings", "batch", "settings")
    ]


async def test_many_views_are_written_in_several_requests(
    server: Recorded, index: SearchIndex[Basket]
) -> None:
    """At most 1,000 in each."""
    keys = [f"k{number:04}" for number in range(2_300)]
    await index.write(seen(1, **dict.fromkeys(keys, basket(notes=("x",)))))

    assert sum(one.endswith("/batch") for one in server.asked) == 3
    assert len(await index.load(keys)) == 2_300


async def test_a_write_makes_no_index(server: Recorded, index: SearchIndex[Basket]) -> None:
    """Algolia makes one for what it is sent. It is removed, and the write has failed."""

    def gone() -> None:
        del server.held.indexes[OWN]

    server.faults = [Fault("/batch", before=gone)]

    with pytest.raises(IndexMissing):
        await index.write(seen(1, a=basket()))

    assert server.held.indexes == {}


# ── searching ────────────────────────────────────────────────────────────────────────────────────


async def test_every_view_is_found_page_by_page(index: SearchIndex[Basket]) -> None:
    """Also beyond the 1,000 that Algolia finds at once, and beyond 1,000 of one rank."""
    keys = [f"{number:04}" for number in range(1_200)]
    await index.write(seen(1, **dict.fromkeys(keys, basket(items=3, notes=("x",)))))
    await index.write(seen(1, last=basket(items=2, notes=("x",))))

    pages = [await index.search(["x"], limit=1_100)]
    pages.append(await index.search(["x"], after=(basket(items=3).items, "1099"), limit=1_100))  # type: ignore[arg-type] # an int is as good

    assert [key for page in pages for key, _ in page] == [*keys, "last"]


async def test_keys_that_begin_alike_are_found(index: SearchIndex[Basket]) -> None:
    """Those that differ behind the bytes that Algolia compares, too, while they are not many."""
    keys = [f"{'k' * 30}{number:03}" for number in range(100)]
    await index.write(seen(1, **dict.fromkeys(keys, basket())))

    found = await index.search([], after=(basket().items, keys[9]), limit=20)  # type: ignore[arg-type] # as above

    assert [key for key, _ in found] == keys[10:30]


async def test_more_views_that_begin_alike_are_refused(index: SearchIndex[Basket]) -> None:
    """In words, and not with a wrong page."""
    keys = [f"{'k' * 30}{number:04}" for number in range(1_001)]
    await index.write(seen(1, **dict.fromkeys(keys, basket())))

    with pytest.raises(StoreUnavailable, match="have one rank, and keys that begin alike"):
        await index.search([], after=(basket().items, keys[9]), limit=20)  # type: ignore[arg-type] # as above


async def test_any_number_of_words_is_searched(index: SearchIndex[Basket]) -> None:
    """More than fit into a query, and words longer than Algolia compares."""
    many = tuple(f"w{number:03}" for number in range(300))
    await index.write(seen(1, a=basket(notes=many), b=basket(notes=many[:-1])))
    await index.write(seen(1, c=basket(notes=("y" * 100,)), d=basket(notes=("y" * 99 + "z",))))

    assert [key for key, _ in await index.search(many)] == ["a"]
    assert [key for key, _ in await index.search(["y" * 99 + "z"])] == ["d"]


# ── whose an index is, and how the name leads to the live one ────────────────────────────────────


async def test_an_index_of_others_is_left_alone(
    server: Recorded, engine: algolia.SearchEngine
) -> None:
    """It is neither written, nor emptied, nor removed, nor moved over."""
    for name in (OWN, SHOWN):
        server.held.set_settings(name, {"userData": {"theirs": 1}})
        server.held.batch(name, [{"objectID": "their"}])
    index = engine.index(SEARCHED, FIRST)
    for attempt in (index.prepare, lambda: index.begin(3), lambda: engine.remove(FIRST)):
        with pytest.raises(NotOurs, match=f"{OWN} in Algolia that is not a read model's"):
            await attempt()

    server.held.set_settings(f"{_name(SECOND)}-new", {})
    with pytest.raises(NotOurs, match="baskets_v1_2-new in Algolia"):
        await engine.index(SEARCHED, SECOND).prepare()
    server.held.delete(f"{_name(SECOND)}-new")
    await engine.index(SEARCHED, SECOND).prepare()
    with pytest.raises(NotOurs, match=f"{SHOWN} in Algolia that is not of this service"):
        await engine.show(SECOND)
    assert [[*server.held.indexes[name].records] for name in (OWN, SHOWN)] == [["their"]] * 2


async def filled(engine: algolia.SearchEngine, build: Build, key: str) -> SearchIndex[Basket]:
    index = engine.index(SEARCHED, build)
    await index.prepare()
    await index.write(seen(1, **{key: basket()}))
    return index


async def test_the_name_follows_the_live_build(
    server: Recorded, engine: algolia.SearchEngine
) -> None:
    """Other programs see each write to the build that is shown, and none to another."""
    first, second = await filled(engine, FIRST, "a"), await filled(engine, SECOND, "b")

    for shown, index, other in ((FIRST, first, second), (SECOND, second, first)) * 2:
        await engine.show(shown)
        await engine.show(shown)
        await index.write(seen(2, new=basket()))
        await other.write(seen(2, other=basket()))

        assert server.held.indexes[SHOWN].records == server.held.indexes[_name(shown)].records
        await index.write({"new": Removed(3)})
        assert server.held.indexes[SHOWN].records["new"]["there"] == 0
    assert sorted(server.held.indexes) == sorted([SHOWN, _name(FIRST), _name(SECOND)])


def _name(build: Build) -> str:
    return f"test-00000007-{build.table}"


@pytest.mark.parametrize("lag", [0, 1, 2])
async def test_processes_that_swap_at_once_agree(
    server: Recorded, engine: algolia.SearchEngine, lag: int
) -> None:
    """However their steps mix, the name is a replica of the build, and nothing else is left."""
    await filled(engine, FIRST, "a")
    await filled(engine, SECOND, "b")
    await engine.show(FIRST)
    server.held.lag = lag

    await asyncio.gather(*(engine.show(SECOND) for _ in range(4)))

    there = server.held.indexes
    assert sorted(there) == sorted([SHOWN, _name(FIRST), _name(SECOND)])
    assert (there[SHOWN].primary, [*there[SHOWN].records]) == (_name(SECOND), ["b"])


async def test_a_process_that_swaps_later_leaves_it(
    server: Recorded, engine: algolia.SearchEngine
) -> None:
    """Where another has made the name a replica meanwhile, its own copy is removed."""
    await filled(engine, FIRST, "a")

    def sooner() -> None:
        server.held.set_settings(OWN, {"replicas": [SHOWN]})

    server.faults = [Fault("-baskets-new/operation", before=sooner)]
    await engine.show(FIRST)

    assert sorted(server.held.indexes) == sorted([SHOWN, OWN])
    assert server.held.indexes[SHOWN].primary == OWN


async def test_a_build_that_is_begun_anew_is_shown_anew(
    server: Recorded, engine: algolia.SearchEngine
) -> None:
    """An index keeps its name for others when it is emptied."""
    index = await filled(engine, FIRST, "a")
    await engine.show(FIRST)

    await index.clear()
    await index.write(seen(1, b=basket()))

    assert [*server.held.indexes[SHOWN].records] == ["b"]


async def is_cut_off(server: Recorded, request: int, work: Coroutine[Any, Any, None]) -> bool:
    """Kill the work at that request, which is carried out or not. Whether there were so many."""
    task = asyncio.create_task(work)

    def kill() -> None:
        task.cancel()

    last = Fault(before=kill, drops=bool(request % 2))
    server.faults = [Fault() for _ in range(request // 2)] + [last]
    await asyncio.wait([task])
    was_there, server.faults = last not in server.faults, []
    return was_there


async def test_a_swap_that_is_killed_leaves_the_name_answering(
    server: Recorded, engine: algolia.SearchEngine
) -> None:
    """At each request: the name has all views of the one build or of the other, both builds are
    whole, and the next swap goes through."""
    first, second = await filled(engine, FIRST, "a"), await filled(engine, SECOND, "b")
    await engine.show(FIRST)
    there = server.held.indexes

    answers: list[Sequence[str]] = []
    server.before = lambda _: answers.append([*there[SHOWN].records])
    request = 0
    while await is_cut_off(server, request, engine.show(SECOND)):
        await engine.show(SECOND)
        assert [*there[SHOWN].records] == ["b"]
        await engine.show(FIRST)
        assert [*there[SHOWN].records] == ["a"]
        assert await first.load(["a", "b"]) == seen(1, a=basket())
        assert await second.load(["a", "b"]) == seen(1, b=basket())
        request += 1
    assert {*map(tuple, answers)} == {("a",), ("b",)}
    assert request >= 15


async def test_an_emptying_that_is_killed_can_be_repeated(
    server: Recorded, engine: algolia.SearchEngine
) -> None:
    """At each request: the index is the one before or an empty one, and the next attempt ends."""
    index, request = await filled(engine, FIRST, "a"), 0
    while await is_cut_off(server, request, index.begin(9)):
        assert await index.load(["a"]) in (seen(1, a=basket()), {})
        await index.begin(10)
        assert (await index.filling(), await index.load(["a"])) == (10, {})
        await engine.remove(FIRST)
        assert server.held.indexes == {}
        index, request = await filled(engine, FIRST, "a"), request + 1
    assert request > 10
