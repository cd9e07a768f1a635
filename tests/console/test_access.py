"""Who may see which page of the console, and do what: each with every role."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
from fastapi import Response

from application.access import ADMINISTRATIVE, Rule, Unruled
from infrastructure.cli.access import RULES
from infrastructure.console import Section
from infrastructure.console.act import ACTIONS
from infrastructure.console.operators import ROLES, Right
from infrastructure.console.sessions import Session
from infrastructure.container import in_memory
from tests.console.test_acting import of_localhost
from tests.console.test_twins import GROUPS, TWINS
from tests.sample.client import Bank, bank_over, empty_bank
from tests.sample.program import BANK

EVERY: Final = (*ADMINISTRATIVE, *BANK.service.roles, None)
OPEN: Final = {"/console/log-in", "/console/log-in/provider", "/console/log-in/callback"}


@pytest.fixture
async def bank() -> AsyncIterator[Bank]:
    async with bank_over(empty_bank(api_token="a-token-of-sixteen")) as bank:
        yield bank


def app_of(bank: Bank) -> Any:
    return bank.http._transport.app  # type: ignore[attr-defined]  # the one that it calls


def cookie(bank: Bank, *roles: str) -> Mapping[str, str]:
    """The header of a session with these roles."""
    response = Response()
    session = Session.new("ann", roles, "test|ann")
    app_of(bank).state.console.sessions.keep(session, of_localhost(), response)
    return {"Cookie": response.headers["Set-Cookie"].partition(";")[0]}


def pages(bank: Bank) -> Iterator[str]:
    """The paths of all pages, with something in place of their parameters."""
    for router in app_of(bank).state.console.routers:
        for route in router.routes:
            if "GET" in route.methods:
                yield re.sub(r"\{[^}]*\}", "x", route.path)


async def test_every_page_is_for_its_roles(bank: Bank) -> None:
    """Without a session all lead to the log-in; with a role that may not see, 403."""
    found = {*pages(bank)}
    assert found > OPEN
    for path in found - OPEN:
        assert (await bank.http.get(path)).status_code == 303, path
        for role in EVERY:
            roles = (role.name,) if role else ()
            answer = await bank.http.get(path, headers=cookie(bank, *roles))
            assert (answer.status_code == 403) is (role not in ROLES[Right.SEE]), (path, role)


async def test_every_action_is_for_its_roles(bank: Bank) -> None:
    """The others get 403, before anything is read."""
    for role in EVERY:
        session = cookie(bank, *((role.name,) if role else ()))
        for kind, offered in ACTIONS.items():
            answer = await bank.http.get(f"/console/act/{kind}", headers=session)
            assert (answer.status_code == 403) is (role not in ROLES[offered.right]), (kind, role)


@pytest.mark.parametrize("kind", TWINS)
def test_a_command_is_for_the_roles_of_its_action(kind: str) -> None:
    """What is forbidden on a page cannot be done by a command, either."""
    on, _, word = kind.rpartition("-")
    assert RULES[f"{GROUPS[on]} {word}"] == Rule(tuple(ROLES[ACTIONS[kind].right]))


async def test_a_page_without_a_rule_ends_the_start() -> None:
    """It would be open to everybody."""
    own = Section("Accounts", "/accounts", "b")

    @own.get()
    async def accounts() -> Response:
        return Response()

    program = replace(BANK, pages=lambda: [own])
    with pytest.raises(Unruled, match="/console/accounts"):
        async with bank_over(in_memory(program, BANK.settings())):
            pass
