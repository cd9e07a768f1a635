"""Fields of the JSON documents that views are, in SQL."""

from collections.abc import Sequence

from psycopg.sql import SQL, Composable, Literal


def where_all(where: Sequence[Composable]) -> Composable:
    """The rows for which all these conditions hold; all rows where there are none."""
    return SQL("WHERE {}").format(SQL(" AND ").join(where)) if where else SQL("")


def field_of(name: str) -> Composable:
    """A field of the view as text, in the order of its characters' numbers."""
    return SQL('((view ->> {}) COLLATE "C")').format(Literal(name))


def number_of(field: str) -> Composable:
    """Of a number, and of money, which is written ``2.55 GBP``."""
    return SQL("split_part({}, ' ', 1)::numeric").format(field_of(field))


def sum_of(field: str) -> Composable:
    """Of no number at all: 0."""
    return SQL("coalesce(sum({}), 0)").format(number_of(field))
