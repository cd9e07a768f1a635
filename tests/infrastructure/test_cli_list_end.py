"""How a list says how many there are."""

from collections.abc import Mapping

import pytest

from application.ports import Total
from infrastructure.cli.list_end import in_all, summary


@pytest.mark.parametrize(
    ("shown", "total", "words"),
    [
        (0, Total(0), "no sagas"),
        (1, Total(1), "1 saga"),
        (3, Total(3), "3 sagas"),
        (20, Total(1_234), "20 of 1,234 sagas"),
        (20, Total(21, "at least"), "20 of at least 21 sagas"),
        (3, Total(3, "at least"), "3 sagas"),
        (20, Total(90, "at most"), "20 of at most 90 sagas"),
        (0, Total(90, "at most"), "0 of at most 90 sagas"),
        (20, None, "20 sagas"),
    ],
)
def test_a_list_says_how_many_there_are(shown: int, total: Total | None, words: str) -> None:
    """All of them, so many of all, or of a bound; never a number that may be wrong."""
    assert summary(shown, total, "saga", "sagas") == words


@pytest.mark.parametrize(
    ("total", "said"),
    [
        (Total(3), {"total": 3, "total_is": "exactly"}),
        (Total(21, "at least"), {"total": 21, "total_is": "at least"}),
        (None, {"total": None, "total_is": None}),
    ],
)
def test_so_does_its_json(total: Total | None, said: Mapping[str, object]) -> None:
    """The number, and whether it is exact."""
    assert in_all(total) == said


@pytest.mark.parametrize(
    ("items", "whole", "more", "total"),
    [
        (3, True, False, Total(3)),
        (0, True, False, Total(0)),
        (20, False, True, Total(21, "at least")),
        (3, False, False, Total(3, "at least")),
        (0, False, False, None),
    ],
)
def test_a_page_bounds_what_nothing_counts(
    items: int, whole: bool, more: bool, total: Total | None
) -> None:
    """The first page alone is all there is; any other shows that there are at least so many."""
    assert Total.shown(items, whole=whole, more=more) == total
