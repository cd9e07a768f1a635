"""What a read model needs and its store does not offer is refused when the service is wired."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from application.projections.abilities import Ability, NotOffered, needs, require_offered
from application.projections.projection import Projection, View
from infrastructure import memory


class Box(View):
    label: str
    weight: int


def evolve(box: Box | None, _: object) -> Box | None:
    return box


LEAST = Projection(
    name="boxes", version=1, view=Box, follows=(), keys=lambda _: (), evolve=evolve, listed=False
)
DECLARED: list[tuple[Ability, Projection[Any]]] = [
    (Ability.FIND, replace(LEAST, listed=True)),
    (Ability.FIND, replace(LEAST, indexed=("label",))),
    (Ability.SEARCH, replace(LEAST, searched=("label",), ranked="weight")),
    (Ability.SUM, replace(LEAST, summed=("weight",))),
    (Ability.JOIN_APPEND, replace(LEAST, consistency="inline")),
]


def test_every_store_can_look_up() -> None:
    """A projection that declares nothing needs no ability at all."""
    assert needs(LEAST) == []
    require_offered([LEAST], (), "a cupboard")


@pytest.mark.parametrize(("ability", "projection"), DECLARED)
def test_a_need_follows_from_a_declaration(ability: Ability, projection: Projection[Any]) -> None:
    """Each declaration needs one ability, and is refused only where that one is missing."""
    assert needs(projection) == [ability]

    require_offered([LEAST, projection], (ability,), "a cupboard")
    with pytest.raises(NotOffered, match=f"boxes cannot be kept in a cupboard, .*{ability}"):
        require_offered([LEAST, projection], set(Ability) - {ability}, "a cupboard")


def test_the_refusal_says_what_to_do() -> None:
    """It names the read model, the store, what is lacking, and the declaration that needs it."""
    with pytest.raises(NotOffered) as refused:
        require_offered([replace(LEAST, summed=("weight",))], (), "a cupboard")

    assert str(refused.value) == (
        "boxes cannot be kept in a cupboard, which cannot sum fields of all views: keep it in "
        "a store that can, or declare it without `summed`"
    )


@pytest.mark.parametrize(
    "store",
    [
        memory.ReadModels,
        memory.IndexedReadModels,  # only: search
    ],
)
def test_a_store_takes_what_it_offers(store: Callable[..., Any]) -> None:
    """What a store says that it offers, it takes; everything else it refuses when it is made."""
    for ability, projection in DECLARED:
        if ability in store.offers:  # type: ignore[attr-defined]  # each has it
            store([projection], memory.Builds())
        else:
            with pytest.raises(NotOffered):
                store([projection], memory.Builds())


# only: search
@pytest.mark.parametrize(
    "question",
    [
        lambda views: views.find(equal={}),
        lambda views: views.count(equal={}),
        lambda views: views.sums(["weight"], by="label"),
    ],
)
async def test_what_is_not_offered_cannot_be_asked(question: Callable[[Any], Any]) -> None:
    """Asked all the same, a store says that it cannot, and never answers with less."""
    builds, searched = memory.Builds(), replace(LEAST, searched=("label",), ranked="weight")
    await builds.register([searched])
    views = await memory.IndexedReadModels([searched], builds).live(searched)

    with pytest.raises(NotOffered, match="a search index cannot"):
        await question(views)


# end: search
@pytest.mark.parametrize(
    ("question", "refusal"),
    [
        (lambda views: views.find(equal={}), "boxes is not listed"),
        (lambda views: views.count(equal={}), "boxes is not listed"),
        (lambda views: views.find(equal={"label": "x"}), "not found by label, but by its key only"),
        (lambda views: views.search("x"), "declares nothing as searched"),
        (lambda views: views.sums(["weight"], by="label"), "does not add up weight, but nothing"),
    ],
)
async def test_what_is_not_declared_cannot_be_asked(
    question: Callable[[Any], Any], refusal: str
) -> None:
    """A store that can do everything refuses it, too: so a test finds it before another store."""
    with pytest.raises(ValueError, match=refusal):
        await question(memory.Views(LEAST))
