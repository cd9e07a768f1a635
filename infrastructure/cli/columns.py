"""Lines in aligned columns that are never cut: a person copies ids from them."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from infrastructure.cli.printing import cell as shown

GAP = "  "


def aligned(rows: Sequence[Sequence[Text]], right: Sequence[int] = ()) -> Iterator[Text]:
    """One line for each row, in aligned columns; those in ``right`` are right-aligned."""
    rows = [[shown(cell) for cell in row] for row in rows]
    widths = [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.copy() for cell in row]
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            cell.align("right" if number in right else "left", width)
        line = Text(GAP).join(cells)
        line.rstrip()
        yield line
