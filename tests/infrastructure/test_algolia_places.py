"""The order of ranks and keys, as numbers of Algolia."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.algolia.places import NUMBERS, Place

LIMIT = 4_611_686_018_427_387  # of the numbers in filters
ranks = st.decimals(allow_nan=False, allow_infinity=False).filter(
    lambda rank: abs(rank.adjusted()) < 200 and len(rank.as_tuple().digits) <= 28
)
keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(ranks, keys, ranks, keys)
def test_places_have_the_order_of_ranks_and_keys(
    rank: Decimal, key: str, other_rank: Decimal, other_key: str
) -> None:
    """The larger rank first, then by the code points of the keys."""
    one, other = Place.of(rank, key), Place.of(other_rank, other_key)

    assert (one < other) == ((-rank, key) < (-other_rank, other_key))


@given(ranks, keys, ranks, keys)
def test_a_filter_lets_pass_what_is_not_before(
    rank: Decimal, key: str, other_rank: Decimal, other_key: str
) -> None:
    """Whatever has these numbers or larger ones, by numbers and in a size that Algolia takes."""
    one, other = Place.of(rank, key), Place.of(other_rank, other_key)
    record = dict(zip(NUMBERS, other.numbers, strict=True))
    conditions = one.and_beyond()

    passes = all(any(_holds(record, one) for one in some) for some in conditions)
    assert passes == (tuple(other.numbers) >= tuple(one.numbers))
    assert all(abs(number) <= LIMIT for number in one.numbers)
    assert len(json.dumps(["there=1", *conditions])) <= 512


def _holds(record: dict[str, int], condition: str) -> bool:
    name, operator, limit = next(
        (*condition.partition(sign),) for sign in (">=", ">") if sign in condition
    )
    return record[name] >= int(limit) if operator == ">=" else record[name] > int(limit)


@pytest.mark.parametrize(
    ("rank", "sentence"),
    [
        (Decimal("Infinity"), "give one from 1E-199"),
        (Decimal("NaN"), "give one from 1E-199"),
        (Decimal("1E+200"), "give one from 1E-199"),
        (Decimal("1." + "1" * 28), "round it to 28 digits"),
    ],
)
def test_what_cannot_be_ordered_is_refused(rank: Decimal, sentence: str) -> None:
    """With what would be right."""
    with pytest.raises(ValueError, match=sentence):
        Place.of(rank, "k")
