"""Callers by the tokens of identity providers."""

from collections.abc import Mapping, Sequence
from typing import Any

from application.access import Caller
from infrastructure.identity.callers import NotProven
from infrastructure.oidc import InvalidToken, Subject, Tokens


class SignedToken:
    """A JSON Web Token. The claim ``roles`` (``a.b``: b in a) lists the roles of its subject."""

    def __init__(self, tokens: Tokens, roles: str) -> None:
        self._tokens, self._roles = tokens, roles

    def takes(self, credentials: str) -> bool:
        return credentials.count(".") == 2

    async def caller(self, credentials: str) -> Caller:
        try:
            found = await self._tokens.subject(credentials)
        except InvalidToken as error:
            raise NotProven(f"the token is not valid: {error}") from error
        return caller_of(found, self._roles)


def caller_of(subject: Subject, roles: str) -> Caller:
    """The subject of a token that has been verified."""
    return Caller(subject.actor, _listed(subject.claims, roles.split(".")), subject.subject)


def _listed(claims: Mapping[str, Any], path: Sequence[str]) -> frozenset[str]:
    """A list of texts, or one text with spaces between; what is neither gives no role."""
    found: Any = claims
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return frozenset(found.split())
    listed = found if isinstance(found, list) else ()
    return frozenset(one for one in listed if isinstance(one, str))
