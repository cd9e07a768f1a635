"""The person at a page, and what that person may do.

A person logs in at an identity provider, or with a token. Their roles count: an operator may do
everything, an auditor may see everything. Where callers need no proof, the user of this machine may
do everything over the loopback. All others may look, and change nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fastapi import Request

from application.access import AUDITOR, OPERATOR, Caller, Role
from application.operating.carrying_out import By
from infrastructure.console.routing import NotAllowed, NotLoggedIn
from infrastructure.console.sessions import Session
from infrastructure.identity.local import local_caller, local_user
from infrastructure.settings import Settings
from infrastructure.web.hosts import LOOPBACK, host

_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip")


class Right(StrEnum):
    """What may be granted."""

    SEE = "see pages"
    OPERATE = "act on the service"
    UNMASK = "see personal data"


ROLES: Final[Mapping[Right, Sequence[Role]]] = {
    Right.SEE: (OPERATOR, AUDITOR),
    Right.OPERATE: (OPERATOR,),
    Right.UNMASK: (OPERATOR, AUDITOR),
}
"""Which roles give which right."""


@dataclass(frozen=True)
class Operator:
    """A person at the console."""

    name: str
    actor: str
    """As in the metadata of events."""
    rights: frozenset[Right] = frozenset(Right)
    without: str = ""
    """Why some rights are missing, and what would help."""

    def by(self, reason: str) -> By:
        """As the one who acts."""
        return By(self.name, reason, "console", self.actor)

    def may(self, right: Right) -> bool:
        return right in self.rights

    def require(self, right: Right) -> None:
        """Raises :class:`NotAllowed`."""
        if not self.may(right):
            raise NotAllowed(f"{self.name} may not {right}. {self.without}".strip())


def identified(request: Request, session: Session, settings: Settings) -> Operator:
    """The person who sent the request. Raises :class:`NotLoggedIn`."""
    if settings.identifies:
        if session.name is None:
            raise NotLoggedIn("log in first")
        actor = session.actor or session.name
        return Operator(session.name, actor, rights_of(session), "That needs the role operator.")
    if is_local(request):
        return Operator(local_user(), local_caller().actor)
    return Operator(
        "a visitor",
        "a visitor",
        frozenset({Right.SEE}),
        f"This service has no authentication: set {settings.name_of('api_token')} and log in, or "
        "use the command line.",
    )


def rights_of(session: Session) -> frozenset[Right]:
    """What its roles grant."""
    caller = Caller("", None if session.roles is None else frozenset(session.roles))
    return frozenset(right for right, roles in ROLES.items() if caller.has(*roles))


def is_local(request: Request) -> bool:
    """Whether a browser on this machine sent it, without any proxy between."""
    client = request.client.host if request.client else ""
    forwarded = any(name in request.headers for name in _FORWARDED)
    local = client in ("127.0.0.1", "::1", "::ffff:127.0.0.1")
    return local and host(request.scope) in LOOPBACK and not forwarded
