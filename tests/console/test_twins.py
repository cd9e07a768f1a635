"""Whatever is done by clicking can be done by a command, and both do the same."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import click
import pytest
import typer

from application.operating.action import Action
from infrastructure.cli.main import command_line
from infrastructure.console.act import ACTIONS
from tests.documentation import ROOT
from tests.sample.program import BANK

GROUPS: Final = {"read-model": "projections", "parked": "parked", "saga": "sagas"}
"""What an action of the console acts on, and the commands about it."""
ON_PAGES_ONLY: Final = {"personal-data-show"}
"""Only pages mask personal data: a command has the credentials of the stores."""
TWINS: Final = sorted({*ACTIONS} - ON_PAGES_ONLY)
GIVEN: Final = {"of": "balances", "id": "1", "event": str(UUID(int=1))}


def action(kind: str) -> Action:
    return ACTIONS[kind].made(GIVEN)


@pytest.mark.parametrize("kind", TWINS)
def test_every_action_is_a_command(kind: str) -> None:
    """By the same word, with a reason and a name, as the page has them."""
    on, _, word = kind.rpartition("-")
    options = {one.name for one in commands()[GROUPS[on], word].params}

    assert action(kind).name == f"{on} {word}"
    assert {"reason", "by"} <= options


@pytest.mark.parametrize("kind", TWINS)
def test_a_command_carries_out_the_same_action(kind: str) -> None:
    """It makes the action that the page makes, and hands it to the one use case."""
    made = type(action(kind))
    makers = [tree for tree in sources("infrastructure/cli") if made.__name__ in imported(tree)]

    assert makers
    assert all({"act", "acting"} & imported(tree).keys() for tree in makers)


def test_nothing_else_performs_an_action() -> None:
    """What is not carried out by the use case would not be recorded."""
    knowing = [
        tree
        for directory in ("application", "infrastructure")
        for tree in sources(directory)
        if imported(tree).get("Action") == "application.operating.action"
    ]
    calls = [
        ast.unparse(one) for tree in knowing for one in ast.walk(tree) if isinstance(one, ast.Call)
    ]

    assert len(knowing) > 1
    assert [one for one in calls if ".perform(" in one] == ["action.perform(self._tools, note)"]


def commands() -> Mapping[tuple[str, str], click.Command]:
    """Of the command line, by group and name."""
    top: Any = typer.main.get_command(command_line(BANK))
    return {
        (group, name): command
        for group in GROUPS.values()
        for name, command in top.commands[group].commands.items()
    }


def sources(directory: str) -> Iterator[ast.Module]:
    for file in sorted(Path(ROOT, directory).rglob("*.py")):
        yield ast.parse(file.read_text())


def imported(tree: ast.Module) -> Mapping[str, str]:
    """The names that a module imports, and from where."""
    found = (one for one in ast.walk(tree) if isinstance(one, ast.ImportFrom))
    return {name.name: one.module or "" for one in found for name in one.names}
