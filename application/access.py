"""Who may do what: callers have roles, and each thing that can be done names those that may.

A service declares its roles beside its table. What names no role cannot be done by anybody.
"""

from dataclasses import dataclass
from enum import Enum
from math import ceil
from typing import Final


class Unidentified(Exception):
    """The caller is not authenticated."""


class Forbidden(Exception):
    """The caller has no role that may do this."""


class Unruled(ValueError):
    """A route, a command or a page does not say which roles may use it."""


class IdentityUnavailable(Exception):
    """Who the caller is cannot be found out now: an identity provider does not answer."""


class TooManyRequests(Exception):
    """The caller has sent too much, or failed too often. ``retry_after``: seconds to wait."""

    def __init__(self, why: str, retry_after: float) -> None:
        super().__init__(why)
        self.retry_after = max(1, ceil(retry_after))


@dataclass(frozen=True)
class Role:
    """What a person or a machine is to the service. ``about`` says it in a few words."""

    name: str
    about: str


OPERATOR: Final = Role("operator", "runs the service: read models, sagas, parked events, keys")
AUDITOR: Final = Role("auditor", "sees everything and changes nothing")
ADMINISTRATIVE: Final = (OPERATOR, AUDITOR)
"""The roles that every service has."""


@dataclass(frozen=True)
class Caller:
    """Who has sent a request."""

    actor: str
    """As in the metadata of events."""
    roles: frozenset[str] | None
    """The names of their roles; ``None``: all of them."""
    subject: str | None = None
    """The id that their identity provider has for them."""

    def has(self, *roles: Role) -> bool:
        """Whether the caller has one of these."""
        return self.roles is None or any(role.name in self.roles for role in roles)


def issuer_and_subject(actor: str) -> tuple[str | None, str]:
    """Who vouches for an actor of an event, and the name that they have there.

    ``None``: the service itself, for its own keys, tokens and machines.
    """
    issuer, bar, subject = actor.partition("|")
    return (issuer, subject) if bar else (None, actor)


class Reach(Enum):
    """Whom a rule is for."""

    ROLES = "callers with one of its roles"
    IDENTIFIED = "all callers who are known"
    ALL = "everybody"


@dataclass(frozen=True)
class Rule:
    """The roles that may do one thing; ``own``: those that may do it with what is their own."""

    roles: tuple[Role, ...]
    own: tuple[Role, ...] = ()
    reach: Reach = Reach.ROLES
    about: str = ""
    """What else is asked of the caller."""

    @property
    def named(self) -> tuple[Role, ...]:
        """All roles that may, with their own or with all."""
        return (*self.roles, *self.own)

    def require(self, caller: Caller | None) -> None:
        """Raises :class:`Unidentified` and :class:`Forbidden`."""
        if self.reach is Reach.ALL:
            return
        if caller is None:
            raise Unidentified("say who you are")
        if self.reach is Reach.ROLES and not caller.has(*self.named):
            names = " or ".join(role.name for role in self.named)
            raise Forbidden(f"this needs the role {names}: {caller.actor} does not have it")

    def only_of(self, caller: Caller) -> str | None:
        """The subject whose things the caller is limited to; ``None``: no limit.

        Raises :class:`Forbidden` for a caller who is limited to their own, and has no subject.
        """
        if self.reach is not Reach.ROLES or caller.has(*self.roles):
            return None
        if caller.subject is None:
            raise Forbidden(f"{caller.actor} is nobody who could have anything of their own here")
        return caller.subject


ANYBODY: Final = Rule((), reach=Reach.ALL)
KNOWN: Final = Rule((), reach=Reach.IDENTIFIED)
METRICS: Final = Rule(ADMINISTRATIVE)
"""Who may see the metrics of a process."""
