"""A data subject is forgotten: key, views, and traces; also after a kill, or a restored backup."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from application.command_dispatch import CommandDispatch
from application.messages import NewEvent
from application.personal.exporting import Exporting, NothingToExport
from application.personal.forgetting import Forgetting, Tools
from application.personal.forgotten import FORGOTTEN, SubjectForgotten, forgotten_id
from application.personal.places import (
    Events,
    Keys,
    Payloads,
    Place,
    SentThere,  # only: bus or temporal
    ViewsOfBuilds,
)
from application.personal.traces import Finding, NotSearched, Searched, Trace, Traces
from application.ports import Forgotten, StoreUnavailable, Wanted
from application.projections.builds import Build, Note, Role
from application.projections.deploying import Deploy
from application.projections.hosting import ProjectionHost
from application.projections.operating import Operations
from infrastructure import memory
from tests.application.protected import Protection, give
from tests.sample.read_models.payee_search import payee_search
from tests.sample.read_models.transfer_summary import transfer_summary
from tests.sample.service import SAMPLE
from tests.sample.transfers import RequestTransfer
from tests.waiting import until_true

NOTE: Final = Note("ada", "she has asked for it", datetime(2026, 1, 1, tzinfo=UTC))
SECRET: Final = "for the operation in März"
PROJECTIONS: Final = (transfer_summary, payee_search)


@dataclass
class World:
    """A service in memory whose views are kept up to date by ``fill``."""

    protection: Protection = field(default_factory=Protection)
    ahead: timedelta = timedelta(0)
    waited: list[float] = field(default_factory=list)
    fails: set[str] = field(default_factory=set)
    """Read models of which the next deploy fails."""
    others: Sequence[Place] = ()
    """Where it sends what it knows."""

    def __post_init__(self) -> None:
        self.catalogue = self.protection.of(SAMPLE.catalogue)
        self.raw = memory.EventStore(self.catalogue)
        self.store = self.protection.over(self.raw)
        self.log = memory.Subscriptions(self.raw)
        self.builds = memory.Builds()
        self.read_models = memory.ReadModels(PROJECTIONS, self.builds)
        self.operations = Operations(PROJECTIONS, self.builds, self.read_models)
        self.traces = Traces(self._places)
        self.exporting = Exporting(
            SAMPLE.name,
            SAMPLE.of_persons,
            lambda: self.store,
            lambda: self.log,
            lambda: self.protection.payloads,
        )
        self.forgetting = Forgetting(
            Tools(
                SAMPLE.encrypted,
                self.protection.keyring,
                lambda: self.protection.keys,
                lambda: self.log,
                lambda: memory.EventBrowser(self.raw),
                lambda: self.protection.payloads,
                lambda: self.store,
                lambda: CommandDispatch(self.store, self.catalogue),
                lambda: PROJECTIONS,
                lambda: self.operations,
                self._deploy,
            ),
            clock=self.clock,
            pause=self._pause,
        )

    def _places(self) -> Sequence[Place]:
        return [
            Keys(lambda: self.protection.keys),
            Events(SAMPLE.encrypted, lambda: self.log, lambda: self.protection.payloads),
            Payloads(lambda: [self.protection.payloads]),
            ViewsOfBuilds(lambda: self.builds, lambda: self.read_models),
            *self.others,
        ]

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    async def _pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.ahead += timedelta(seconds=seconds)

    def _host(self, *roles: Role, of: Sequence[Any] = PROJECTIONS) -> ProjectionHost:
        payloads = self.protection.payloads
        return ProjectionHost(
            of, self.log, self.read_models, self.builds, payloads, holder="it", roles=roles,
            tick=0.01,
        )  # fmt: skip

    async def _deploy(self, name: str) -> Deploy:
        if name in self.fails:
            self.fails.remove(name)
            raise StoreUnavailable("killed")
        newest = await self.operations.newest(name)
        return Deploy(
            newest,
            self._host(Role.BUILDING, of=[newest]),
            builds=self.builds,
            read_models=self.read_models,
            store=self.log,
            pause=lambda _: asyncio.sleep(0.005),
        )

    async def fill(self) -> None:
        """Make the live views show all events."""
        await self.builds.register(PROJECTIONS)
        task = asyncio.create_task(self._host(Role.LIVE, Role.PREVIOUS).run())
        try:
            await until_true(self._all_shown)
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _all_shown(self) -> bool:
        standings = await self.builds.standings()
        return all(of.position == self.raw.last_position for of in standings)

    async def pay(self, id: str, source: str, note: str = SECRET) -> None:
        await give(
            self.store, id, RequestTransfer(source=source, target="bob", amount=3, note=note)
        )

    async def forget(self, subject: str = "ann") -> frozenset[str]:
        return (await self.forgetting.forget(subject, NOTE)).texts

    async def findings(self, subject: str = "ann", *texts: str) -> list[Finding]:
        return [one async for one in self.traces.of(subject, texts)]

    async def found(self, subject: str = "ann", *texts: str) -> list[Trace]:
        return [one for one in await self.findings(subject, *texts) if isinstance(one, Trace)]

    async def shown(self) -> list[str | None]:
        (live, *_) = await self.builds.standings(transfer_summary.name)
        return [one["note"] async for _, one in self.read_models.documents(live.build)]

    async def built(self) -> list[Build]:
        return [of.build for of in await self.builds.standings()]


@pytest.fixture
async def world() -> World:
    world = World()
    await world.pay("t-1", "ann")
    await world.pay("t-2", "eve", "rent")
    await world.pay("t-3", "ann", SECRET * 1_000)  # a claim check
    await world.fill()
    return world


async def test_it_leaves_no_readable_trace(world: World) -> None:
    """Events, payloads and views show masks; another subject's data is whole everywhere."""
    places = {one.place.split()[0] for one in await world.found("ann", SECRET)}
    assert places == {"key", "event", "view"}

    texts = await world.forget()

    assert texts == {SECRET, SECRET * 1_000}
    assert await world.found("ann", *texts) == []
    assert sorted(map(str, await world.shown())) == ["rent", "•••", "•••"]
    with pytest.raises(Forgotten):
        await world.protection.keys.key("ann")
    assert {one.place for one in await world.found("eve")} == {"key store", "event transfer-t-2@0"}


