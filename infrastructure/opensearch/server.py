"""An OpenSearch server: its client, and how long it is waited for."""

import logging
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from opensearchpy import AsyncOpenSearch
from opensearchpy.exceptions import SerializationError, TransportError

from application.backoff import Backoff
from application.ports import IndexMissing, StoreUnavailable
from infrastructure.opensearch.failures import BUSY, NotOpenSearch, meaning, one_line
from infrastructure.opensearch.silence import Silence, TimedOut
from infrastructure.settings import without_password

T = TypeVar("T")
Call = Callable[[AsyncOpenSearch], Awaitable[T]]

LOOK: Final = 1.5
"""Seconds for the answer to whether the server is there."""
QUERY: Final = 5.0
"""Seconds that a query may take."""
CHANGE: Final = 30.0
"""Seconds that a change of indexes may take."""
BULK: Final = 60.0
"""Seconds that a batch of writes may take."""

# It logs failed requests with tracebacks, and documents on DEBUG. Errors are reported here.
for _name in ("opensearch", "opensearchpy.trace"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

_ATTEMPTS: Final = 4
_BACKOFF: Final = Backoff(0.1, most=2.0)


class Server:
    """One OpenSearch cluster."""

    def __init__(self, client: AsyncOpenSearch, shown: str) -> None:
        """``shown``: its address without the password."""
        self._client, self._shown = client, f"OpenSearch at {shown}"
        self._silence = Silence()

    async def ask(self, call: Call[T], *, attempts: int = _ATTEMPTS) -> T:
        """What the call returns; a server that is busy is asked again, ``attempts`` times in all.

        Raises :class:`IndexMissing` for an index that is not there, :class:`AccessRefused`,
        ``StoreUnavailable``, and ``ValueError`` for what the server cannot take.
        """
        await self._silence.require_over(self._look)
        try:
            return await self._answer(call, attempts)
        except TimedOut as error:
            self._silence.begin(error)
            raise

    async def _answer(self, call: Call[T], attempts: int) -> T:
        for attempt in range(attempts):
            try:
                return await call(self._client)
            except SerializationError as error:
                raise NotOpenSearch(f"{self._shown}: {one_line(error)}") from error
            except TransportError as error:
                if error.status_code not in BUSY or attempt + 1 == attempts:
                    raise meaning(error, self._shown) from None  # it has the whole answer
                await _BACKOFF(attempt)
        raise AssertionError("the last attempt returns or raises")

    def unavailable(self, reason: str) -> StoreUnavailable:
        """The error for an answer that is incomplete."""
        return StoreUnavailable(f"{self._shown}: {reason}")

    async def check(self) -> None:
        """Raises ``StoreUnavailable`` unless OpenSearch answers, and soon.

        :class:`AccessRefused`, :class:`NotOpenSearch`, :class:`Untrusted` where waiting would not
        help.
        """
        try:
            about = await self.ask(_about, attempts=1)
        except (IndexMissing, ValueError) as error:
            raise NotOpenSearch(str(error)) from error
        if not (isinstance(about, dict) and "number" in about.get("version", ())):
            raise NotOpenSearch(f"{self._shown} answers, but is no OpenSearch: {one_line(about)}")

    async def _look(self) -> None:
        await self._answer(_about, 1)


async def _about(client: AsyncOpenSearch) -> Any:
    return await client.info(request_timeout=LOOK)


@asynccontextmanager
async def server(uri: str, trust: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """The server at this address, which is not asked yet.

    With https, its certificate has to be signed by one that is in ``trust``, or of the system's.
    """
    parts = urlsplit(uri)
    secure = parts.scheme == "https"
    address = parts.hostname or "127.0.0.1"
    host = f"[{address}]" if ":" in address else address  # the client forgets them
    client = AsyncOpenSearch(
        hosts=[{"host": host, "port": parts.port or (443 if secure else 9200)}],
        url_prefix=parts.path.strip("/"),
        headers=_credentials(parts),
        use_ssl=secure,
        ssl_context=(trust or ssl.create_default_context()) if secure else None,
        http_compress=not _is_near(address),
        max_retries=0,  # without pauses: `ask` makes them
    )
    try:
        yield Server(client, without_password(uri))
    finally:
        await client.close()


def _credentials(address: SplitResult) -> Mapping[str, str]:
    """The header with the user and the password; the client itself would encode it in Latin-1."""
    if not address.username:
        return {}
    login = f"{unquote(address.username)}:{unquote(address.password or '')}"
    return {"authorization": f"Basic {b64encode(login.encode()).decode()}"}


def _is_near(host: str) -> bool:
    """Whether compressing costs more than it saves."""
    return host in ("127.0.0.1", "localhost", "::1")
