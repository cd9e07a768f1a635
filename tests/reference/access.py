"""Which roles may use which route, command and page: ``python -m tests.reference.access``."""

from collections.abc import Iterator
from typing import Final

from fastapi.routing import APIRoute

from application.access import ADMINISTRATIVE, Reach, Rule
from infrastructure.cli.access import HIDDEN, RULES, commands
from infrastructure.cli.main import command_line
from infrastructure.console.act import ACTIONS  # only: console
from infrastructure.console.operators import ROLES, Right  # only: console
from infrastructure.http import operations
from infrastructure.http.access import rules
from tests.reference.program import PROGRAM

_ROLES: Final = """# Who may do what

*Reference.* Every route, every command and every page names the roles that may use it
([decide who may do what](../how-to/decide-who-may.md)). This page is printed from the source by
`make reference`.

## Roles

| role | what it is |
|---|---|
"""
_ROUTES: Final = """
## Routes

A role that is in brackets may do it with what is its own.

| | route | roles |
|---|---|---|
"""


_COMMANDS: Final = """
## Commands

The user of the process is an operator, unless a token says who it is.

| command | roles |
|---|---|
"""
# only: console
_CONSOLE: Final = """
## The console

| page or action | roles |
|---|---|
"""
# end: console


def page() -> str:
    """The whole page, in Markdown."""
    roles = (*PROGRAM.service.roles, *ADMINISTRATIVE)
    described = "".join(f"| {role.name} | {role.about} |\n" for role in roles)
    found = _ROLES + described + _ROUTES + "".join(sorted(_rows(), key=_by_path))
    found += _COMMANDS + "".join(_commands())
    found += _CONSOLE + "".join(_actions())  # only: console
    return found


def _commands() -> Iterator[str]:
    own = PROGRAM.command_rules
    for name in sorted(commands(command_line(PROGRAM))):
        if name not in HIDDEN:
            yield f"| `{PROGRAM.service.name} {name}` | {_who(own.get(name) or RULES[name])} |\n"


# only: console
def _actions() -> Iterator[str]:
    yield f"| all pages | {_named(Right.SEE)} |\n"
    for kind, offered in ACTIONS.items():
        yield f"| {kind} | {_named(offered.right)} |\n"


def _named(right: Right) -> str:
    return ", ".join(role.name for role in ROLES[right])


# end: console


def _rows() -> Iterator[str]:
    for route, rule in rules([*PROGRAM.routes(), operations.router]):
        yield f"| {_method(route)} | `{_path(route)}` | {_who(rule)} |\n"


def _by_path(row: str) -> tuple[str, str]:
    method, path = row.split("|")[1:3]
    return path.strip(" `"), method


def _method(route: APIRoute) -> str:
    return ", ".join(sorted(route.methods or ()))


def _path(route: APIRoute) -> str:
    return route.path.replace(":path}", "}")


def _who(rule: Rule) -> str:
    if rule.reach is not Reach.ROLES:
        return rule.about or rule.reach.value
    named = [role.name for role in rule.roles]
    return ", ".join([*named, *(f"({role.name})" for role in rule.own)])


if __name__ == "__main__":
    print(page(), end="")
