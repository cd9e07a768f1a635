"""A command that works for long says on the terminal what it is at, and leaves no trace of it."""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from application.projections.builds import Build
from application.projections.deploying import Filling
from application.whole_log import Step
from infrastructure.cli.deploying import _progress
from infrastructure.cli.printing import Console
from infrastructure.cli.progress import shown

STEPS = (Step("reading the events"), Step("reading the events", 12_000, 0.5), Step("adding up"))


@contextmanager
def stderr_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard error is a terminal; yields its other end."""
    ours, theirs = os.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with open(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        yield ours


def read_until(terminal: int, text: str) -> str:
    """What is written there, up to that text; all of it, where it does not come within 30 s.

    A terminal hands on what is written to it in pieces.
    """
    written = b""
    while text.encode() not in written and select.select([terminal], [], [], 30)[0]:
        written += os.read(terminal, 100_000)
    return written.decode()


def test_the_part_and_the_number_are_shown_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, so that the output stays what the command prints."""
    with stderr_on_a_terminal(monkeypatch) as terminal:
        with shown() as report:
            for step in STEPS:
                report(step)
        written = read_until(terminal, "adding up")

    assert "adding up" in written
    assert capsys.readouterr().out == ""


def test_nothing_is_shown_where_there_is_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    """A file or a pipe gets the result alone."""
    with shown() as report:
        for step in STEPS:
            report(step)

    assert capfd.readouterr() == ("", "")


def test_a_deploy_that_waits_says_why_also_without_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line for each reason: a job of CI would hang in silence else."""
    build = Build("payee_search", 2)
    with _progress(Console(force_terminal=False)) as report:
        for trouble in (None, "the store is away", "the store is away", None):
            report(Filling(build, 0, 7, trouble))

    assert capsys.readouterr().err == "payee_search_v2 waits: the store is away\n"
