"""Whatever is printed: text of others is shown, and does nothing to a terminal."""

import json
from io import StringIO

import pytest
from rich.text import Text

from infrastructure.cli.columns import aligned
from infrastructure.cli.printing import Console, Table, say, say_file, say_json
from infrastructure.visible import visible

NASTY = "a\x1b[2J\x9b31m\nb\u202ec\u2028d[red]e\udcff"
SHOWN = r"a\x1b[2J\x9b31m\nb\u202ec\u2028d[red]e\udcff"
ACTS = "\x1b\x9b\r\u202e\u2028\udcff"


def harmless(printed: str) -> str:
    """What was printed, after a look for what would act."""
    assert not set(printed) & set(ACTS), printed
    return printed


def test_what_would_act_is_shown_and_all_else_stays() -> None:
    """ESC, C1, line breaks and overrides get an escape; letters of every script stay."""
    assert visible(NASTY) == SHOWN
    assert visible("\r\0\x7f") == r"\r\x00\x7f"
    for text in ("Móveis & Häuser", "ไทย", "العربية", "👩‍👩‍👧", "نمی‌خواهم", "a\\b"):
        assert visible(text) == text


def test_a_line_stays_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A line break in a name forges no line, on standard output and on standard error."""
    say(f"order {NASTY}")
    say(NASTY, err=True)

    printed = capsys.readouterr()
    assert harmless(printed.out) == f"order {SHOWN}\n"
    assert harmless(printed.err) == f"{SHOWN}\n"


def test_json_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads what was stored; a terminal only sees escapes."""
    say_json({NASTY: [NASTY]})
    printed = harmless(capsys.readouterr().out)
    assert json.loads(printed) == {NASTY: [NASTY]}

    say_json([NASTY], indent=None)
    assert capsys.readouterr().out.count("\n") == 1


def test_a_file_keeps_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """What Prometheus reads comes as it is."""
    say_file("a: 1\nb: 2\n")
    assert capsys.readouterr().out == "a: 1\nb: 2\n"


def printed(*things: object) -> str:
    file = StringIO()
    Console(file=file, width=300).print(*things)
    return harmless(file.getvalue())


def test_text_in_a_table_is_no_markup_and_stays_in_its_place() -> None:
    """Cells, texts and plain strings are shown alike, brackets included."""
    table = Table()
    table.add_column("what")
    table.add_row(NASTY)
    table.add_row(Text(NASTY))

    assert printed(table).count(SHOWN) == 2
    for thing in (NASTY, Text(NASTY), Text.assemble((NASTY, "bold"), "…")):
        assert SHOWN in printed(thing)
    assert SHOWN in printed(*aligned([[Text(NASTY), Text("x")]]))


def test_what_hides_in_something_else_is_found_at_the_latest_when_it_is_drawn() -> None:
    """A panel, a group: whatever a library draws."""
    from rich.panel import Panel

    assert r"\x1b[2J\x9b31m" in printed(Panel(Text(NASTY)))