async def test_only_what_took_its_events_in_is_rebuilt(world: World) -> None:
    """Each affected read model has one build afterwards: a new one. Of a subject without events,
    nothing is rebuilt and nothing waits."""
    before = await world.built()
    await world.forget("nobody")
    assert (await world.built(), world.waited) == (before, [])

    await world.forget()

    after = await world.built()
    assert {one.name for one in after} == {one.name for one in before}
    assert not {*before} & {*after}
    assert world.waited == [pytest.approx(65, abs=5)]


@pytest.mark.parametrize("fails", [transfer_summary.name, payee_search.name])
async def test_a_run_that_was_killed_goes_on(world: World, fails: str) -> None:
    """The key is gone at once; a second run rebuilds the rest, and a third changes nothing."""
    texts = (await world.forgetting.known("ann")).texts
    world.fails.add(fails)
    with pytest.raises(StoreUnavailable):
        await world.forget()
    assert {one.place.split()[0] for one in await world.found("ann", *texts)} == {"view"}

    assert await world.forget() == frozenset()
    assert await world.found("ann", *texts) == []

    before = await world.built()
    await world.forget()
    assert await world.built() == before
    recorded = [one.event async for one in world.store.read(FORGOTTEN.stream(forgotten_id("ann")))]
    assert [type(one) for one in recorded] == [SubjectForgotten]


async def test_what_was_written_in_the_clear_is_found(world: World) -> None:
    """An event from before its field was declared personal is a readable trace, by its place."""
    clear = RequestTransfer(source="ann", target="bob", amount=3, note="in the clear")
    plain = memory.EventStore(SAMPLE.catalogue)
    await give(plain, "t-9", clear)
    (event,) = [one async for one in plain.read("transfer-t-9")]
    old = NewEvent(event.id, event.type, event.data, event.metadata)
    await world.raw.append("transfer-t-9", [old], -1)

    await world.forget()

    (trace,) = await world.found()
    assert trace == Trace("event transfer-t-9@0", "shows personal data of the subject")


