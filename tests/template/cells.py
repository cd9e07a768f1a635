"""The services of the matrix: some on purpose, the others so that all pairs of answers occur."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.template.pairs import Choice, pairwise

VALUES: Final[Mapping[str, Sequence[str]]] = {
    "event_store": ("eventstoredb", "postgres", "dynamodb"),
    "read_models": ("postgres", "dynamodb"),
    "bus": ("none", "kafka"),
    "payloads": ("directory", "s3"),
    "search": ("database", "opensearch", "algolia"),
    "saga_engine": ("plain", "temporal"),
    "console": ("true", "false"),
    "embedded": ("true", "false"),
    "example": ("tiny", "shop", "none"),
    "forge": ("github", "gitlab", "none"),
    "licence": ("MIT", "Apache-2.0", "proprietary"),
}
_DEFAULTS: Final = {name: values[0] for name, values in VALUES.items()}
_KIT: Final = {
    # without the shop, and with most of what there is
    "example": "none",
    "event_store": "postgres",
    "bus": "kafka",
    "payloads": "s3",
    "search": "opensearch",
    "saga_engine": "temporal",
    "forge": "gitlab",
}
NONSENSE: Final = {
    "name": "Zyq Vlimpo 7",
    "package": "zyq_vlimpo_7",
    "cli": "zv7",
    "description": "Vlimps zyqs, and says so to those who qorp.",
    "author": "Qorp & Daughters",
    "aggregate": "vlimp",
    "aggregates": "vlimpen",
}


@dataclass(frozen=True)
class Cell:
    """One service of the matrix."""

    name: str
    answers: Mapping[str, Any]
    full: bool = False
    """Whether all of its tests run, and not the fast ones alone."""


def cells() -> Sequence[Cell]:
    """All of them; those that run in full come first."""
    plain = {**_DEFAULTS, "licence": "proprietary"}
    given = {
        "tiny": (plain, {}),
        "kit": ({**plain, **_KIT}, {}),
        "shop": (
            {**plain, "example": "shop", "bus": "kafka", "search": "opensearch", "payloads": "s3"},
            {},
        ),
        "nonsense": ({**plain, "console": "false", "embedded": "false", "forge": "none"}, NONSENSE),
    }
    chosen = pairwise(VALUES, valid, [choice for choice, _ in given.values()])
    named = [
        Cell(name, {**_typed(choice), **names}, full=name != "nonsense")
        for name, (choice, names) in given.items()
    ]
    others = chosen[len(named) :]
    return [*named, *(Cell(f"pair-{n}", _typed(one)) for n, one in enumerate(others, start=1))]


def valid(choice: Choice) -> bool:
    """Whether the questions accept these answers together."""
    on_dynamodb = choice["read_models"] == "dynamodb"
    return not (
        (on_dynamodb and choice["event_store"] == "postgres")
        or (on_dynamodb and choice["event_store"] == "dynamodb" and choice["embedded"] == "true")
        or (on_dynamodb and choice["example"] == "shop" and choice["search"] == "database")
    )


def _typed(choice: Choice) -> Mapping[str, Any]:
    truth = {"true": True, "false": False}
    return {name: truth.get(value, value) for name, value in choice.items()}


def named(names: Collection[str]) -> Sequence[Cell]:
    """The cells of these names, or all of them."""
    return [cell for cell in cells() if not names or cell.name in names]
