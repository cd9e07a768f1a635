"""The users of a node, stored in the log as on the server.

Stream ``$user-<name>`` holds one user; ``$users`` lists their names.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
from dataclasses import dataclass, replace
from typing import Any, Final

from embedded_eventstoredb.errors import EXPECT_ANY, not_recognised
from embedded_eventstoredb.storage import (
    MAX_VERSION,
    NewRecord,
    Reading,
    Transaction,
    compact,
)
from embedded_eventstoredb.streams import append, is_found

ADMINS: Final = "$admins"
OPERATORS: Final = "$ops"
EVERYONE: Final = "$all"

USER_CREATED: Final = "$UserCreated"
USER_UPDATED: Final = "$UserUpdated"
_LISTED: Final = "$User"
_LIST: Final = "$users"
_ROUNDS: Final = 1000  # as the server; too few for passwords in production


@dataclass(frozen=True)
class User:
    """A user as stored. ``updated`` counts 100 ns ticks since the Unix epoch."""

    name: str
    full_name: str
    groups: tuple[str, ...]
    salt: str
    hash: str
    disabled: bool = False
    updated: int = 0

    @property
    def roles(self) -> frozenset[str]:
        """The names by which an access list may refer to this user."""
        return frozenset((self.name, *self.groups, EVERYONE))

    def has_password(self, password: str) -> bool:
        expected = base64.b64decode(self.hash)
        return hmac.compare_digest(_hash(password, base64.b64decode(self.salt)), expected)

    def with_password(self, password: str) -> "User":
        salt = os.urandom(16)
        hashed = _hash(password, salt)
        return replace(
            self, salt=base64.b64encode(salt).decode(), hash=base64.b64encode(hashed).decode()
        )


def new_user(name: str, password: str, full_name: str, groups: tuple[str, ...] = ()) -> User:
    return User(name, full_name, groups, "", "").with_password(password)


def find_user(reading: Reading, name: str) -> User | None:
    """The user of that name; None if there is none, or not any more."""
    stream = reading.stream(f"$user-{name}")
    if not is_found(stream) or stream.tombstoned:
        return None
    (newest,) = reading.read_stream(stream, MAX_VERSION, backwards=True, limit=1)
    return _decoded(json.loads(newest.data), newest.created)


def all_users(reading: Reading) -> list[User]:
    """Every user, by name."""
    listed = reading.stream(_LIST)
    names: set[str] = set()
    version = 0
    while page := reading.read_stream(listed, version):
        names.update(record.data.decode() for record in page)
        version = page[-1].version + 1
    found = (find_user(reading, name) for name in sorted(names))
    return [user for user in found if user is not None]


def write_user(transaction: Transaction, user: User, change: str) -> None:
    """Write the new state of a user; ``change`` is the event's type."""
    data = {
        "loginName": user.name,
        "fullName": user.full_name,
        "salt": user.salt,
        "hash": user.hash,
        "disabled": user.disabled,
        "groups": list(user.groups),
    }
    record = NewRecord(change, compact(data), is_json=True)
    append(transaction, f"$user-{user.name}", EXPECT_ANY, [record])
    if change == USER_CREATED:
        append(transaction, _LIST, EXPECT_ANY, [NewRecord(_LISTED, user.name.encode())])


def create_default_users(transaction: Transaction) -> None:
    """Create the two users that every new server has; both passwords are ``changeit``."""
    if find_user(transaction, "admin") is None:
        administrator = new_user("admin", "changeit", "Event Store Administrator", (ADMINS,))
        write_user(transaction, administrator, USER_CREATED)
        operator = new_user("ops", "changeit", "Event Store Operations", (OPERATORS,))
        write_user(transaction, operator, USER_CREATED)


class Credentials:
    """Recognises users by their ``authorization`` header. Each password is hashed once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._known: dict[str, User] = {}

    def user(self, header: str | None) -> User | None:
        """The user of a header; None without one. Raises a Refusal if the password is wrong."""
        if header is None:
            return None
        name, password = _parsed(header)
        user = find_user(self._reading, name)
        if user is None or user.disabled:
            raise not_recognised()
        if self._known.get(header) != user:
            if not user.has_password(password):
                raise not_recognised()
            self._known[header] = user
        return user


def _parsed(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise not_recognised() from None
    if scheme.lower() != "basic" or not colon:
        raise not_recognised()
    return name, password


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha1", password.encode(), salt, _ROUNDS, 20)


def _decoded(data: dict[str, Any], created: int) -> User:
    return User(
        data["loginName"],
        data["fullName"],
        tuple(data["groups"]),
        data["salt"],
        data["hash"],
        data["disabled"],
        created,
    )
