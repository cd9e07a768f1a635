"""``--watch``: in place on a terminal, elsewhere again after each change, to an end."""

import json
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import pytest
from rich.text import Text

from infrastructure.cli import watch as watching
from infrastructure.cli.printing import Console
from infrastructure.cli.watch import Look, watch


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look follows at once."""
    monkeypatch.setattr(watching, "EVERY", 0.0)


def looks(*shown: str) -> Callable[[], Awaitable[Look]]:
    """One after another; the last one waits for nothing."""
    left = list(shown)

    async def look() -> Look:
        words = left.pop(0)
        return Look([Text(words), Text()], [{"words": words}], words, waits=bool(left))

    return look


async def test_elsewhere_each_change_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    """One block for each change: a log does not fill with what has been said."""
    last = await watch(looks("at 10%", "at 10%", "at 90%", "done", "done"), json=False)

    assert capsys.readouterr().out == "at 10%\n\n\nat 90%\n\n\ndone\n\n"
    assert not last.waits


async def test_data_has_a_line_for_each_change(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON Lines, also on a terminal: another program reads them as they come."""
    await watch(looks("at 10%", "at 10%", "done"), json=True)

    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert printed == [[{"words": "at 10%"}], [{"words": "done"}]]


async def test_on_a_terminal_each_look_replaces_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor goes up over the lines of the last look; the cursor is back in the end."""
    written = await on_a_terminal(monkeypatch, ["at 10%", "at 90%", "done"], TERM="xterm")

    first, second, third = (written.index(words) for words in ("at 10%", "at 90%", "done"))
    up = "\x1b[1A"
    assert up not in written[:first]
    assert up in written[first:second]
    assert up in written[second:third]
    assert written.rstrip().endswith("\x1b[?25h")


async def test_a_terminal_that_cannot_do_that_gets_the_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No control sequence is written to it."""
    written = await on_a_terminal(monkeypatch, ["at 10%", "at 10%", "done"], TERM="dumb")

    assert written.split() == ["at", "10%", "done"]


async def on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, shown: Sequence[str], **environment: str
) -> str:
    """What is written to the terminal."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ours, theirs = os.openpty()
    terminal = os.fdopen(theirs, "w")
    monkeypatch.setattr(watching, "Console", lambda **given: Console(file=terminal, **given))
    await watch(looks(*shown), json=False)
    terminal.close()
    written = b""
    with suppress(OSError):  # as Linux ends it
        while some := os.read(ours, 65_536):
            written += some
    os.close(ours)
    return written.decode()
