"""The contract of ``Views``, on every adapter."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from application.ports import Changed, CheckpointMoved, Removed, Seen
from application.projections.projection import Projection, View
from domain.values import Money
from infrastructure import memory, postgres
from tests.filled import Filled

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Basket(View):
    owner: str | None
    colour: str
    items: int
    worth: Money
    currency: str = "GBP"
    packed_at: datetime = NOON
    notes: tuple[str, ...] = ()


BASKETS = Projection(
    name="baskets",
    version=1,
    view=Basket,
    follows=(),
    keys=lambda _: (),
    evolve=lambda basket, _: basket,
    indexed=("owner", "colour"),
    searched=("notes",),
    ranked="items",
    detail=("notes",),
    summed=("items", "worth"),
)


@pytest.fixture(params=["memory", "postgres (real)"])
async def views(request: pytest.FixtureRequest) -> AsyncIterator[Filled[Basket]]:
    if request.param == "memory":
        yield memory.Views(BASKETS)
        return
    async with in_postgres(request.getfixturevalue("postgres"), BASKETS) as views:
        yield views


@asynccontextmanager
async def in_postgres(
    uri: str, projection: Projection[Basket]
) -> AsyncIterator[postgres.Views[Basket]]:
    async with postgres.pool(uri) as pool:
        await postgres.migrate(pool)
        views = postgres.Views(pool, projection)
        await views.prepare()
        yield views


def basket(
    owner: str | None = "ann", colour: str = "red", items: int = 1, worth: str = "1.50 GBP"
) -> Basket:
    money = Money.parse(worth)
    return Basket(owner=owner, colour=colour, items=items, worth=money, currency=money.currency)


def seen(position: int, **baskets: Basket) -> Changed[Basket]:
    return {key: Seen(view, position) for key, view in baskets.items()}


async def keys(
    views: Filled[Basket], limit: int = 50, after: str | None = None, **equal: str
) -> list[str]:
    return [key for key, _ in await views.find(equal=equal, after=after, limit=limit)]


async def test_nothing_is_known_at_first(views: Filled[Basket]) -> None:
    """A new projection has neither a checkpoint nor views."""
    assert await views.checkpoint() is None
    assert await views.load(["a"]) == {}
    assert await views.find(equal={}) == []
    assert await views.sums(["items"], by="currency") == {}


async def test_what_is_saved_is_loaded(views: Filled[Basket]) -> None:
    """A view is loaded as it was saved, with the position of the event that changed it last."""
    text = "naïve “quotes” \\ back\nslash % ☃ 🛒 ' {}"
    saved = basket(worth="12345678901234567.123456 GBP").model_copy(update={"notes": (text, "")})

    await views.save(seen(7, a=saved, b=basket()), checkpoint=9, expected=None)

    assert await views.load(["a", "nobody"]) == {"a": Seen(saved, 7)}
    assert await views.checkpoint() == 9


async def test_a_view_is_replaced_whole(views: Filled[Basket]) -> None:
    """Saving a view again replaces all of it, with its detail."""
    first = basket(owner="ann").model_copy(update={"notes": ("fragile",)})
    await views.save(seen(1, a=first), checkpoint=1, expected=None)

    await views.save(seen(2, a=basket(owner=None)), checkpoint=2, expected=1)

    assert await views.load(["a"]) == {"a": Seen(basket(owner=None), 2)}


async def test_a_view_can_be_removed(views: Filled[Basket]) -> None:
    """A removed view is not found any more. Removing a missing one is not an error."""
    await views.save(seen(1, a=basket(), b=basket()), checkpoint=1, expected=None)

    await views.save({"a": Removed(2), "nobody": Removed(2)}, checkpoint=2, expected=1)

    assert await keys(views) == ["b"]


async def test_only_the_checkpoint_may_move(views: Filled[Basket]) -> None:
    """A save without views moves the checkpoint alone."""
    await views.save({}, checkpoint=3, expected=None)
    await views.save({}, checkpoint=2**40, expected=3)

    assert await views.checkpoint() == 2**40


@pytest.mark.parametrize("expected", [None, 1, 3])
async def test_nothing_is_written_on_another_checkpoint(
    views: Filled[Basket], expected: int | None
) -> None:
    """A save that expects another checkpoint writes nothing."""
    await views.save(seen(2, a=basket()), checkpoint=2, expected=None)

    with pytest.raises(CheckpointMoved):
        await views.save({"a": Removed(4), **seen(4, b=basket())}, checkpoint=4, expected=expected)

    assert await views.checkpoint() == 2
    assert await keys(views) == ["a"]


@pytest.mark.parametrize("start", [None, 1])
async def test_of_two_runners_that_advance_at_once_one_wins(
    views: Filled[Basket], start: int | None
) -> None:
    """Two runners never both move the checkpoint from the same position."""
    if start is not None:
        await views.save({}, checkpoint=start, expected=None)

    saves = (
        views.save(seen(n, **{f"by{n}": basket()}), checkpoint=n, expected=start)
        for n in range(2, 8)
    )
    outcomes = await asyncio.gather(*saves, return_exceptions=True)

    assert Counter(map(type, outcomes)) == {type(None): 1, CheckpointMoved: 5}
    assert await keys(views) == [f"by{await views.checkpoint()}"]


async def test_found_by_indexed_fields_in_order_of_keys(views: Filled[Basket]) -> None:
    """All given fields have to be equal. Keys are ordered by code point."""
    await views.save(
        seen(
            1,
            b=basket("ann", "red"),
            B=basket("ann", "red"),
            a=basket("ann", "blue"),
            é=basket("ann", "red"),
            z=basket(None, "red"),
            a10=basket("bob", "red"),
            a9=basket("ann", "red"),
        ),
        checkpoint=1,
        expected=None,
    )

    assert await keys(views) == ["B", "a", "a10", "a9", "b", "z", "é"]
    assert await keys(views, owner="ann", colour="red") == ["B", "a9", "b", "é"]
    assert await keys(views, owner="None") == []
    assert await keys(views, owner="' OR 1=1 --") == []


async def test_pages_follow_one_another(views: Filled[Basket]) -> None:
    """``after`` continues behind a key, even if that key is gone."""
    baskets = {f"k{n}": basket(colour="red" if n % 2 else "blue") for n in range(9)}
    await views.save(seen(1, **baskets), checkpoint=1, expected=None)

    assert await keys(views, limit=2, colour="red") == ["k1", "k3"]
    assert await keys(views, limit=2, after="k3", colour="red") == ["k5", "k7"]
    assert await keys(views, limit=2, after="k4x") == ["k5", "k6"]
    assert await keys(views, after="k8") == []


async def test_found_in_the_order_of_a_field(views: Filled[Basket]) -> None:
    """``by`` orders and limits by a field, then by key. Views without the field are left out."""
    await views.save(
        seen(
            1,
            a=basket("b"),
            b=basket("B"),
            c=basket(None),
            d=basket("a"),
            e=basket("a", "blue"),
            f=basket("é"),
        ),
        checkpoint=1,
        expected=None,
    )

    async def found(after: str | None = None, until: str | None = None, **equal: str) -> list[str]:
        page = await views.find(equal=equal, by="owner", after=after, until=until, limit=4)
        return [key for key, _ in page]

    assert await found() == ["b", "d", "e", "a"]
    assert await found(after="d") == ["e", "a", "f"]
    assert await found(until="a") == ["b", "d", "e"]
    assert await found(colour="red", after="b") == ["d", "a", "f"]
    assert await found(after="nobody") == []
    with pytest.raises(ValueError, match="not found by items"):
        await views.find(equal={}, by="items")


async def test_counted_as_they_are_found(views: Filled[Basket]) -> None:
    """A count is the number of views that match, regardless of the page."""
    baskets = {f"k{n:02}": basket("ab"[n % 2], "red") for n in range(60)}
    await views.save(seen(1, **baskets, z=basket(None)), checkpoint=1, expected=None)

    assert await views.count(equal={}) == 61
    assert await views.count(equal={"owner": "a", "colour": "red"}) == 30
    assert await views.count(equal={}, by="owner") == 60
    assert await views.count(equal={}, by="owner", until="a") == 30
    assert await views.count(equal={"colour": "blue"}) == 0


async def test_a_search_ignores_case_and_accents(views: Filled[Basket]) -> None:
    """A word with an accent is found without it, and the other way round."""
    noted = {
        "a": "Móveis de jardim",
        "b": "MOVEIS",
        "c": "Smørrebrød, Straße",
        "d": "mo\u0301veis",
        "e": "Ελλάδα हिन्दी",
    }
    baskets = {key: basket().model_copy(update={"notes": (note,)}) for key, note in noted.items()}
    await views.save(seen(1, **baskets), checkpoint=1, expected=None)

    async def found(words: str) -> str:
        return "".join(key for key, _ in await views.search(words))

    assert await found("moveis") == await found("MÓVEIS") == await found("mo\u0301v") == "abd"
    assert await found("jardím móveis") == "a"
    assert await found("smorrebrod strasse") == await found("Smørrebrød STRASSE") == "c"
    assert await found("ελλαδα हिन्दी") == "e"
    assert await found("mövels") == ""


async def test_lists_leave_detail_out(views: Filled[Basket]) -> None:
    """A list has detail fields at their default. Loading a view returns them."""
    whole = basket().model_copy(update={"notes": ("fragile", "heavy")})
    await views.save(seen(1, a=whole), checkpoint=1, expected=None)

    assert await views.find(equal={}) == [("a", Seen(basket(), 1))]
    assert (await views.load(["a"]))["a"].view == whole


async def test_only_indexed_fields_can_be_asked_for(views: Filled[Basket]) -> None:
    """A query by another field raises an error that lists the fields that can be used."""
    with pytest.raises(ValueError, match="not found by items, but by owner, colour"):
        await views.find(equal={"items": "1"})


async def test_sums_are_exact(views: Filled[Basket]) -> None:
    """Numbers and money are added without rounding, for each value of a field."""
    await views.save(
        seen(
            1,
            a=basket(worth="0.1 GBP", items=2),
            b=basket(worth="0.2 GBP", items=3),
            c=basket(worth="99999999999999999.000001 GBP", items=10**9),
            d=basket(worth="5 EUR", items=0),
        ),
        checkpoint=1,
        expected=None,
    )

    sums = await views.sums(["worth", "items"], by="currency")

    assert {currency: (of.views, dict(of.fields)) for currency, of in sums.items()} == {
        "GBP": (3, {"worth": Decimal("99999999999999999.300001"), "items": 10**9 + 5}),
        "EUR": (1, {"worth": Decimal(5), "items": 0}),
    }
    with pytest.raises(ValueError, match="baskets does not add up weight, but items, worth"):
        await views.sums(["weight"], by="currency")


async def test_clearing_forgets_everything(views: Filled[Basket]) -> None:
    """After clearing, the projection starts from the beginning."""
    await views.save(seen(5, a=basket()), checkpoint=5, expected=None)

    await views.clear()

    assert await views.checkpoint() is None
    assert await keys(views) == []
    await views.save(seen(5, a=basket()), checkpoint=5, expected=None)


async def test_a_cancelled_save_is_whole_or_nothing(views: Filled[Basket]) -> None:
    """At whatever point a save is cancelled, views and checkpoint agree."""
    for turns in range(40):
        before = await views.checkpoint()
        task = asyncio.create_task(
            views.save(seen(turns, a=basket(items=turns)), checkpoint=turns, expected=before)
        )
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

        there = (await views.load(["a"])).get("a")
        assert await views.checkpoint() == (there.position if there else None)
