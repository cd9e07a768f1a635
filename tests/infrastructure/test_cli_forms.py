"""Every command that lists or shows something has ``--json`` and ``--csv``."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Annotated, Any, Final

import pytest
import typer
from typer.testing import CliRunner

from infrastructure.cli.forms import offer_csv, say_data
from infrastructure.cli.main import command_line
from tests.sample.program import BANK

ACTS: Final = {
    *("run", "serve", "migrate", "monitoring", "map", "part", "greet", "add"),
    "node",  # only: eventstoredb and embedded
    "links repair",  # only: eventstoredb
    *(
        f"projections {one}"
        for one in ["deploy", "rollback", "drop", "pause", "resume", "retry", "skip", "run"]
    ),
    *("parked replay", "parked discard"),
    *("sagas retry", "sagas compensate", "sagas resolve"),
    *("keys issue", "keys revoke"),
    *("forget", "export", "rotate-master-key"),
    *("bus contract", "bus replay"),  # only: bus
}
"""Commands that do something, or print a document that has one form only."""


def commands(app: typer.Typer, before: str = "") -> Iterator[tuple[str, set[str]]]:
    """The name of each command, with its parameters."""
    click = typer.main.get_command(app)
    yield from _below(click, before)


def _below(command: Any, name: str) -> Iterator[tuple[str, set[str]]]:
    if not hasattr(command, "commands"):
        yield name, {option for one in command.params for option in one.opts}
        return
    for own, one in command.commands.items():
        yield from _below(one, f"{name} {own}".strip())


def test_whatever_lists_has_both_forms() -> None:
    """A command that is added later has them by itself, or is refused here."""
    lacking = [
        name
        for name, options in commands(command_line(BANK))
        if name.partition(" ")[0] not in ACTS and name not in ACTS
        if not {"--json", "--csv"} <= options
    ]

    assert lacking == []


def program() -> typer.Typer:
    app = typer.Typer()

    @app.command("list")
    def list_things(
        empty: bool = False,
        json: Annotated[bool, typer.Option("--json")] = False,
    ) -> None:
        things = [] if empty else [{"id": "a", "name": 'say "x", y', "n": None}, {"id": "b"}]
        if json:
            say_data({"things": things, "after": "b"}, items="things", columns=("id", "name"))
        else:
            typer.echo("things")

    @app.command()
    def act() -> None: ...

    offer_csv(app)
    offer_csv(app)  # which changes nothing
    return app


def test_the_forms_of_one_list() -> None:
    """JSON is the document; CSV is its list, quoted, with a header, and the place for the next
    page goes to standard error."""
    answers = [CliRunner().invoke(program(), ["list", form]) for form in ("--json", "--csv")]

    assert json.loads(answers[0].stdout)["after"] == "b"
    rows = list(csv.DictReader(io.StringIO(answers[1].stdout)))
    assert rows == [{"id": "a", "name": 'say "x", y', "n": ""}, {"id": "b", "name": "", "n": ""}]
    assert "--after b" in answers[1].stderr


def test_an_empty_list_has_a_header() -> None:
    """A program that reads CSV finds the columns it expects."""
    answer = CliRunner().invoke(program(), ["list", "--csv", "--empty"])

    assert answer.stdout == "id,name\n"


def test_one_form_at_a_time() -> None:
    """Both are refused as a wrong use."""
    answer = CliRunner().invoke(program(), ["list", "--csv", "--json"])

    assert answer.exit_code == 2
    assert "choose one" in answer.stderr


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2.55 GBP", "2.55 GBP"),
        (7, "7"),
        (True, "true"),
        ({"a": [1]}, '"{""a"":[1]}"'),
        ("a\nb\x1b[1m", "a\\nb\\x1b[1m"),
        ("é, ü", '"é, ü"'),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("@SUM(1)", "'@SUM(1)"),
        ("+1", "'+1"),
        (-1, "-1"),
    ],
)
def test_a_cell(value: object, shown: str) -> None:
    """A value is on one line, quoted where it has to be; a nested one is JSON, and no text is a
    formula."""
    app = typer.Typer()

    @app.command()
    def show(json: Annotated[bool, typer.Option("--json")] = False) -> None:
        assert json
        say_data({"one": value})

    offer_csv(app)
    assert CliRunner().invoke(app, ["--csv"]).stdout == f"one\n{shown}\n"
