"""The reference of the command line: ``python -m tests.reference.commands``.

Typer writes the page. It shortens what each command of a group does, so here the whole sentence
takes its place, with a link; and ``--help``, which every command has, is left out.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Final

import typer
from typer.cli import get_docs_for_click
from typer.core import TyperGroup
from typer.main import get_command

from application.service import Service
from infrastructure.cli.main import command_line
from infrastructure.program import Program
from tests.reference.program import NAME, PROGRAM

_INTRODUCTION: Final = f"""# Commands

*Reference.* All commands of `{NAME}`, as `{NAME} COMMAND --help` shows them. They read their
[settings](settings.md) from the environment or a `.env` file.

| exit code | meaning |
|---|---|
| 0 | It is done. |
| 1 | It failed, or what was examined is not in order. |
| 2 | An argument, an option or a setting is wrong. Nothing was done. |

This page is printed from the source by `make reference`.

"""
_SECTION: Final = re.compile(rf"#+ `{NAME} ?([^`]*)`\n\n((?:.+\n)+)")
_LISTED: Final = re.compile(r"^\* `([^`]+)`: .+$", re.MULTILINE)
_LIST: Final = "**Commands**:\n\n"
_OPTION: Final = re.compile(r"^\* `(--[\w-]+)", re.MULTILINE)
_HELP: Final = re.compile(r"^\* `--help`: .+\n", re.MULTILINE)
_NO_OPTIONS: Final = re.compile(r"\*\*Options\*\*:\n\n(?!\*)")


def page(of: Program[Any] = PROGRAM) -> str:
    """The whole page, in Markdown."""
    command = get_command(command_line(of))
    assert isinstance(command, TyperGroup)
    command.commands = {name: one for name, one in command.commands.items() if not one.hidden}
    context = typer.Context(command, info_name=NAME)
    written = get_docs_for_click(obj=command, ctx=context, name=NAME)
    written = _NO_OPTIONS.sub("", _HELP.sub("", written)).replace(
        f"```console\n$ {NAME}", f"```\n{NAME}"
    )
    first, *sections = re.split(r"^(?=#+ )", written.strip() + "\n", flags=re.MULTILINE)[1:]
    purposes = dict(map(_purpose, sections))
    listed = _linked(first, purposes).partition(_LIST)[2]
    return _INTRODUCTION + listed + "".join(_linked(section, purposes) for section in sections)


@cache
def options() -> Mapping[str, Collection[str]]:
    """The long options of every command and group, by its name: ``sagas show`` → ``--json`` …"""
    return _options_in(page())


@cache
def of_the_kit() -> Mapping[str, Collection[str]]:
    """The same, of the commands that every service has."""
    return _options_in(page(Program(Service(name=NAME, categories=()))))


def _options_in(page: str) -> Mapping[str, Collection[str]]:
    sections = re.split(r"^(?=##+ )", page, flags=re.MULTILINE)[1:]
    return {_purpose(section)[0]: {"--help", *_OPTION.findall(section)} for section in sections}


def _purpose(section: str) -> tuple[str, str]:
    """The name of a command, and the sentence that says what it does."""
    found = _SECTION.match(section)
    assert found, section
    return found[1], " ".join(found[2].split())


def _linked(section: str, purposes: Mapping[str, str]) -> str:
    """A section; if it is a group's, with its commands listed by links and whole sentences."""
    text, mark, listed = section.partition(_LIST)
    group = f"{_purpose(section)[0]} ".lstrip()

    def line(found: re.Match[str]) -> str:
        name = group + found[1]
        anchor = f"{NAME} {name}".replace(" ", "-")
        return f"* [`{name}`](#{anchor}): {purposes[name]}"

    return text + mark + _LISTED.sub(line, listed)


if __name__ == "__main__":
    print(page(), end="")
