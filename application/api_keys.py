"""A key by which a machine proves who it is. Stream: ``apikey-<key id>``.

The key is shown once, when it is issued. What is stored is its hash: a key is 256 random bits, so
it cannot be guessed from that.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Annotated, Final, Self, assert_never

from pydantic import AwareDatetime, Field

from application.category import Category
from domain.decider import Command, Decider, DomainError, Event, Missing, replace
from domain.values import Name, Text

Roles = Annotated[tuple[Name, ...], Field(min_length=1)]
PREFIX: Final = "hwk_"
"""What every key begins with, so that one that has leaked is found by searching."""
_FORM: Final = re.compile(PREFIX + r"([0-9a-f]{12})_([A-Za-z0-9_-]{43})")

# ── events ───────────────────────────────────────────────────────────────────────────────────────


class KeyIssued(Event):
    name: Name
    roles: Roles
    digest: str  # SHA-256 of its secret part, as hex
    expires_at: AwareDatetime | None = None


class KeyRevoked(Event):
    reason: Text


KeyEvent = KeyIssued | KeyRevoked

# ── state ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Key:
    issued: KeyIssued | None = None
    revoked: KeyRevoked | None = None

    def has_expired(self, now: datetime) -> bool:
        return bool(self.issued and self.issued.expires_at and self.issued.expires_at <= now)

    def is_proved_by(self, secret: str) -> bool:
        """Whether that is its secret part."""
        return self.issued is not None and compare_digest(digest(secret), self.issued.digest)


def evolve(key: Key, event: KeyEvent) -> Key:
    match event:
        case KeyIssued():
            return replace(key, issued=event)
        case KeyRevoked():
            return replace(key, revoked=event)
        case _:
            assert_never(event)


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


class IssueKey(Command):
    name: Name
    roles: Roles
    digest: str
    expires_at: AwareDatetime | None = None


class RevokeKey(Command):
    reason: Text


KeyCommand = IssueKey | RevokeKey


class UnknownKey(Missing):
    """No key has been issued under this id."""


class KeyIdTaken(DomainError):
    """Another key has been issued under this id."""


# ── decide ───────────────────────────────────────────────────────────────────────────────────────


def decide(command: KeyCommand, key: Key) -> Sequence[KeyEvent]:
    match command:
        case IssueKey():
            issued = KeyIssued(**dict(command))
            if key.issued not in (None, issued):
                raise KeyIdTaken("issue the key under another id")
            return [] if key.issued else [issued]
        case RevokeKey(reason=reason):
            if key.issued is None:
                raise UnknownKey("there is no key with this id")
            return [] if key.revoked else [KeyRevoked(reason=reason)]
        case _:
            assert_never(command)


API_KEYS: Final = Category.of("apikey", Decider(Key(), evolve, decide), KeyCommand, KeyEvent)

# ── the key itself ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class KeyText:
    """A key as its owner has it: ``hwk_<id>_<secret>``."""

    id: str
    secret: str

    @classmethod
    def new(cls) -> Self:
        return cls(secrets.token_hex(6), secrets.token_urlsafe(32))

    @classmethod
    def read(cls, text: str) -> Self | None:
        """``None`` for a text that is no key."""
        found = _FORM.fullmatch(text)
        return cls(found[1], found[2]) if found else None

    def __str__(self) -> str:
        return f"{PREFIX}{self.id}_{self.secret}"

    def __repr__(self) -> str:
        return f"KeyText({self.id}, …)"  # a log may show this one


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
