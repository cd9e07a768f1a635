"""Which build answers: PostgreSQL is asked for it once, and the answers are right all the same."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg.abc import RV, PQGen

from application.ports import Seen, Views
from application.projections.builds import Build, Note
from application.projections.projection import Projection, View
from infrastructure import postgres as postgresql
from infrastructure.postgres.connections import Within
from infrastructure.postgres.pools import Connection

NOTE = Note("ann", "it has to be", datetime(2026, 1, 1, tzinfo=UTC))


class Box(View):
    colour: str
    items: int = 1


def boxes(version: int) -> Projection[Box]:
    return Projection(
        name="boxes",
        version=version,
        view=Box,
        follows=(),
        keys=lambda _: (),
        evolve=lambda box, _: box,
        indexed=("colour",),
        searched=("colour",),
        ranked="items",
        summed=("items",),
    )


V1, V2 = boxes(1), boxes(2)
FIRST = Build("boxes", 1)


class Counting(Connection):
    """Counts the statements that it is given."""

    statements = 0

    async def wait(self, gen: PQGen[RV], *rest: Any, **named: Any) -> RV:
        self.statements += 1
        return await super().wait(gen, *rest, **named)


@dataclass
class Place:
    """Builds, read models of a process that has asked for the live one, and its connection."""

    builds: postgresql.Builds
    read_models: postgresql.ReadModels
    connection: Counting
    second: Build = field(default_factory=lambda: Build("boxes", 2))

    async def live(self) -> Views[Box]:
        return await self.read_models.live(V1)


@pytest.fixture
async def place(postgres: str) -> AsyncIterator[Place]:
    """Version 2 is live, with one blue box; version 1 has a red one."""
    async with (
        postgresql.pool(postgres) as pool,
        await Counting.connect(postgres, autocommit=True) as connection,
    ):
        await postgresql.migrate(pool)
        builds = postgresql.Builds(pool)
        await builds.register([V1])
        second = await builds.begin(V2, NOTE)
        elsewhere = postgresql.ReadModels(pool, [V1, V2], builds)
        for projection, build, colour in ((V1, FIRST, "red"), (V2, second, "blue")):
            views = elsewhere.of(projection, build)
            await views.prepare()
            box = {"a": Seen(Box(colour=colour), 1)}
            await views.save(box, checkpoint=build.version, expected=None)
        await builds.swap(second, NOTE)
        here: Any = Within(connection)  # in place of a pool
        read_models = postgresql.ReadModels(here, [V1, V2], postgresql.Builds(here))
        made = Place(builds, read_models, connection, second)
        await (await made.live()).load(["a"])
        yield made


async def _loaded(views: Views[Box]) -> str:
    return (await views.load(["a"]))["a"].view.colour


async def _missing(views: Views[Box]) -> str:
    assert await views.load(["b"]) == {}
    return await _loaded(views)


async def _found(views: Views[Box]) -> str:
    ((_, seen),) = await views.find(equal={})
    return seen.view.colour


async def _counted(views: Views[Box]) -> str:
    return "red" if await views.count(equal={"colour": "red"}) else "blue"


async def _searched(views: Views[Box]) -> str:
    return "red" if await views.search("red") else "blue"


async def _summed(views: Views[Box]) -> str:
    (colour,) = await views.sums(["items"], by="colour")
    return colour


async def _placed(views: Views[Box]) -> str:
    return {1: "red", 2: "blue", None: "unknown"}[await views.checkpoint()]


QUESTIONS = [_loaded, _missing, _found, _counted, _searched, _summed, _placed]
Question = Callable[[Views[Box]], Awaitable[str]]


async def test_a_look_up_is_one_statement(place: Place) -> None:
    """Once the live build is known, looking up a view asks the server once."""
    place.connection.statements = 0

    assert await _loaded(await place.live()) == "blue"
    assert place.connection.statements == 1


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_rollback_elsewhere_is_seen_at_once(place: Place, question: Question) -> None:
    """Whatever is asked next is answered by the build that is live then."""
    assert await question(await place.live()) == "blue"

    await place.builds.rollback("boxes", NOTE)
    assert await question(await place.live()) == "red"


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_drop_elsewhere_is_seen_at_once(place: Place, question: Question) -> None:
    """Also when the table of the build that was live before is gone."""
    await place.builds.rollback("boxes", NOTE)
    await place.builds.drop(place.second, NOTE)

    assert await question(await place.live()) == "red"


async def test_views_that_were_read_stay_with_their_build(place: Place) -> None:
    """A query that looks up several times, or asks for the checkpoint first, sees one build."""
    views = await place.live()
    assert await views.checkpoint() == 2
    await place.builds.rollback("boxes", NOTE)

    assert await _loaded(views) == "blue"
