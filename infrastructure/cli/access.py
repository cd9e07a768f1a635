"""Which roles each command needs. A command without a rule ends the start of every command.

The caller is the user of this process, who holds the credentials of the stores, and therefore has
the role operator; or whom the setting ``token`` names, with the roles of that token.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NoReturn

import typer

from application.access import (
    ANYBODY,
    AUDITOR,
    OPERATOR,
    Caller,
    Forbidden,
    IdentityUnavailable,
    Reach,
    Rule,
    TooManyRequests,
    Unidentified,
    Unruled,
)

if TYPE_CHECKING:
    from infrastructure.program import Deployment

HIDDEN: Final = ("part", "greet")
"""Processes that ``run`` starts."""
READS: Final = Rule((OPERATOR, AUDITOR))
ACTS: Final = Rule((OPERATOR,))

RULES: Final[Mapping[str, Rule]] = {
    "run": ACTS,
    "serve": ACTS,
    "part": ACTS,
    "greet": ACTS,
    "migrate": ACTS,
    "node": ACTS,  # only: eventstoredb and embedded
    "stream": READS,
    "streams": READS,
    "history": READS,
    "trace": READS,
    "audit-trail": READS,
    "doctor": READS,
    "forget": ACTS,
    "export": ACTS,
    "rotate-master-key": ACTS,
    "monitoring": ANYBODY,
    "settings": ANYBODY,
    "map": ANYBODY,
    "add aggregate": ANYBODY,
    "add read-model": ANYBODY,
    "add saga": ANYBODY,
    "add route": ANYBODY,
    "events list": READS,
    "events show": READS,
    "projections list": READS,
    "projections actions": READS,
    "projections deploy": ACTS,
    "projections rollback": ACTS,
    "projections drop": ACTS,
    "projections pause": ACTS,
    "projections resume": ACTS,
    "projections retry": ACTS,
    "projections skip": ACTS,
    "projections run": ACTS,
    "links repair": ACTS,  # only: eventstoredb
    "parked list": READS,
    "parked show": READS,
    "parked replay": ACTS,
    "parked discard": ACTS,
    "sagas list": READS,
    "sagas show": READS,
    "sagas retry": ACTS,
    "sagas compensate": ACTS,
    "sagas resolve": ACTS,
    "payloads verify": READS,
    "payloads sweep": ACTS,
    "keys issue": ACTS,
    "keys list": READS,
    "keys revoke": ACTS,
    # only: bus
    "bus contract": ANYBODY,
    "bus status": READS,
    "bus replay": ACTS,
    "bus topics": ACTS,
    # end: bus
}
"""The commands of the kit. Those of a service: ``Program.command_rules``."""


def commands(app: typer.Typer, above: str = "") -> Iterator[str]:
    """The names of all commands, with those of their groups before them."""
    for one in app.registered_commands:
        name = one.name or str(getattr(one.callback, "__name__", ""))
        yield above + name.replace("_", "-")
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from commands(group.typer_instance, f"{above}{group.name} ")


def require_rules(app: typer.Typer, own: Mapping[str, Rule]) -> None:
    """Raises :class:`Unruled` for a command without a rule."""
    if wrong := [name for name in commands(app) if name not in own and name not in RULES]:
        raise Unruled(f"{', '.join(wrong)}: say which roles may, in the rules of the commands")


def name_of(context: typer.Context) -> str:
    """The name of the command that runs, as in the rules."""
    names = []
    here: typer.Context | None = context
    while here is not None and here.parent is not None:
        names.append(here.info_name or "")
        here = here.parent  # type: ignore[assignment]  # click's own type
    return " ".join(reversed(names))


def permitted(
    deployment: "Deployment",
    name: str,
    who: "Callable[[Deployment], Caller] | None" = None,
) -> Caller:
    """The caller, if that command is for one of their roles.

    Raises ``Forbidden``, ``Unidentified``, ``IdentityUnavailable`` and :class:`Unruled`.
    """
    rule = deployment.program.command_rules.get(name) or RULES.get(name)
    if rule is None:
        raise Unruled(f"{name}: say which roles may, in the rules of the commands")
    if rule.reach is Reach.ALL:
        return user_of_process()
    caller = (who or identified)(deployment)
    rule.require(caller)
    return caller


def identified(deployment: "Deployment") -> Caller:
    """Who runs this command. Raises ``Unidentified`` and ``IdentityUnavailable``."""
    token = deployment.settings.token
    if token is None:
        return user_of_process()
    if not deployment.settings.identifies:
        settings = deployment.settings
        kinds = (settings.name_of(of) for of in ("api_token", "api_keys", "oidc_issuers"))
        name = settings.name_of("token")
        raise Unidentified(f"{name}: nothing says which tokens count: set {' or '.join(kinds)}")
    return asyncio.run(_by_token(deployment, token.get_secret_value()))


def user_of_process() -> Caller:
    """They hold the credentials of the stores, so they are an operator."""
    from infrastructure.identity.local import ISSUER, local_user

    return Caller(f"{ISSUER}|{local_user()}", frozenset({OPERATOR.name}))


async def _by_token(deployment: "Deployment", token: str) -> Caller:
    from application.api_keys import PREFIX
    from infrastructure.identity import callers
    from infrastructure.processes.needs import EVENTS
    from infrastructure.processes.servers import opened_for

    if not token.startswith(PREFIX):
        return await callers(deployment.settings, _unopened).of(f"Bearer {token}")
    async with opened_for(deployment, EVENTS) as container:
        return await container.callers().of(f"Bearer {token}")


def _unopened() -> NoReturn:
    raise AssertionError("only a key is looked up in the event store")


REFUSALS: Final = (Forbidden, Unidentified, IdentityUnavailable, TooManyRequests)
