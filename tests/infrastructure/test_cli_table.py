"""Tables on the terminal: they fit, and break nothing that a person copies."""

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from infrastructure.cli.table import Column, lines, wrapped

WORDS = st.lists(st.text("abc-7", min_size=1, max_size=12), max_size=12).map(" ".join)
UNBROKEN = st.text("abc-7:Z", min_size=1, max_size=36)
TABLES = st.lists(st.booleans(), min_size=1, max_size=8).flatmap(
    lambda texts: st.tuples(
        st.just([Column(f"c{number}", text) for number, text in enumerate(texts)]),
        st.lists(
            st.tuples(*(WORDS if text else UNBROKEN for text in texts)), min_size=1, max_size=4
        ),
    )
)


@given(TABLES, st.integers(40, 200))
def test_a_table_fits(table: tuple[list[Column], list[tuple[str, ...]]], width: int) -> None:
    """No line is longer than the terminal, and each value that is no text stands in one line."""
    columns, rows = table

    printed = [line.plain for line in lines(columns, rows, width)]

    assert max(map(len, printed)) <= width
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            words = value.split() if column.text else [value]
            assert all(any(word in line for line in printed) for word in words)


def test_a_table_that_fits_has_a_line_for_each_row() -> None:
    """Columns are aligned, and numbers stand on the right."""
    columns = [Column("order"), Column("units", right=True)]

    printed = [line.plain for line in lines(columns, [("536365", "6"), ("7", "1,200")], 80)]

    assert printed == ["order   units", "536365      6", "7       1,200"]


def test_a_table_that_is_too_wide_has_several_lines_for_each_row() -> None:
    """The header is broken in the same way."""
    columns = [Column("event"), Column("group"), Column("why", text=True)]
    row = ("f" * 36, "money_transfer", "it cannot be read")

    printed = [line.plain for line in lines(columns, [row], 54)]

    assert printed == [
        f"{'event':36}  group",
        "  why",
        f"{'f' * 36}  money_transfer",
        "  it cannot be read",
    ]


def test_text_is_wrapped_at_spaces() -> None:
    """A word that is longer than the line stays whole."""
    text = Text("a long error about order-536365@3 in a narrow column")

    assert [line.plain for line in wrapped(text, 12)] == [
        "a long error",
        "about",
        "order-536365@3",
        "in a narrow",
        "column",
    ]
