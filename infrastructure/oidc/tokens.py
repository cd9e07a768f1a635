"""Access tokens as JSON Web Tokens (RFC 7519, 9068): who sends a request.

A token counts if one of the known providers has signed it, for this service (``aud``), and if it
has not expired. Only RS256 and ES256 are accepted. The algorithm is that of the provider's key,
and never that which the token names alone: a token "signed" with ``none``, or with a published key
taken as a password, is refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from infrastructure.oidc.provider import Provider

ALGORITHMS: Final = ("RS256", "ES256")
LEEWAY: Final = 30.0  # seconds by which the clocks of provider and service may differ
_LARGEST: Final = 8 * 1024  # characters
_REQUIRED: Final = ("iss", "sub", "aud", "exp")
_LONGEST_SUBJECT: Final = 255  # as in OpenID Connect


class InvalidToken(Exception):
    """A token says nothing about who sends a request."""


@dataclass(frozen=True)
class Subject:
    """Who has sent a request, and which provider says so."""

    issuer: str
    subject: str
    claims: Mapping[str, Any]

    @property
    def actor(self) -> str:
        """As in the metadata of events. No issuer has a ``|``, so the first one ends it."""
        return f"{self.issuer}|{self.subject}"


class Tokens:
    """Verifies tokens of these providers, which are meant for ``audience``."""

    def __init__(self, providers: Iterable[Provider], audience: str) -> None:
        self._providers = {provider.issuer: provider for provider in providers}
        self._audience = audience

    async def subject(self, token: str) -> Subject:
        """Who the token is about.

        Raises :class:`InvalidToken` with the reason, and
        :class:`~application.access.IdentityUnavailable`.
        """
        if len(token) > _LARGEST:
            raise InvalidToken(f"it has more than {_LARGEST:,} characters")
        try:
            header = jwt.get_unverified_header(token)
            provider = self._provider(token)
            algorithm = _algorithm(header)
            key = await provider.key(algorithm, header.get("kid"))
            if key is None:
                raise InvalidToken(f"{provider.issuer} has no such key for {algorithm}")
            claims = self._verified(token, key, provider.issuer)
        except jwt.PyJWTError as error:
            raise InvalidToken(_reason(error)) from error
        return Subject(provider.issuer, _subject(claims), claims)

    def _provider(self, token: str) -> Provider:
        """By what the token says itself, which only chooses whose keys it is verified with."""
        claims = jwt.decode(token, options={"verify_signature": False})
        issuer = claims.get("iss")
        if not isinstance(issuer, str) or issuer not in self._providers:
            known = ", ".join(self._providers)
            raise InvalidToken(f"its issuer is not one of {known}")
        return self._providers[issuer]

    def _verified(self, token: str, key: jwt.PyJWK, issuer: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            audience=self._audience,
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": list(_REQUIRED)},
        )
        return found


def _algorithm(header: Mapping[str, Any]) -> str:
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise InvalidToken(f"it is not signed by {' or '.join(ALGORITHMS)}")
    return str(algorithm)


def _subject(claims: Mapping[str, Any]) -> str:
    """It becomes part of events and of log lines, so it is short, and one line."""
    subject = claims["sub"]
    if not subject or len(subject) > _LONGEST_SUBJECT or not subject.isprintable():
        raise InvalidToken(f"its subject is not of 1 to {_LONGEST_SUBJECT} printable characters")
    return str(subject)


def _reason(error: jwt.PyJWTError) -> str:
    """In words that repeat nothing of the token."""
    for kind, reason in _REASONS.items():
        if isinstance(error, kind):
            return reason
    return "it is not a signed JSON Web Token"


_REASONS: Final[Mapping[type[jwt.PyJWTError], str]] = {
    jwt.ExpiredSignatureError: "it has expired",
    jwt.ImmatureSignatureError: "it is not valid yet",
    jwt.InvalidIssuedAtError: "it is not valid yet",
    jwt.InvalidAudienceError: "it is not meant for this service",
    jwt.MissingRequiredClaimError: f"it lacks one of {', '.join(_REQUIRED)}",
    jwt.InvalidSignatureError: "its signature is wrong",
    jwt.InvalidIssuerError: "its issuer is another one",
}
