"""Views in DynamoDB where indexes lag, answers are lost, and pages are cut."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from application.ports import Removed, Seen, StoreUnavailable
from application.projections.abilities import NotOffered
from infrastructure.dynamodb import Builds, Database, GuardedViews, ReadModels, StoreClock
from infrastructure.dynamodb.client import connect
from infrastructure.dynamodb.read_models.documents import Documents
from infrastructure.dynamodb.read_models.finding import Finding, Within
from infrastructure.dynamodb.tables import READ_TABLES
from tests.contracts.baskets import FOUND, Basket, basket, seen
from tests.dynamodb.faults import (
    Answer,
    Call,
    Faults,
    Send,
    answer_lost,
    request_lost,
    short_page,
    stale,
    throttled,
)
from tests.dynamodb.opened import database
from tests.waiting import until

DOCUMENTS = Documents(FOUND.name, FOUND.view, FOUND)
KEYED: dict[str, Any] = {"keys": lambda _: (), "evolve": lambda basket, _: basket}


@pytest.fixture
async def faults() -> Faults:
    return Faults()


@pytest.fixture
async def opened(dynamodb: str, faults: Faults) -> AsyncIterator[Database]:
    """The client repeats a call once, as in the service."""
    async with (
        database(dynamodb, tables=READ_TABLES) as plain,
        connect(endpoint=dynamodb, prefix=plain.prefix, http=faults.session, attempts=2) as opened,
    ):
        yield opened


@pytest.fixture
def views(opened: Database) -> GuardedViews[Basket]:
    return GuardedViews(opened, DOCUMENTS, patience=1.0)


@pytest.fixture
def finding(opened: Database) -> Finding[Basket]:
    return Finding(opened, DOCUMENTS, FOUND)


async def keys(finding: Finding[Basket], limit: int = 50, **equal: str) -> list[str]:
    return [key for key, _ in await finding.find(Within(equal), limit=limit)]


async def test_a_write_ends_when_the_indexes_show_it(
    faults: Faults, views: GuardedViews[Basket], finding: Finding[Basket]
) -> None:
    """Queries find it then. One that is never shown is an error, and may be written again."""
    hides = True
    faults.only(stale(lambda *_: hides))
    writing = asyncio.create_task(views.write(seen(1, a=basket("ann"))))
    await until(lambda: sum(call.operation == "Query" for call in faults.calls) > 4)
    assert not writing.done()

    with pytest.raises(StoreUnavailable, match="does not show a within 1 s"):
        await writing

    hides = False
    await views.write(seen(1, a=basket("ann")))
    assert await keys(finding, owner="ann") == ["a"]


async def test_a_write_that_was_cut_off_is_waited_for(
    faults: Faults, views: GuardedViews[Basket]
) -> None:
    """The view is there, but not yet in its indexes: writing it again does not end before."""
    faults.only(stale(lambda *_: True))
    with pytest.raises(StoreUnavailable):
        await views.write(seen(1, a=basket("ann")))

    with pytest.raises(StoreUnavailable, match="does not show"):
        await views.write(seen(1, a=basket("ann")))


async def test_a_stale_entry_is_not_shown(
    faults: Faults, views: GuardedViews[Basket], finding: Finding[Basket]
) -> None:
    """An index that still has what has changed leads to no view that is not what was asked for."""
    old = [
        DOCUMENTS.item(key, one) for key, one in seen(1, a=basket("ann"), b=basket("ann")).items()
    ]
    await views.write({"a": Seen(basket("bob"), 2), "b": Removed(2)})

    async def late(call: Call, send: Send) -> Answer:
        answer = await send(call.asked)
        if "IndexName" not in call.asked:
            return answer
        slot, place = call.asked["IndexName"], call.asked["ExpressionAttributeValues"][":place"]
        hints: list[Any] = [
            {name: item[name] for name in ("place", "which", slot)}
            for item in old
            if item["place"] == place
        ]
        return Answer(answer.status, {**answer.document, "Items": hints, "Count": len(hints)})

    faults.only(late, "Query")

    assert await keys(finding, owner="ann") == []
    assert await finding.count(Within({"owner": "ann"})) == 0


async def test_another_write_ends_the_waiting(
    faults: Faults, views: GuardedViews[Basket], finding: Finding[Basket]
) -> None:
    """What another process has replaced meanwhile need not be shown."""
    first = DOCUMENTS.item("a", Seen(basket("ann"), 1))

    def is_first(_: str, item: Mapping[str, Any]) -> bool:
        return any(item.get(slot) == first[slot] for slot in DOCUMENTS.slots.values())

    async def hidden(call: Call, send: Send) -> Answer:
        answer = await send(call.asked)
        hides = call.asked["ExpressionAttributeValues"].get(":value") == first["by0"]
        return Answer(answer.status, {"Items": [], "Count": 0}) if hides else answer

    faults.only(hidden, "Query")
    writing = asyncio.create_task(views.write(seen(1, a=basket("ann"))))
    await until(lambda: any(call.operation == "Query" for call in faults.calls))
    await views.write(seen(2, a=basket("bob")))

    await writing
    faults.only(stale(is_first))
    assert await keys(finding, owner="bob") == ["a"]


@pytest.mark.parametrize("fault", [answer_lost, request_lost])
async def test_a_write_that_is_repeated_by_the_client_is_whole(
    faults: Faults, views: GuardedViews[Basket], fault: Any
) -> None:
    """Its own first attempt may have been carried out: that is as good."""
    faults.only(fault, "PutItem", times=1)

    await views.write(seen(1, a=basket()))

    assert await views.load(["a"]) == seen(1, a=basket())


async def test_nothing_is_left_out_over_cut_pages(
    faults: Faults, views: GuardedViews[Basket], finding: Finding[Basket]
) -> None:
    """Pages of one item, and keys that are not processed: every view is found, summed, removed."""
    baskets = {f"k{number:02}": basket("ab"[number % 2], items=1) for number in range(24)}
    await views.write(seen(1, **baskets))
    faults.only(short_page)

    assert await views.load(list(baskets)) == seen(1, **baskets)
    assert await keys(finding, limit=7) == list(baskets)[:7]
    assert await keys(finding, owner="a") == list(baskets)[::2]
    assert (await finding.sums(["items"], by="owner"))["b"].views == 12
    await views.clear()
    assert await views.load(list(baskets)) == {}


async def test_throttling_that_lasts_is_unavailable(
    faults: Faults, views: GuardedViews[Basket], finding: Finding[Basket]
) -> None:
    """For writes and for queries."""
    faults.only(throttled)
    for attempt in (views.write(seen(1, a=basket())), views.load(["a"]), finding.find(Within({}))):
        with pytest.raises(StoreUnavailable):
            await attempt


async def test_what_does_not_fit_is_refused(views: GuardedViews[Basket]) -> None:
    """A view above 400 KB, by its size, and a key above 500 bytes. Nothing is written."""
    large = {**seen(1, a=basket()), "big": Seen(basket(notes=tuple(_noise())), 1)}
    with pytest.raises(ValueError, match=r"big is an item of \d{3},\d{3} bytes: DynamoDB takes"):
        await views.write(large)
    with pytest.raises(ValueError, match="at most 500 bytes: kkk"):
        await views.write({"k" * 501: Removed(1)})

    assert await views.load(["a", "big"]) == {}


def _noise() -> list[str]:
    """Text that does not get smaller."""
    return [f"{hash((number, 'x')):x}" for number in range(60_000)]


async def test_a_large_view_is_packed(views: GuardedViews[Basket]) -> None:
    """Text that repeats itself takes little room, and is read as it was."""
    whole = basket(notes=("the same words " * 100_000,))

    await views.write(seen(1, a=whole))

    assert await views.load(["a"]) == seen(1, a=whole)


async def test_a_long_field_is_found(views: GuardedViews[Basket], finding: Finding[Basket]) -> None:
    """An index has the first 500 bytes of a field. The view itself says whether all is equal."""
    long, other = "é" * 600, "é" * 599 + "x"
    await views.write(seen(1, a=basket(long), b=basket(other), c=basket(long)))

    assert await keys(finding, owner=long) == ["a", "c"]
    assert await keys(finding, owner=other) == ["b"]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"indexed": ("owner",) * 11}, "it has 11 indexed fields, and there are at most 10"),
        ({"parts": None, "shards": 97, **KEYED}, "it has 97 shards, and there are at most 96"),
        ({"searched": ("notes",), "ranked": "items"}, "which cannot search views by words"),
    ],
)
async def test_a_read_model_that_does_not_fit_is_refused(
    opened: Database, changed: dict[str, Any], sentence: str
) -> None:
    """When the service is wired, with what there is and what there may be."""
    builds = Builds(opened, StoreClock.of(opened))
    with pytest.raises(NotOffered, match=f"baskets cannot be kept in DynamoDB.* {sentence}"):
        ReadModels(opened, [replace(FOUND, **changed)], builds)
