"""The contract of ``WritableViews``, on every adapter, with either promise."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from application.ports import CheckpointMoved, Promise, Removed, Seen
from tests.contracts.baskets import EVERYWHERE, Item, Kept, basket, kept_in, seen
from tests.contracts.dynamodb import DYNAMODB  # only: dynamodb_views


@pytest.fixture(
    params=[
        *EVERYWHERE,
        DYNAMODB,  # only: dynamodb_views
    ]
)
async def written(request: pytest.FixtureRequest) -> AsyncIterator[Kept]:
    async with kept_in(request) as kept:
        yield kept


async def test_nothing_is_known_at_first(written: Kept) -> None:
    """A new build has no checkpoint, no views and no parts."""
    assert await written.writes.checkpoint() is None
    assert await written.writes.load(["a"]) == {}
    assert await written.writes.load_parts(["a"]) == {}
    assert await written.reads.checkpoint() is None


async def test_what_is_saved_is_loaded(written: Kept) -> None:
    """Views and parts are loaded as they were saved, with the position of their last event."""
    text = "naïve “quotes” \\ back\nslash % ☃ 🛒 ' {}"
    saved = basket(worth="12345678901234567.123456 GBP", notes=(text, ""))
    parts = {"p": Seen(Item(label=text), 6)}

    await written.writes.save(
        seen(7, a=saved, b=basket()), parts=parts, checkpoint=9, expected=None
    )

    assert await written.writes.load(["a", "nobody"]) == {"a": Seen(saved, 7)}
    assert await written.writes.load_parts(["p", "nobody"]) == parts
    assert await written.writes.checkpoint() == 9


async def test_what_is_saved_is_shown(written: Kept) -> None:
    """Once a save has ended, queries see it, and the checkpoint as well."""
    await written.writes.save(seen(7, a=basket()), checkpoint=9, expected=None)

    assert await written.reads.load(["a", "nobody"]) == seen(7, a=basket())
    assert await written.reads.checkpoint() == 9


async def test_a_view_is_replaced_whole(written: Kept) -> None:
    """Saving a view again replaces all of it, with its detail."""
    first = basket(owner="ann", notes=("fragile",))
    await written.writes.save(seen(1, a=first), checkpoint=1, expected=None)

    await written.writes.save(seen(2, a=basket(owner=None)), checkpoint=2, expected=1)

    assert await written.writes.load(["a"]) == {"a": Seen(basket(owner=None), 2)}


async def test_a_view_keeps_the_detail_that_did_not_change(written: Kept) -> None:
    """With the view before, a store may leave out what is the same in both; nothing is lost."""
    first = basket(owner="ann", items=1, notes=("fragile",))
    await written.writes.save(seen(1, a=first), checkpoint=1, expected=None)

    same = first.model_copy(update={"items": 2})
    await written.writes.save({"a": Seen(same, 2, first)}, checkpoint=2, expected=1)
    assert await written.writes.load(["a"]) == {"a": Seen(same, 2)}

    other = same.model_copy(update={"notes": ("sold",)})
    await written.writes.save({"a": Seen(other, 3, same)}, checkpoint=3, expected=2)
    assert await written.writes.load(["a"]) == {"a": Seen(other, 3)}


async def test_views_and_parts_can_be_removed(written: Kept) -> None:
    """What was removed is not found any more. Removing what is missing is not an error."""
    part = {"p": Seen(Item(label="x"), 1)}
    await written.writes.save(
        seen(1, a=basket(), b=basket()), parts=part, checkpoint=1, expected=None
    )

    gone = {"a": Removed(2), "nobody": Removed(2)}
    await written.writes.save(gone, parts={"p": Removed(2)}, checkpoint=2, expected=1)

    assert await written.reads.load(["a", "b", "nobody"]) == seen(1, b=basket())
    assert (await written.writes.load(["a"])).get("a") in (None, Removed(2))
    assert (await written.writes.load_parts(["p"])).get("p") in (None, Removed(2))
    await written.writes.save(seen(3, a=basket()), checkpoint=3, expected=2)
    assert await written.reads.load(["a"]) == seen(3, a=basket())


async def test_only_the_checkpoint_may_move(written: Kept) -> None:
    """A save without views moves the checkpoint alone."""
    await written.writes.save({}, checkpoint=3, expected=None)
    await written.writes.save({}, checkpoint=2**40, expected=3)

    assert await written.writes.checkpoint() == 2**40


@pytest.mark.parametrize("expected", [None, 1, 3])
async def test_another_checkpoint_is_an_error(written: Kept, expected: int | None) -> None:
    """A save that expects another checkpoint does not move it, and replaces nothing newer.

    Where all is written together, it writes nothing at all.
    """
    await written.writes.save(seen(6, a=basket(items=6)), checkpoint=6, expected=None)

    with pytest.raises(CheckpointMoved):
        await written.writes.save(
            {**seen(4, a=basket(items=4)), **seen(4, b=basket())}, checkpoint=4, expected=expected
        )

    assert await written.writes.checkpoint() == 6
    assert await written.writes.load(["a"]) == seen(6, a=basket(items=6))
    if written.writes.promise is Promise.TOGETHER:
        assert await written.writes.load(["b"]) == {}


@pytest.mark.parametrize("start", [None, 1])
async def test_of_two_runners_that_advance_at_once_one_wins(
    written: Kept, start: int | None
) -> None:
    """Two runners never both move the checkpoint from the same position."""
    if start is not None:
        await written.writes.save({}, checkpoint=start, expected=None)

    saves = (
        written.writes.save(seen(n, **{f"by{n}": basket()}), checkpoint=n, expected=start)
        for n in range(2, 8)
    )
    outcomes = await asyncio.gather(*saves, return_exceptions=True)

    assert Counter(map(type, outcomes)) == {type(None): 1, CheckpointMoved: 5}
    winner = f"by{await written.writes.checkpoint()}"
    assert winner in await written.writes.load([winner])


async def test_clearing_forgets_everything(written: Kept) -> None:
    """After clearing, the build starts from the beginning; also what had been removed."""
    part = {"p": Seen(Item(label="x"), 5)}
    gone = {"b": Removed(5)}
    await written.writes.save(
        {**seen(5, a=basket()), **gone}, parts=part, checkpoint=5, expected=None
    )

    await written.writes.clear()

    assert await written.writes.checkpoint() is None
    assert await written.writes.load(["a", "b"]) == {}
    assert await written.writes.load_parts(["p"]) == {}
    await written.writes.save(seen(1, b=basket()), checkpoint=1, expected=None)
    assert await written.reads.load(["b"]) == seen(1, b=basket())


async def test_a_cancelled_save_keeps_the_promise(written: Kept) -> None:
    """At whatever point a save is cancelled, the checkpoint is never beyond the views.

    Where all is written together, both have moved or neither has.
    """
    for turns in range(40):
        before = await written.writes.checkpoint()
        task = asyncio.create_task(
            written.writes.save(
                seen(turns, a=basket(items=turns)), checkpoint=turns, expected=before
            )
        )
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

        there = (await written.writes.load(["a"])).get("a")
        checkpoint, position = await written.writes.checkpoint(), there.position if there else None
        if written.writes.promise is Promise.TOGETHER:
            assert checkpoint == position
        elif checkpoint is not None:
            assert position is not None
            assert position >= checkpoint
