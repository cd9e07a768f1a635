"""The contract of ``Views``: of ``Lookup``, ``Finding`` and ``Summing``, on every adapter."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from application.ports import Seen
from tests.contracts.baskets import Kept, basket, kept_in, seen
from tests.contracts.dynamodb import DYNAMODB  # only: dynamodb_views


@pytest.fixture(
    params=[
        "memory",
        "postgres (real)",  # only: postgres
        DYNAMODB,  # only: dynamodb_views
    ]
)
async def views(request: pytest.FixtureRequest) -> AsyncIterator[Kept]:
    async with kept_in(request) as kept:
        yield kept


async def keys(views: Kept, limit: int = 50, after: str | None = None, **equal: str) -> list[str]:
    found = await views.reads.find(equal=equal, after=after, limit=limit)
    return [key for key, _ in found]


async def test_nothing_is_known_at_first(views: Kept) -> None:
    """A new projection has neither a checkpoint nor views."""
    assert await views.reads.checkpoint() is None
    assert await views.reads.load(["a"]) == {}
    assert await views.reads.find(equal={}) == []
    assert await views.reads.sums(["items"], by="currency") == {}


async def test_found_by_indexed_fields_in_order_of_keys(views: Kept) -> None:
    """All given fields have to be equal. Keys are ordered by code point."""
    await views.writes.save(
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


async def test_pages_follow_one_another(views: Kept) -> None:
    """``after`` continues behind a key, even if that key is gone."""
    baskets = {f"k{n}": basket(colour="red" if n % 2 else "blue") for n in range(9)}
    await views.writes.save(seen(1, **baskets), checkpoint=1, expected=None)

    assert await keys(views, limit=2, colour="red") == ["k1", "k3"]
    assert await keys(views, limit=2, after="k3", colour="red") == ["k5", "k7"]
    assert await keys(views, limit=2, after="k4x") == ["k5", "k6"]
    assert await keys(views, after="k8") == []


async def test_found_in_the_order_of_a_field(views: Kept) -> None:
    """``by`` orders and limits by a field, then by key. Views without the field are left out."""
    await views.writes.save(
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
        page = await views.reads.find(equal=equal, by="owner", after=after, until=until, limit=4)
        return [key for key, _ in page]

    assert await found() == ["b", "d", "e", "a"]
    assert await found(after="d") == ["e", "a", "f"]
    assert await found(until="a") == ["b", "d", "e"]
    assert await found(colour="red", after="b") == ["d", "a", "f"]
    assert await found(after="nobody") == []
    with pytest.raises(ValueError, match="not found by items"):
        await views.reads.find(equal={}, by="items")


async def test_found_in_descending_order(views: Kept) -> None:
    """``descending`` turns the order round, of keys and of fields; ``after`` follows it."""
    baskets = {f"k{n}": basket("abc"[n % 3], "red" if n % 2 else "blue") for n in range(8)}
    await views.writes.save(seen(1, **baskets, k8=basket(None)), checkpoint=1, expected=None)

    async def found(**asked: Any) -> list[str]:
        page = await views.reads.find(**{"equal": {}, "descending": True, "limit": 4, **asked})
        return [key for key, _ in page]

    assert await found() == ["k8", "k7", "k6", "k5"]
    assert await found(after="k5") == ["k4", "k3", "k2", "k1"]
    assert await found(equal={"colour": "red"}, after="k7") == ["k5", "k3", "k1"]
    assert await found(by="owner") == ["k5", "k2", "k7", "k4"]
    assert await found(by="owner", after="k4") == ["k1", "k6", "k3", "k0"]
    assert await found(by="owner", equal={"colour": "blue"}, after="k2") == ["k4", "k6", "k0"]


async def test_pages_are_stable_while_views_are_added(views: Kept) -> None:
    """A view that is added before the place of ``after`` is on no later page, and shifts none."""
    known = {f"k{n}": basket("abcdefgh"[n]) for n in range(1, 7)}
    await views.writes.save(seen(1, **known), checkpoint=1, expected=None)
    first = await views.reads.find(equal={}, by="owner", descending=True, limit=2)
    added = {"new": basket("z"), "k3": basket("ann"), "old": basket("a")}
    await views.writes.save(seen(2, **added), checkpoint=2, expected=1)
    after = first[-1][0]
    rest = await views.reads.find(equal={}, by="owner", descending=True, after=after)

    assert [key for key, _ in first] == ["k6", "k5"]
    assert [key for key, _ in rest] == ["k4", "k2", "k1", "k3", "old"]


@pytest.mark.parametrize("descending", [False, True])
async def test_found_between_two_ends(views: Kept, descending: bool) -> None:
    """``since`` and ``until`` are both included; they are texts of the field, or keys."""
    baskets = {f"k{n}": basket("abcdef"[n], "red" if n % 2 else "blue") for n in range(6)}
    none = basket(None, "blue")
    await views.writes.save(seen(1, **baskets, k9=none), checkpoint=1, expected=None)

    async def found(limit: int = 50, after: str | None = None, **asked: Any) -> list[str]:
        asked = {"equal": {}, **asked}
        page = await views.reads.find(after=after, descending=descending, limit=limit, **asked)
        if after is None:
            assert await views.reads.count(**asked) == len(page)
        return sorted(key for key, _ in page)

    assert await found(since="k2", until="k4") == ["k2", "k3", "k4"]
    assert await found(since="k2", equal={"colour": "red"}) == ["k3", "k5"]
    assert await found(by="owner", since="c") == ["k2", "k3", "k4", "k5"]
    assert await found(by="owner", since="b", until="d") == ["k1", "k2", "k3"]
    assert await found(by="owner", since="b", until="bz", equal={"colour": "red"}) == ["k1"]
    assert await found(since="k4", until="k2") == []
    assert await found(by="owner", since="x", until="b") == []
    behind = ["k1", "k2"] if descending else ["k4"]
    assert await found(by="owner", since="b", until="e", after="k3") == behind
    assert await found(since="k4", after="k1" if descending else "k9") == []


async def test_counted_as_they_are_found(views: Kept) -> None:
    """A count is the number of views that match, regardless of the page."""
    baskets = {f"k{n:02}": basket("ab"[n % 2], "red") for n in range(60)}
    await views.writes.save(seen(1, **baskets, z=basket(None)), checkpoint=1, expected=None)

    assert await views.reads.count(equal={}) == 61
    assert await views.reads.count(equal={"owner": "a", "colour": "red"}) == 30
    assert await views.reads.count(equal={}, by="owner") == 60
    assert await views.reads.count(equal={}, by="owner", until="a") == 30
    assert await views.reads.count(equal={"colour": "blue"}) == 0


async def test_lists_leave_detail_out(views: Kept) -> None:
    """A list has detail fields at their default. Loading a view returns them."""
    whole = basket().model_copy(update={"notes": ("fragile", "heavy")})
    await views.writes.save(seen(1, a=whole), checkpoint=1, expected=None)

    assert await views.reads.find(equal={}) == [("a", Seen(basket(), 1))]
    assert (await views.reads.load(["a"]))["a"].view == whole


async def test_only_indexed_fields_can_be_asked_for(views: Kept) -> None:
    """A query by another field raises an error that lists the fields that can be used."""
    with pytest.raises(ValueError, match="not found by items, but by owner, colour"):
        await views.reads.find(equal={"items": "1"})


async def test_sums_are_exact(views: Kept) -> None:
    """Numbers and money are added without rounding, for each value of a field."""
    await views.writes.save(
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

    sums = await views.reads.sums(["worth", "items"], by="currency")

    assert {currency: (of.views, dict(of.fields)) for currency, of in sums.items()} == {
        "GBP": (3, {"worth": Decimal("99999999999999999.300001"), "items": 10**9 + 5}),
        "EUR": (1, {"worth": Decimal(5), "items": 0}),
    }
    with pytest.raises(ValueError, match="baskets does not add up weight, but items, worth"):
        await views.reads.sums(["weight"], by="currency")


async def test_sums_can_be_of_the_views_that_fields_and_keys_find(views: Kept) -> None:
    """Equal fields, beyond a key, up to and with a key: as a page is found, without its limit."""
    await views.writes.save(
        seen(
            1,
            a=basket("ann", "red", items=1),
            b=basket("ann", "blue", items=2),
            c=basket("bob", "red", items=4),
            d=basket("ann", "red", items=8),
            e=basket(None, "red", items=16),
        ),
        checkpoint=1,
        expected=None,
    )

    async def items(**limits: Any) -> Any:
        sums = await views.reads.sums(["items"], by="currency", **limits)
        return sum(of.fields["items"] for of in sums.values())

    assert await items() == 31
    assert await items(equal={"owner": "ann"}) == 11
    assert await items(equal={"owner": "ann", "colour": "red"}) == 9
    assert await items(after="b", until="d") == 12
    assert await items(equal={"colour": "red"}, after="a") == 28
    assert await items(equal={"colour": "green"}) == 0
    with pytest.raises(ValueError, match="baskets is not found by items"):
        await views.reads.sums(["items"], by="currency", equal={"items": "1"})