async def test_what_was_searched_is_told(world: World) -> None:
    """Each place with the number of things in it; without a text, what only texts can find is left
    out, and told as well."""
    searched = [one for one in await world.findings("ann", SECRET) if isinstance(one, Searched)]
    assert [(one.place, one.number) for one in searched] == [
        ("key store", 1),
        ("event store", 3),
        ("payload store", 1),
        ("read models", 7),
    ]

    left = [one for one in await world.findings("ann") if isinstance(one, NotSearched)]
    assert [(one.place, one.left_out) for one in left] == [
        ("payload store", True),
        ("read models", True),
    ]


# only: bus or temporal
async def test_what_others_were_sent_is_searched(world: World) -> None:
    """A record with the text is found, by its place. Where one does not answer, nobody knows, and
    the next one is searched nevertheless."""
    record = json.dumps({"note": SECRET}).encode()  # with an escape in it
    world.others = [
        SentThere(memory.Copies({}, "it is away")),
        SentThere(memory.Copies({"record t/0@7": [b"t-1", record], "record t/0@8": [b"rent"]})),
    ]

    *_, away, trace, searched = await world.findings("ann", SECRET)

    assert away == NotSearched("another system", "it is away")
    assert trace == Trace("another system: record t/0@7", f"holds {SECRET!r}")
    assert searched == Searched("another system", 2, "copies", ())


# end: bus or temporal
async def test_a_restored_key_is_destroyed_again(world: World) -> None:
    """The events say who was forgotten: a key table from before brings nobody back."""
    await world.forget()
    restored = memory.KeyStore()
    await restored.key("ann")
    await restored.key("eve")
    world.protection.keys = restored

    assert await world.forgetting.again("ada") == (["ann"], [])

    assert [*await restored.keys(["ann", "eve"])] == ["eve"]
    assert await world.forgetting.again("ada") == ([], [])


async def test_a_lost_record_is_written_again(world: World) -> None:
    """The key store says who was forgotten: an event store from before gets the record again."""
    await world.protection.keys.destroy("ann")

    assert await world.forgetting.again("ada") == ([], ["ann"])

    page = await memory.EventBrowser(world.raw).events(Wanted(category=FORGOTTEN.name))
    assert len(page.items) == 1
    assert (await world.forgetting.known("ann")).forgotten


async def test_what_is_no_subject_is_refused(world: World) -> None:
    """Nothing is destroyed or recorded for it."""
    with pytest.raises(ValueError, match="is not a data subject"):
        await world.forget("")
    assert [one async for one in world.protection.keys.forgotten()] == []


# ── export ───────────────────────────────────────────────────────────────────────────────────────


async def test_everything_of_one_subject_is_exported(world: World) -> None:
    """Each event that names it, whole, also one from the payload store; of others, nothing."""
    document = await world.exporting.export("ann")

    assert [one["stream"] for one in document["events"]] == ["transfer-t-1", "transfer-t-3"]
    assert [one["data"]["note"] for one in document["events"]] == [SECRET, SECRET * 1_000]
    assert (document["service"], document["subject"]) == ("bank", "ann")
    assert "rent" not in json.dumps(document)


async def test_who_was_forgotten_cannot_be_exported(world: World) -> None:
    """It is refused with the reason, as is a subject of whom there is nothing."""
    with pytest.raises(NothingToExport, match="no event is about 'zoe'"):
        await world.exporting.export("zoe")
    await world.protection.keys.destroy("ann")
    world.protection.keyring.forget("ann")
    with pytest.raises(NothingToExport, match="the key of 'ann' is not there: transfer-t-1@0"):
        await world.exporting.export("ann")

    await world.forget()

    with pytest.raises(NothingToExport, match="'ann' is forgotten"):
        await world.exporting.export("ann")
