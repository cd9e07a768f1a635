"""What the errors of OpenSearch mean, in words for the person who runs the service."""

import re
from typing import Any, Final

from aiohttp import ClientConnectorCertificateError, ClientSSLError, ServerDisconnectedError
from opensearchpy.exceptions import ConnectionError, NotFoundError, TransportError

from application.ports import IndexMissing, StoreUnavailable
from infrastructure.opensearch.silence import TimedOut

BUSY: Final = frozenset({429, 502, 503, 504})
"""Also while the cluster elects or recovers: ask again."""
BLOCKED: Final = frozenset({"cluster_block_exception", "index_closed_exception"})
"""The index is not to be used now: an operator, or a disk that is nearly full, has seen to it."""
MISSING: Final = "index_not_found_exception"

_REFUSED: Final = frozenset({401, 403})
_LONGEST: Final = 300  # letters of a reason
_LOGIN: Final = re.compile(r"\b(Basic|Bearer) [\w+/=.~-]+", re.IGNORECASE)


class AccessRefused(StoreUnavailable):
    """The server does not accept the user, the password, or what the user wants to do."""


class NotOpenSearch(StoreUnavailable):
    """Something else answers at this address."""


class Untrusted(StoreUnavailable):
    """The certificate of the server has no signature that is trusted, or is for another name."""


def meaning(error: TransportError, shown: str) -> Exception:
    """The error of the ports for it, or ``ValueError`` for what the server cannot take.

    ``shown``: the address of the server, as it may be shown.
    """
    if isinstance(error, ConnectionError):
        return _unanswered(error, shown)
    status, reason = error.status_code, f"{shown} answers {error.status_code}: {_reason(error)}"
    if isinstance(error, NotFoundError):
        return IndexMissing(reason)
    if status in BUSY or (isinstance(status, int) and status >= 500) or _type(error) in BLOCKED:
        return StoreUnavailable(reason)
    if status in _REFUSED:
        return AccessRefused(reason)
    return ValueError(reason)


def of_item(status: int, error: dict[str, Any], what: str) -> Exception:
    """The same for one document of several. ``what``: which, and where."""
    reason = f"OpenSearch cannot keep {what}: {error['type']}: {one_line(error['reason'])}"
    if error["type"] == MISSING:
        return IndexMissing(reason)
    if status == 400 and error["type"] not in BLOCKED:  # the document itself
        return ValueError(reason)
    return StoreUnavailable(reason)


def one_line(text: object) -> str:
    """As much of a text as fits into a message. A server may repeat what it was sent: no login."""
    line = _LOGIN.sub(r"\1 …", " ".join(str(text).split()))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"


def _unanswered(error: ConnectionError, shown: str) -> StoreUnavailable:
    cause = error.info
    reason = f"{shown} does not answer: {one_line(error.error or cause)}"
    match cause:
        case ClientConnectorCertificateError():
            return Untrusted(f"{shown} cannot be trusted: {one_line(cause)}")
        case ClientSSLError():
            return NotOpenSearch(f"{shown} does not speak TLS: {one_line(cause)}")
        case ServerDisconnectedError() if "http://" in shown:
            return StoreUnavailable(f"{reason}; a server that wants https does the same")
        case TimeoutError():
            return TimedOut(f"{shown} does not answer in time")
    return StoreUnavailable(reason)


def _type(error: TransportError) -> str | None:
    found = _found(error)
    return found.get("type") if found else None


def _reason(error: TransportError) -> str:
    """What the server says in its own words."""
    info: Any = error.info
    if found := _found(error):
        root = (found.get("root_cause") or [found])[0]
        kind, reason = root.get("type", found.get("type")), root.get("reason")
        cause = found.get("caused_by") or {}
        return one_line(f"{kind}: {reason or found.get('reason') or cause.get('reason')}")
    cause = info.get("error") if isinstance(info, dict) else None
    return one_line(cause or error.error)


def _found(error: TransportError) -> dict[str, Any] | None:
    info: Any = error.info
    found = info.get("error") if isinstance(info, dict) else None
    return found if isinstance(found, dict) else None
