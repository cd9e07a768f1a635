"""Callers as a test names them: ``Authorization: Bearer clerk,auditor:alice``."""

from dependency_injector import providers

from application.access import Caller
from infrastructure.container import Container
from infrastructure.identity import Callers


class Named:
    """Believes what the caller says: roles, and behind the colon the subject."""

    def takes(self, credentials: str) -> bool:
        return ":" in credentials

    async def caller(self, credentials: str) -> Caller:
        roles, _, subject = credentials.partition(":")
        return Caller(f"test|{subject}", frozenset(roles.split(",")), subject or None)


def with_named_callers(container: Container) -> Container:
    """The same wiring, in which callers say who they are and are believed."""
    container.callers.override(providers.Object(Callers([Named()])))
    return container


def named(roles: str, subject: str = "") -> dict[str, str]:
    """The header by which a caller names themselves."""
    return {"Authorization": f"Bearer {roles}:{subject}"}
