"""Carries out the actions of operators from the command line, by the one use case."""

from typing import TYPE_CHECKING

from pydantic import ValidationError

from application.access import Caller, issuer_and_subject
from application.operating.action import Action, Done, Preview, Refused
from application.operating.carrying_out import By
from domain.decider import DomainError
from infrastructure.cli.process import UsageError, caller
from infrastructure.processes import CommandFailed

if TYPE_CHECKING:
    from infrastructure.container import Container


def operator(by: str | None, reason: str | None) -> By:
    """The operator of this command, by that name, or by the name that they have as its caller."""
    who = caller()
    return By(by or name_of(who), (reason or "").strip() or "no reason given", actor=who.actor)


def name_of(who: Caller) -> str:
    """A short name, for people."""
    return issuer_and_subject(who.actor)[1][:64].strip()


async def act(container: "Container", action: Action, by: By) -> Done:
    """Do it and record it. Raises ``CommandFailed``, ``UsageError`` and what the action raises."""
    try:
        return await container.operating().carry_out(action, by)
    except ValidationError as error:
        raise wrong(error) from error
    except (Refused, DomainError) as refused:
        raise CommandFailed(str(refused)) from refused


async def previewed(container: "Container", action: Action) -> Preview:
    """What it would do. Raises ``CommandFailed`` where it is refused."""
    try:
        preview: Preview = await container.operating().preview(action)
    except Refused as refused:
        raise CommandFailed(str(refused)) from refused
    return preview


def wrong(error: ValidationError) -> UsageError:
    """The option that cannot be recorded, and why."""
    found = error.errors()[0]
    return UsageError(f"--{found['loc'][0]}: {found['msg'].lower()}")
