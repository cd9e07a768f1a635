"""Authorisation: access lists of streams, and the roles that calls need.

The rules are the server's own (LegacyStreamPermissionAssertion, LegacyAuthorizationProvider).
"""

import json
from enum import Enum
from typing import Any, Final, Protocol

import grpc

from embedded_eventstoredb.errors import AccessDenied
from embedded_eventstoredb.storage import MAX_VERSION, Reading
from embedded_eventstoredb.streams import is_found
from embedded_eventstoredb.users import (
    ADMINS,
    EVERYONE,
    OPERATORS,
    Credentials,
    User,
)

ALL: Final = "$all"
_ADMINISTRATORS: Final = frozenset(("admin", ADMINS))
_OPERATORS: Final = frozenset(("ops", OPERATORS)) | _ADMINISTRATORS
_SETTINGS: Final = "$settings"

_Context = grpc.aio.ServicerContext[Any, Any]


class Action(Enum):
    """An action on a stream, by its key in an access list."""

    READ = "$r"
    WRITE = "$w"
    DELETE = "$d"
    READ_METADATA = "$mr"
    WRITE_METADATA = "$mw"


class Access(Protocol):
    """Authorises calls. A call that is not allowed raises a Refusal."""

    def user_name(self, context: _Context) -> str:
        """The name of the calling user."""
        ...

    def check(self, context: _Context, action: Action, stream: str) -> None:
        """Raises unless the caller may do that to the stream, or to ``$all``."""
        ...

    def check_call(self, header: str | None, service: str, method: str) -> None:
        """Raises unless a caller with this ``authorization`` header may make that call at all."""
        ...

    def check_administrator(self, context: _Context, or_user: str = "") -> None:
        """Raises unless the caller is an administrator, or that user."""
        ...


class OpenAccess:
    """An insecure node: everything is allowed."""

    def user_name(self, _: _Context) -> str:
        return "system"

    def check(self, context: _Context, action: Action, stream: str) -> None:
        pass

    def check_call(self, header: str | None, service: str, method: str) -> None:
        pass

    def check_administrator(self, context: _Context, or_user: str = "") -> None:
        pass


class GuardedAccess:
    """A node with users: every call except gossip and ServerFeatures needs a user."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._credentials = Credentials(reading)

    def user_name(self, context: _Context) -> str:
        user = self._credentials.user(_header(context))
        return user.name if user else "anonymous"

    def check(self, context: _Context, action: Action, stream: str) -> None:
        user = self._credentials.user(_header(context))
        if user is None:
            raise AccessDenied
        if stream == ALL and action is not Action.READ:
            raise AccessDenied
        if stream.startswith("$$"):
            action, stream = _on_metadata(action), stream[2:]
        if not user.roles & (_ADMINISTRATORS | self._allowed(action, stream)):
            raise AccessDenied

    def check_call(self, header: str | None, service: str, method: str) -> None:
        user = self._credentials.user(header)
        match service.rpartition(".")[2], method:
            case (("Gossip" | "ServerFeatures"), _) | ("Streams", "BatchAppend"):
                return  # each append of a batch call is authorised separately
            case "PersistentSubscriptions", ("Read" | "GetInfo" | "List"):
                _require_user(user)
            case "Projections", ("Delete" | "RestartSubsystem"):
                _require_role(user, _OPERATORS)
            case (("PersistentSubscriptions" | "Operations"), _):
                _require_role(user, _OPERATORS)
            case _:
                _require_user(user)

    def check_administrator(self, context: _Context, or_user: str = "") -> None:
        user = self._credentials.user(_header(context))
        if user is None or user.name != or_user:
            _require_role(user, _ADMINISTRATORS)

    def _allowed(self, action: Action, stream: str) -> frozenset[str]:
        """The allowed roles: from the stream's own list, the list for such streams, or the
        server's.
        """
        system = stream.startswith("$")
        kind = "$systemStreamAcl" if system else "$userStreamAcl"
        own = _newest(self._reading, f"$${stream}").get("$acl")
        for access_list in (own, _newest(self._reading, _SETTINGS).get(kind)):
            if isinstance(access_list, dict) and action.value in access_list:
                return _roles(access_list[action.value])
        return frozenset((ADMINS,)) if system else frozenset((EVERYONE,))


def _on_metadata(action: Action) -> Action:
    match action:
        case Action.READ:
            return Action.READ_METADATA
        case Action.WRITE:
            return Action.WRITE_METADATA
        case _:
            raise AccessDenied


def _require_user(user: User | None) -> None:
    if user is None:
        raise AccessDenied


def _require_role(user: User | None, roles: frozenset[str]) -> None:
    if user is None or not user.roles & roles:
        raise AccessDenied


def _roles(given: object) -> frozenset[str]:
    """The roles in a list; a single name is a list of one."""
    return frozenset(map(str, given)) if isinstance(given, list) else frozenset((str(given),))


def _newest(reading: Reading, name: str) -> dict[str, Any]:
    """The newest event of a stream as a JSON object; empty if it is not one."""
    stream = reading.stream(name)
    if not is_found(stream) or stream.tombstoned:
        return {}
    newest = reading.read_stream(stream, MAX_VERSION, backwards=True, limit=1)
    try:
        found = json.loads(newest[0].data)
    except (ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}


def _header(context: _Context) -> str | None:
    headers = context.invocation_metadata() or ()
    return next((str(value) for key, value in headers if key == "authorization"), None)
