"""All sets of features that go together, and what follows from a condition in all of them."""

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from itertools import product
from typing import Final

from tests.template.conditions import holds

_STORES: Final = (
    frozenset({"eventstoredb", "postgres_views", "postgres"}),
    frozenset({"eventstoredb", "dynamodb_views", "dynamodb"}),
    frozenset({"postgres_events", "postgres_views", "postgres"}),
    frozenset({"dynamodb_events", "postgres_views", "postgres", "dynamodb"}),
    frozenset({"dynamodb_events", "dynamodb_views", "dynamodb"}),
)
_NOTHING: Final = frozenset[str]()
_OTHERS: Final[Sequence[Sequence[frozenset[str]]]] = (
    (_NOTHING, frozenset({"bus", "kafka"})),
    (_NOTHING, frozenset({"s3"})),
    (_NOTHING, frozenset({"opensearch", "search"}), frozenset({"algolia", "search"})),
    (_NOTHING, frozenset({"temporal"})),
    (_NOTHING, frozenset({"console"})),
    (_NOTHING, frozenset({"embedded"})),
    (_NOTHING, frozenset({"shop", "example"}), frozenset({"tiny", "example"})),
    (_NOTHING, frozenset({"github"}), frozenset({"gitlab"})),
)


def combinations() -> Iterator[frozenset[str]]:
    """Each set of features that some answers choose."""
    for parts in product(_STORES, *_OTHERS):
        yield frozenset().union(*parts)


def lacking(known: Collection[str], needed: Collection[str]) -> frozenset[str]:
    """Those of the needed conditions that do not follow from the known ones."""
    return frozenset(
        one for one in needed if one not in known and not _follows(frozenset(known), one)
    )


@cache
def _follows(known: frozenset[str], needed: str) -> bool:
    return all(
        holds(needed, chosen)
        for chosen in _ALL
        if all(holds(condition, chosen) for condition in known)
    )


_ALL: Final = tuple(combinations())
