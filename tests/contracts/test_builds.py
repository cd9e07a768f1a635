"""The contract of ``Builds`` and ``ReadModels``, on every adapter."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from application.ports import Builds, NotBuilt, ReadModels, Seen, WrongRole
from application.projections.builds import WHOLE, Build, Failure, Note, Report, Role, Shard
from application.projections.comparing import Difference
from application.projections.placing import PlacedReadModels  # only: search
from application.projections.projection import Projection, View
from application.projections.searching import SearchReadModels  # only: search
from application.projections.status import State
from infrastructure import (
    dynamodb,  # only: dynamodb_views
    memory,
    postgres,  # only: postgres
)
from tests.contracts.dynamodb import DYNAMODB, dynamodb_of  # only: dynamodb_views
from tests.contracts.search_engines import ENGINES, engine_of  # only: search
from tests.waiting import until_true

NOTE = Note("ann", "it has to be", datetime(2026, 1, 1, tzinfo=UTC))
REPORT = Report("one", State.LIVE, missing_since=None, rate=12.5, error=None)
FAILURE = Failure(7, uuid4(), "OrderConfirmed order-1@0", "LookupError: ☃", NOTE.at)


class Box(View):
    colour: str
    items: int = 1
    label: str = ""


class BoxAnew(View):
    colour: str
    items: int = 1
    weight: int = 0


def declared(version: int, shards: int = 1, view: type[View] = Box) -> Projection[Any]:
    return Projection(
        name="boxes",
        version=version,
        view=view,
        follows=(),
        keys=lambda _: (),
        evolve=lambda box, _: box,
        indexed=("colour",),
        detail=("label",) if view is Box else (),
        shards=shards,
    )


V1, V2 = declared(1), declared(2, view=BoxAnew)
FIRST = Build("boxes", 1)


@dataclass(frozen=True)
class Books:
    """Both ports of one place; ``read_models`` is of a release that declares these two."""

    builds: Builds
    read_models: ReadModels
    earlier_release: ReadModels  # it knows version 1 only

    async def role(self, build: Build) -> Role | None:
        standings = await self.builds.standings("boxes")
        return next((of.role for of in standings if of.build == build), None)

    async def fill(
        self, build: Build, boxes: Mapping[str, tuple[View, int]], checkpoint: int
    ) -> None:
        """Let it show these, each with the position of the event that shaped it."""
        views = self.read_models.of(V1 if build.version == 1 else V2, build)
        await views.prepare()
        seen = {key: Seen(view, position) for key, (view, position) in boxes.items()}
        await views.save(seen, checkpoint=checkpoint, expected=await views.checkpoint())


# only: search
def searched(declared: Projection[Any]) -> Projection[Any]:
    """The same, as a search engine can keep it."""
    return replace(declared, indexed=(), listed=False, searched=("colour",), ranked="items")


# end: search
@pytest.fixture(
    params=[
        "memory",
        "memory (placed)",  # only: search
        "postgres (real)",  # only: postgres
        *ENGINES[1:],  # only: search
        DYNAMODB,  # only: dynamodb_views
    ]
)
async def books(request: pytest.FixtureRequest) -> AsyncIterator[Books]:
    kept = memory.Builds()
    in_memory = [memory.ReadModels(of, kept) for of in ([V1, V2], [V1])]
    if request.param == "memory":
        yield Books(kept, *in_memory)
    # only: search
    if request.param == "memory (placed)":
        nowhere = memory.ReadModels([], memory.Builds())
        yield Books(kept, *(PlacedReadModels(nowhere, {"boxes": of}) for of in in_memory))
    elif request.param in ENGINES[1:]:
        async with engine_of(request) as engine:
            places = [[searched(V1), searched(V2)], [searched(V1)]]
            models = [SearchReadModels(engine, of, kept, kept.checkpoints) for of in places]
            nowhere = memory.ReadModels([], memory.Builds())
            yield Books(kept, *(PlacedReadModels(nowhere, {"boxes": of}) for of in models))
    # end: search
    # only: dynamodb_views
    if request.param == DYNAMODB:
        async with dynamodb_of(request) as database:
            there = dynamodb.Builds(database, dynamodb.StoreClock.of(database))
            places = [[V1, V2], [V1]]
            yield Books(there, *(dynamodb.ReadModels(database, of, there) for of in places))
    # end: dynamodb_views
    # only: postgres
    if request.param == "postgres (real)":
        async with postgres.pool(request.getfixturevalue("postgres")) as pool:
            await postgres.migrate(pool)
            builds = postgres.Builds(pool)
            new, old = (postgres.ReadModels(pool, of, builds) for of in ([V1, V2], [V1]))
            yield Books(builds, new, old)
    # end: postgres


@pytest.fixture
async def swapped(books: Books) -> Build:
    """Version 2 is live, version 1 the previous one."""
    await books.builds.register([V1])
    build = await books.builds.begin(V2, NOTE)
    await books.fill(FIRST, {"a": (Box(colour="red"), 1)}, checkpoint=1)
    await books.fill(build, {"a": (BoxAnew(colour="blue"), 1)}, checkpoint=1)
    await books.builds.swap(build, NOTE)
    return build


# ── which builds there are ───────────────────────────────────────────────────────────────────────


async def test_the_first_build_is_live(books: Books) -> None:
    """Registering a read model makes one live build of its newest version. Registering again
    changes nothing."""
    assert await books.builds.standings() == []

    await asyncio.gather(*(books.builds.register([V1, V2]) for _ in range(3)))
    await books.builds.register([declared(3)])

    (standing,) = await books.builds.standings()
    assert (standing.build, standing.role) == (Build("boxes", 2), Role.LIVE)
    assert (standing.position, standing.events, standing.failure) == (None, 0, None)
    assert standing.paused is None


async def test_a_deploy_is_begun_once(books: Books) -> None:
    """Beginning again continues the build that is there. A build of another version has to be
    dropped first."""
    await books.builds.register([V1])

    builds = await asyncio.gather(*(books.builds.begin(V1, NOTE) for _ in range(3)))

    assert set(builds) == {Build("boxes", 1, 2)}
    with pytest.raises(WrongRole, match="boxes_v1_2 has been begun before"):
        await books.builds.begin(V2, NOTE)
    assert [action.action for action in await books.builds.actions("boxes")] == ["deploy"]


async def test_a_swap_exchanges_the_roles(books: Books, swapped: Build) -> None:
    """The new build becomes live and the old one previous. A second swap is refused."""
    assert [await books.role(build) for build in (swapped, FIRST)] == [Role.LIVE, Role.PREVIOUS]

    with pytest.raises(WrongRole, match="boxes_v2 is live, not building"):
        await books.builds.swap(swapped, NOTE)
    third = await books.builds.begin(V2, NOTE)
    with pytest.raises(WrongRole, match="boxes_v1 is kept for a rollback"):
        await books.builds.swap(third, NOTE)


async def test_a_rollback_exchanges_the_roles_again(books: Books, swapped: Build) -> None:
    """It can be repeated in both directions. Without a previous build it is refused."""
    assert await books.builds.rollback("boxes", NOTE) == FIRST
    assert [await books.role(build) for build in (swapped, FIRST)] == [Role.PREVIOUS, Role.LIVE]

    await books.builds.drop(swapped, NOTE)
    with pytest.raises(WrongRole, match="boxes has no previous build"):
        await books.builds.rollback("boxes", NOTE)


async def test_only_what_is_not_live_can_be_dropped(books: Books, swapped: Build) -> None:
    """Dropping the live build is refused. A dropped build is gone, and so are its views."""
    with pytest.raises(WrongRole, match="boxes_v2 is live"):
        await books.builds.drop(swapped, NOTE)

    await books.builds.drop(FIRST, NOTE)

    assert [of.build for of in await books.builds.standings()] == [swapped]
    with pytest.raises(WrongRole, match="there is no build boxes_v1"):
        await books.builds.drop(FIRST, NOTE)
    again = await books.builds.begin(V1, NOTE)
    views = books.read_models.of(V1, again)
    await views.prepare()
    assert (await views.checkpoint(), await views.load(["a"])) == (None, {})


async def test_a_name_is_never_used_again(books: Books, swapped: Build) -> None:
    """A build that was dropped may have left views in another store: the next has another name."""
    await books.builds.drop(FIRST, NOTE)
    first, second = await books.builds.begin(V1, NOTE), await books.builds.begin(V1, NOTE)
    await books.builds.drop(first, NOTE)

    third = await books.builds.begin(V1, NOTE)

    assert first == second
    assert len({FIRST, first, third}) == 3
    assert {await books.role(build) for build in (FIRST, first)} == {None}
    assert await books.role(swapped) is Role.LIVE


# ── who fills them ───────────────────────────────────────────────────────────────────────────────


async def test_a_lease_is_held_by_one(books: Books) -> None:
    """No other process gets it before it is released or has expired. Its holder can renew it."""
    await books.builds.register([V1])
    other = replace(REPORT, holder="another")

    async def claim(build: Build, shard: Shard, report: Report, seconds: float) -> bool:
        claimed = await books.builds.claim({(build, shard): report}, seconds=seconds)
        assert set(claimed) <= {(build, shard)}
        return bool(claimed)

    assert await claim(FIRST, WHOLE, REPORT, seconds=60)
    assert await claim(FIRST, WHOLE, REPORT, seconds=60)
    assert not await claim(FIRST, WHOLE, other, seconds=60)
    await books.builds.release(FIRST, WHOLE, "another")
    assert not await claim(FIRST, WHOLE, other, seconds=60)
    await books.builds.release(FIRST, WHOLE, "one")
    assert await claim(FIRST, WHOLE, other, seconds=0.05)
    await until_true(lambda: claim(FIRST, WHOLE, REPORT, seconds=60))
    assert not await claim(Build("boxes", 9), WHOLE, REPORT, seconds=60)


async def test_several_leases_are_claimed_at_once(books: Books) -> None:
    """Those that are free or held already are taken, each with its report; others are not."""
    await books.builds.register([declared(1, shards=3)])
    keys = [(FIRST, Shard(index, 3)) for index in range(3)]
    other = replace(REPORT, holder="another", error="away")
    assert set(await books.builds.claim({keys[1]: other}, seconds=60)) == {keys[1]}

    claimed = await books.builds.claim(dict.fromkeys(keys, REPORT), seconds=60)
    assert set(claimed) == {keys[0], keys[2]}
    (standing,) = await books.builds.standings()
    assert [shard.report for shard in standing.shards] == [REPORT, other, REPORT]
    assert not await books.builds.claim({}, seconds=60)


async def test_a_report_stays_when_its_lease_ends(books: Books) -> None:
    """The last report is still shown, with its time; its holder is not."""
    await books.builds.register([V1])
    await books.builds.claim({(FIRST, WHOLE): REPORT}, seconds=60)

    (standing,) = await books.builds.standings()
    (shard,) = standing.shards
    assert (shard.report, shard.holder) == (REPORT, "one")
    assert shard.reported_at is not None
    assert shard.reported_at <= standing.now

    await books.builds.release(FIRST, WHOLE, "one")
    (shard,) = (await books.builds.standings())[0].shards
    assert (shard.report, shard.leased, shard.holder) == (REPORT, False, None)


async def test_shards_are_independent(books: Books) -> None:
    """Each has its own lease, checkpoint and failure. A build is as far as its slowest shard."""
    await books.builds.register([declared(1, shards=2)])
    first, second = (Shard(index, 2) for index in range(2))
    views = [books.read_models.of(V1, FIRST, shard) for shard in (first, second)]
    for one in views:
        await one.prepare()

    await views[0].save({}, checkpoint=9, events=4, expected=None)
    assert (await books.builds.standings())[0].position is None
    await views[1].save({}, checkpoint=5, events=3, expected=None)
    await books.builds.fail(FIRST, second, FAILURE)
    assert await books.builds.claim({(FIRST, first): REPORT}, seconds=60)

    (standing,) = await books.builds.standings("boxes")
    assert (standing.position, standing.events, standing.failure) == (5, 3, FAILURE)
    assert [shard.holder for shard in standing.shards] == ["one", None]


# ── what operators do ────────────────────────────────────────────────────────────────────────────


async def test_a_failure_stays_until_a_person_decides(books: Books) -> None:
    """A retry clears it, and so does skipping the event at which it stopped. The skip is
    recorded."""
    await books.builds.register([V1])
    await books.builds.fail(FIRST, WHOLE, FAILURE)
    await books.builds.retry(FIRST, NOTE)
    assert (await books.builds.standings())[0].failure is None

    await books.builds.fail(FIRST, WHOLE, FAILURE)
    with pytest.raises(WrongRole, match="has not stopped at the event"):
        await books.builds.skip(FIRST, uuid4(), NOTE)
    assert (await books.builds.standings())[0].failure == FAILURE
    await books.builds.skip(FIRST, FAILURE.event_id, NOTE)

    assert (await books.builds.standings())[0].failure is None
    assert await books.builds.skipped(FIRST) == {FAILURE.event_id: NOTE}


async def test_a_pause_shows_who_paused(books: Books) -> None:
    """The build stays paused until it is resumed, and shows who paused it and why."""
    await books.builds.register([V1])

    await books.builds.pause(FIRST, NOTE)
    assert (await books.builds.standings())[0].paused == NOTE
    await books.builds.resume(FIRST, NOTE)
    assert (await books.builds.standings())[0].paused is None


async def test_every_action_is_recorded(books: Books, swapped: Build) -> None:
    """The record has who did what to which build, when and why, newest first, also of dropped
    builds."""
    await books.builds.pause(swapped, replace(NOTE, by="bob"))
    await books.builds.drop(FIRST, NOTE)

    actions = await books.builds.actions("boxes")

    assert [(of.action, of.build, of.note.by) for of in actions] == [
        ("drop", FIRST, "ann"),
        ("pause", swapped, "bob"),
        ("swap", swapped, "ann"),
        ("deploy", swapped, "ann"),
    ]
    assert actions[0].note == NOTE
    assert await books.builds.actions("others") == []


async def test_a_build_that_is_not_there_is_refused(books: Books) -> None:
    """An action on a build that does not exist is refused and not recorded."""
    builds, nobody = books.builds, Build("boxes", 9)
    for attempt in (
        builds.pause(nobody, NOTE),
        builds.resume(nobody, NOTE),
        builds.retry(nobody, NOTE),
        builds.skip(nobody, uuid4(), NOTE),
        builds.skipped(nobody),
        builds.fail(nobody, WHOLE, FAILURE),
        builds.swap(nobody, NOTE),
        builds.drop(nobody, NOTE),
    ):
        with pytest.raises(WrongRole, match="there is no build boxes_v9"):
            await attempt
    assert await builds.actions("boxes") == []


# ── which views answer ───────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("swapped")
async def test_the_live_build_answers(books: Books) -> None:
    """Each release reads the newest build that it knows. A rollback takes effect at once."""

    async def colour(read_models: ReadModels) -> str:
        views = await read_models.live(V1)
        return str((await views.load(["a"]))["a"].view.colour)

    assert await colour(books.read_models) == "blue"
    assert await colour(books.earlier_release) == "red"
    await books.builds.rollback("boxes", NOTE)
    assert await colour(books.read_models) == "red"


async def test_a_query_survives_the_drop_of_its_build(books: Books, swapped: Build) -> None:
    """If its build is rolled back and dropped while it runs, the query is answered by the live
    build."""
    views = await books.read_models.live(V1)
    await books.builds.rollback("boxes", NOTE)
    await books.builds.drop(swapped, NOTE)

    found = await (await books.read_models.live(V1)).load(["a"])
    assert found["a"].view == Box(colour="red")
    assert {key: seen.view.colour for key, seen in (await views.load(["a"])).items()} in (
        {"a": "red"},  # of the live build
        {"a": "blue"},  # still there, where nothing has to go
    )


async def test_what_has_no_build_cannot_be_read(books: Books) -> None:
    """Reading raises ``NotBuilt`` instead of returning nothing."""
    with pytest.raises(NotBuilt, match="boxes has not been built yet"):
        await books.read_models.live(V1)


async def test_a_live_build_of_an_unknown_version_is_named(books: Books, swapped: Build) -> None:
    """A release that knows neither the live version nor the one before says what to deploy."""
    await books.builds.drop(FIRST, NOTE)

    with pytest.raises(NotBuilt, match=rf"{swapped.table} is live.*`projections deploy boxes`"):
        await books.earlier_release.live(V1)


async def test_only_a_dropped_build_is_discarded(books: Books, swapped: Build) -> None:
    """While a build is registered its views stay. Discarding a dropped one, twice too, is fine."""
    with pytest.raises(WrongRole, match="boxes_v2 has not been dropped"):
        await books.read_models.discard(swapped)
    assert await (await books.read_models.live(V2)).load(["a"])

    await books.builds.drop(FIRST, NOTE)
    await books.read_models.discard(FIRST)
    await books.read_models.discard(FIRST)

    assert await (await books.read_models.live(V2)).load(["a"])


# ── comparing ────────────────────────────────────────────────────────────────────────────────────


async def two(
    books: Books, live: Mapping[str, tuple[View, int]], new: Mapping[str, tuple[View, int]],
    checkpoints: Sequence[int] = (10, 10), projection: Projection[Any] = V1,
) -> Build:  # fmt: skip
    """A live build and one beside it, with these views."""
    await books.builds.register([V1])
    build = await books.builds.begin(projection, NOTE)
    await books.fill(FIRST, live, checkpoints[0])
    await books.fill(build, new, checkpoints[1])
    return build


async def test_every_difference_is_counted_and_some_are_shown(books: Books) -> None:
    """Counted are equal, different, missing and new views, with their detail. Five examples are
    shown, by key."""
    red, blue = Box(colour="red"), Box(colour="blue")
    labelled = Box(colour="red", label="fragile")
    live = {"a": (red, 1), "b": (red, 2), "c": (red, 3), "d": (red, 4)}
    new = {"a": (red, 1), "b": (blue, 2), "c": (labelled, 3), "e": (red, 5)}
    many = {f"x{number}": (red, 6) for number in range(9)}
    build = await two(books, live, {**new, **many})

    found = await books.read_models.compare(FIRST, build)

    assert (found.equal, found.different, found.only_live, found.only_new) == (1, 2, 1, 10)
    assert (found.changing, found.identical, found.differing) == (0, False, 13)
    assert [example.key for example in found.examples] == ["b", "c", "d", "e", "x0"]
    assert found.examples[0] == Difference(
        "b",
        {"colour": "red", "items": 1, "label": ""},
        {"colour": "blue", "items": 1, "label": ""},
    )
    assert [str(example) for example in found.examples[:4]] == [
        "b: colour was red, is blue",
        "c: label was , is fragile",
        "d is not in the new build",
        "e is only in the new build",
    ]


async def test_what_changes_meanwhile_is_not_compared(books: Books) -> None:
    """A view is left out if an event has changed it that the other build may not have handled
    yet."""
    red, blue = Box(colour="red"), Box(colour="blue")
    live = {"a": (red, 1), "b": (blue, 9), "c": (red, 8), "d": (blue, 5)}
    new = {"a": (red, 1), "b": (red, 2), "d": (blue, 4)}
    build = await two(books, live, new, checkpoints=(9, 5))

    found = await books.read_models.compare(FIRST, build)

    assert found.identical
    assert (found.equal, found.changing, list(found.examples)) == (2, 2, [])


async def test_a_new_field_is_not_a_difference(books: Books) -> None:
    """Versions are compared in the fields that both have. The others are listed."""
    live = {"a": (Box(colour="red"), 1), "b": (Box(colour="red", items=2), 1)}
    new = {"a": (BoxAnew(colour="red", weight=3), 1), "b": (BoxAnew(colour="red"), 1)}
    build = await two(books, live, new, projection=V2)

    found = await books.read_models.compare(FIRST, build)

    assert (found.equal, found.different) == (1, 1)
    assert (list(found.gone), list(found.added)) == (["label"], ["weight"])
    assert str(found.examples[0]) == "b: items was 2, is 1"


async def test_builds_without_any_view_are_equal(books: Books) -> None:
    """This holds also where no runner has created the tables yet."""
    await books.builds.register([V1])
    build = await books.builds.begin(V1, NOTE)

    found = await books.read_models.compare(FIRST, build)

    assert (found.identical, found.equal, list(found.examples)) == (True, 0, [])


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────


async def test_all_documents_of_a_build_are_listed(books: Books, swapped: Build) -> None:
    """Each view with its key, whole; of the build that is asked for, and of no other."""
    more = {f"box {n:03}": (Box(colour="red", label="näher"), 2) for n in range(230)}
    await books.fill(FIRST, more, checkpoint=2)

    found = {key: document async for key, document in books.read_models.documents(FIRST)}
    assert found.keys() == {"a", *more}
    assert found["box 007"] == {"colour": "red", "items": 1, "label": "näher"}
    assert [key async for key, _ in books.read_models.documents(swapped)] == ["a"]
    assert [key async for key, _ in books.read_models.documents(Build("boxes", 9))] == []
