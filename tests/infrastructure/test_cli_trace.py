"""The tree of a trace on a terminal of any width."""

import pytest

from infrastructure.cli.trace_tree import Branch, lines, print_tree

ID = "b6b9b5da-73b2-5faa-adc3-fb881a12c83d"
CLOCK = "19:35:54.958Z"


def chain(levels: int) -> list[Branch]:
    """Each led to the next, and each is published."""
    return [
        branch
        for depth in range(levels)
        for branch in (
            Branch(
                "StepCompleted authorise payment", depth, f"transfer-{ID}@{depth}", CLOCK, "+1 s"
            ),
            Branch("→ not yet published", depth + 1, "headwater.stock.availability_changed.v1"),
            Branch("→ published", depth + 1, "bank.account.opened.v1", CLOCK, "+12,345 ms"),
        )
    ]


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 100])
@pytest.mark.parametrize("levels", [1, 3, 12, 200])
def test_a_tree_fits_however_deep_it_is(width: int, levels: int) -> None:
    """No line is longer than the terminal, unless a single value is, and that is not broken."""
    branches = chain(levels)
    printed = [line.plain for line in lines(branches, width)]

    for line in printed:
        assert len(line) <= width or " " not in line.strip(), line
    words = " ".join(printed).split()
    for one in branches:
        assert {*one.what.split(), *filter(None, (one.event, one.when))} <= {*words}
        assert one.after in " ".join(words)


def test_what_an_event_led_to_stands_further_right() -> None:
    """As long as there is room: eight levels, and fewer where the terminal is narrow."""
    branches = [Branch("Moved", depth) for depth in range(12)]

    def indents(width: int) -> list[int]:
        found = [line.plain for line in lines(branches, width)][2:]
        return [len(line) - len(line.lstrip()) for line in found]

    assert indents(80) == [0, 2, 4, 6, 8, 10, 12, 14, 16, 16, 16, 16]
    assert indents(30) == [0, 2, 4, 6, 6, 6, 6, 6, 6, 6, 6, 6]


def test_a_tree_has_one_line_for_each_branch_where_all_fit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it is a table."""
    monkeypatch.setenv("COLUMNS", "160")
    print_tree(chain(3))

    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1 + 9
    assert printed[0].split() == ["what", "happened", "event", "when", "after"]


def test_text_of_others_acts_on_no_terminal() -> None:
    """Types and streams were written by others."""
    evil = Branch("\x1b[2J", 1, "a-\x1b[31m@0")
    for width in (20, 80):
        assert not any("\x1b" in line.plain for line in lines([evil], width))
