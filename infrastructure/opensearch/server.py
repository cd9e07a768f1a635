"""An OpenSearch server: its client, how long it is waited for, and what its errors mean."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

from opensearchpy import AsyncOpenSearch
from opensearchpy.exceptions import ConnectionError, NotFoundError, TransportError

from application.backoff import Backoff
from application.ports import IndexMissing, StoreUnavailable
from infrastructure.settings import without_password

T = TypeVar("T")

QUERY: Final = 5.0
"""Seconds that a query may take."""
CHANGE: Final = 30.0
"""Seconds that a change of indexes may take."""
BULK: Final = 60.0
"""Seconds that a batch of writes may take."""

_ATTEMPTS: Final = 4
_BACKOFF: Final = Backoff(0.1, most=2.0)
_BUSY: Final = frozenset({429, 502, 503, 504})  # also while the cluster elects or recovers
_REFUSED: Final = frozenset({401, 403})


class AccessRefused(StoreUnavailable):
    """The server does not accept the user, the password, or what the user wants to do."""


class Server:
    """One OpenSearch cluster."""

    def __init__(self, client: AsyncOpenSearch, shown: str) -> None:
        """``shown``: its address without the password."""
        self._client, self._shown = client, f"OpenSearch at {shown}"

    async def ask(
        self, call: Callable[[AsyncOpenSearch], Awaitable[T]], *, attempts: int = _ATTEMPTS
    ) -> T:
        """What the call returns; a server that is busy is asked again, ``attempts`` times in all.

        Raises :class:`IndexMissing` for an index that is not there, :class:`AccessRefused`,
        ``StoreUnavailable``, and ``ValueError`` for what the server cannot take.
        """
        for attempt in range(attempts):
            try:
                return await call(self._client)
            except ConnectionError as error:  # a time limit that ended, too
                raise StoreUnavailable(f"{self._shown} does not answer: {_cause(error)}") from error
            except TransportError as error:
                if error.status_code not in _BUSY or attempt + 1 == attempts:
                    raise self._meaning(error) from error
                await _BACKOFF(attempt)
        raise AssertionError("the last attempt returns or raises")

    def _meaning(self, error: TransportError) -> Exception:
        status, reason = error.status_code, f"{self._shown} answers {error.status_code}: "
        reason += _reason(error)
        if isinstance(error, NotFoundError):
            return IndexMissing(reason)
        if status in _REFUSED:
            return AccessRefused(reason)
        if status in _BUSY or (isinstance(status, int) and status >= 500):
            return StoreUnavailable(reason)
        return ValueError(reason)

    def unavailable(self, reason: str) -> StoreUnavailable:
        """The error for an answer that is incomplete."""
        return StoreUnavailable(f"{self._shown}: {reason}")

    async def check(self) -> None:
        """Raises ``StoreUnavailable``, or :class:`AccessRefused`, unless the server answers."""
        await self.ask(lambda client: client.info(request_timeout=QUERY), attempts=1)


@asynccontextmanager
async def server(uri: str, ca_file: Path | None = None) -> AsyncIterator[Server]:
    """The server at this address, which is not asked yet.

    With https, its certificate has to be signed by one of ``ca_file``, or of the system's.
    ``ValueError`` for a file that has no certificates.
    """
    parts = urlsplit(uri)
    secure = parts.scheme == "https"
    address = parts.hostname or "127.0.0.1"
    client = AsyncOpenSearch(
        hosts=[{"host": address, "port": parts.port or (443 if secure else 9200)}],
        url_prefix=parts.path.strip("/"),
        http_auth=(unquote(parts.username), unquote(parts.password or ""))
        if parts.username
        else None,
        use_ssl=secure,
        ssl_context=_trust(ca_file) if secure else None,
        http_compress=not _is_near(address),
        max_retries=0,  # without pauses: `ask` makes them
    )
    try:
        yield Server(client, without_password(uri))
    finally:
        await client.close()


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:
        raise ValueError(f"{ca_file} cannot be read as certificates: {error}") from error


def _is_near(host: str) -> bool:
    """Whether compressing costs more than it saves."""
    return host in ("127.0.0.1", "localhost", "::1")


def _cause(error: TransportError) -> str:
    return str(error.args[1]) if len(error.args) > 1 else str(error)


def _reason(error: TransportError) -> str:
    """What the server says in its own words, in one line."""
    info: Any = error.info
    cause = info.get("error") if isinstance(info, dict) else None
    if isinstance(cause, dict):
        root = (cause.get("root_cause") or [cause])[0]
        return f"{root.get('type', cause.get('type'))}: {root.get('reason') or cause.get('reason')}"
    return str(cause or error.error)
