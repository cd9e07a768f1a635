"""The caller of a request, by its ``Authorization`` header."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final, Protocol

from application.access import Caller, Unidentified
from application.api_keys import KeyText
from infrastructure.identity.limits import Attempts, Rate

LOCAL: Final = Caller("api", roles=None)
"""Every caller of a service that only its own machine can reach, and that needs no proof."""


class NotProven(Unidentified):
    """The credentials are not valid. The message says why, and repeats nothing of them."""


class Kind(Protocol):
    """One kind of credentials."""

    def takes(self, credentials: str) -> bool:
        """Whether they look like this kind."""
        ...

    async def caller(self, credentials: str) -> Caller:
        """Raises :class:`NotProven`, and ``IdentityUnavailable`` while it cannot be known."""
        ...


@dataclass(frozen=True)
class Callers:
    """Finds callers by these kinds of credentials; without any, all are the local caller."""

    kinds: Sequence[Kind] = ()
    rate: Rate = field(default_factory=lambda: Rate(0))
    attempts: Attempts = field(default_factory=Attempts)

    async def of(self, authorization: str | None, address: str = "") -> Caller:
        """The caller, by the header ``Authorization``; ``address``: where they are.

        Raises :class:`Unidentified`, ``TooManyRequests`` after failures, and
        ``IdentityUnavailable`` while it cannot be known.
        """
        if not self.kinds:
            return LOCAL
        scheme, _, credentials = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not credentials:
            raise Unidentified("send the header Authorization: Bearer <token>")
        with self.attempts.tried(address, _kind(credentials), credentials):
            for kind in self.kinds:
                if kind.takes(credentials):
                    return await kind.caller(credentials)
            raise NotProven("the token behind Bearer is none that this service knows")


def _kind(credentials: str) -> str:
    """A key has its own name, so that failures with one do not slow down another."""
    key = KeyText.read(credentials)
    return f"key {key.id}" if key else "signed" if credentials.count(".") == 2 else "token"


@dataclass(frozen=True)
class ApiToken:
    """The one token of the settings, whose holder may do everything."""

    token: str

    def takes(self, credentials: str) -> bool:
        return compare_digest(credentials.encode(), self.token.encode())

    async def caller(self, _: str) -> Caller:
        return Caller("api token", roles=None)
