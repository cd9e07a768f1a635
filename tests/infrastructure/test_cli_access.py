"""Who may use which command: each with every role, and whom a token makes the caller."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
import typer

from application.access import (
    ADMINISTRATIVE,
    OPERATOR,
    Caller,
    Forbidden,
    Reach,
    Rule,
    Unidentified,
    Unruled,
    issuer_and_subject,
)
from infrastructure.cli.access import RULES, commands, permitted
from infrastructure.cli.main import command_line
from infrastructure.identity import NotProven
from infrastructure.identity.local import local_user
from infrastructure.program import Deployment
from tests.reference.program import PROGRAM
from tests.sample.program import BANK

TOKEN: Final = "a-token-of-sixteen"
EVERY: Final = (*ADMINISTRATIVE, *PROGRAM.service.roles, None)
KNOWN: Final = sorted(commands(command_line(PROGRAM)))


def deployment(**settings: object) -> Deployment:
    return Deployment(PROGRAM, PROGRAM.settings.model_validate(settings))


def always(caller: Caller) -> Callable[[Deployment], Caller]:
    return lambda _: caller


@pytest.mark.parametrize("name", KNOWN)
def test_every_command_is_for_its_roles(name: str) -> None:
    """A caller with another role is refused, with the roles that may; the operator never is."""
    rule = PROGRAM.command_rules.get(name) or RULES[name]
    for role in EVERY:
        caller = Caller("test|ann", frozenset({role.name} if role else ()))
        if rule.reach is Reach.ALL or role in rule.named:
            permitted(deployment(), name, always(caller))
        else:
            with pytest.raises(Forbidden, match="operator"):
                permitted(deployment(), name, always(caller))
    assert rule.reach is Reach.ALL or OPERATOR in rule.named


def test_every_rule_is_of_a_command() -> None:
    """None is left over from a command that is gone."""
    assert {*RULES, *PROGRAM.command_rules} == {*KNOWN}


def test_a_command_without_a_rule_ends_the_start() -> None:
    """Of every command, so that it is noticed at once."""

    def add(app: typer.Typer) -> None:
        app.command("open-to-all")(lambda: None)

    with pytest.raises(Unruled, match="open-to-all"):
        command_line(replace(BANK, commands=add))
    with_rule = replace(BANK, commands=add, command_rules={"open-to-all": Rule((OPERATOR,))})
    assert command_line(with_rule)


def test_without_a_token_the_user_of_the_process_is_an_operator() -> None:
    """They hold the credentials of the stores."""
    caller = permitted(deployment(api_token=TOKEN), "parked replay")

    assert issuer_and_subject(caller.actor) == ("os", local_user())
    assert caller.roles == frozenset({"operator"})


def test_a_token_says_who_the_caller_is() -> None:
    """One that is wrong, or that nothing could verify, is refused; it does not fall back."""
    found = permitted(deployment(api_token=TOKEN, token=TOKEN), "parked replay")
    assert found == Caller("api token", None)
    with pytest.raises(NotProven):
        permitted(deployment(api_token=TOKEN, token="another-token"), "parked replay")
    with pytest.raises(Unidentified, match="HEADWATER_TOKEN: nothing says which tokens count"):
        permitted(deployment(token=TOKEN), "parked replay")
    assert permitted(deployment(token="another-token"), "settings")
