"""The contract of ``Searching``, on every adapter."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from application.ports import Searching, Seen
from tests.contracts.baskets import EVERYWHERE, Basket, Kept, basket, kept_in


@pytest.fixture(params=EVERYWHERE)
async def searching(request: pytest.FixtureRequest) -> AsyncIterator[Kept]:
    async with kept_in(request) as kept:
        yield kept


async def noted(kept: Kept, **notes: str) -> Searching[Basket]:
    """Baskets with these notes, the more items the later they are named."""
    baskets = {
        key: Seen(basket(items=place, notes=(note,)), 1)
        for place, (key, note) in enumerate(notes.items())
    }
    await kept.writes.save(baskets, checkpoint=1, expected=None)
    return kept.reads


async def found(views: Searching[Basket], words: str) -> str:
    """The keys, in one word."""
    return "".join(key for key, _ in await views.search(words))


async def test_case_and_accents_do_not_matter(searching: Kept) -> None:
    """A word with an accent is found without it, and the other way round."""
    views = await noted(
        searching,
        e="Ελλάδα हिन्दी",
        d="mo\u0301veis",
        c="Smørrebrød, Straße",
        b="MOVEIS",
        a="Móveis de jardim",
    )

    assert await found(views, "moveis") == await found(views, "MÓVEIS") == "abd"
    assert await found(views, "mo\u0301v") == "abd"
    assert await found(views, "jardím móveis") == "a"
    assert await found(views, "smorrebrod strasse") == await found(views, "Smørrebrød STRASSE")
    assert await found(views, "smorrebrod") == "c"
    assert await found(views, "ελλαδα हिन्दी") == "e"
    assert await found(views, "mövels") == ""


async def test_every_word_has_to_begin_one(searching: Kept) -> None:
    """All words of a search, in any order, each the beginning of a word; no word finds all."""
    views = await noted(searching, c="red heart", b="white heart, hanging", a="hearts (white)")

    assert await found(views, "heart") == "abc"
    assert await found(views, "whi hea") == await found(views, "hea-whi") == "ab"
    assert await found(views, "art") == ""
    assert await found(views, "") == await found(views, " -- ") == "abc"
    assert await found(views, "' OR 1=1 --") == ""


async def test_the_highest_rank_comes_first(searching: Kept) -> None:
    """By the ranked number, the largest first, then by key; a page goes on behind rank and key."""
    ranks = {"a": 1, "b": 30, "c": 4, "d": 30, "e": 4, "f": 0}
    baskets = {key: Seen(basket(items=rank, notes=("x",)), 1) for key, rank in ranks.items()}
    await searching.writes.save(baskets, checkpoint=1, expected=None)

    async def page(after: tuple[Decimal, str] | None) -> list[str]:
        return [key for key, _ in await searching.reads.search("x", after=after, limit=3)]

    assert await page(None) == ["b", "d", "c"]
    assert await page((Decimal(4), "c")) == ["e", "a", "f"]
    assert await page((Decimal(0), "f")) == []


async def test_what_is_found_has_no_detail(searching: Kept) -> None:
    """A search shows detail fields at their default. Loading a view returns them."""
    whole = Seen(basket(notes=("fragile", "heavy")), 1)
    await searching.writes.save({"a": whole}, checkpoint=1, expected=None)

    assert await searching.reads.search("fragile") == [("a", Seen(basket(), 1))]
    assert await searching.reads.load(["a"]) == {"a": whole}


async def test_a_view_is_found_by_detail_that_did_not_change(searching: Kept) -> None:
    """A store may leave out what is the same in the view before. Its words still find it."""
    first = basket(notes=("fragile",))
    await searching.writes.save({"a": Seen(first, 1)}, checkpoint=1, expected=None)

    same = first.model_copy(update={"items": 2})
    await searching.writes.save({"a": Seen(same, 2, first)}, checkpoint=2, expected=1)

    assert await found(searching.reads, "fragile") == "a"
