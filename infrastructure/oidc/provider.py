"""The keys by which one identity provider signs, as it publishes them.

They are fetched when a token first needs them, and kept. A provider that is away does not matter
while its keys are known: they are used for a day. Its new keys are fetched when a token names one
that is not known, but at most every ``PAUSE``: made-up names of keys cannot drive the service to
ask the provider again and again.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import aiohttp
from jwt import PyJWK, PyJWTError

from application.access import IdentityUnavailable
from infrastructure.settings.values import is_private

PAUSE: Final = 10.0  # seconds between two fetches, at least
FRESH: Final = 600.0  # seconds after which keys are fetched again
KEPT: Final = 86_400.0  # seconds for which keys are used while the provider is away
_PATIENCE: Final = 5.0  # seconds for each of the two requests
_LARGEST: Final = 256 * 1024  # bytes of an answer
_KINDS: Final = {"RS256": "RSA", "ES256": "EC"}
"""The type of key (RFC 7518) by which each algorithm is verified."""

Fetch = Callable[[str], Awaitable[Mapping[str, Any]]]
"""Gets the JSON object at an address. Raises :class:`IdentityUnavailable`."""


async def fetched(uri: str) -> Mapping[str, Any]:
    """The JSON object there. Redirections are not followed. Raises :class:`IdentityUnavailable`."""
    status, found = await answered("GET", uri)
    if status != HTTPStatus.OK:
        raise IdentityUnavailable(f"{uri}: status {status}")
    return found


async def answered(method: str, uri: str, **request: Any) -> tuple[int, Mapping[str, Any]]:
    """The status and the JSON object of an answer. Raises :class:`IdentityUnavailable`."""
    timeout = aiohttp.ClientTimeout(total=_PATIENCE)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, uri, allow_redirects=False, **request) as answer,
        ):
            body = await _whole(answer.content)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise IdentityUnavailable(f"{uri}: {error or type(error).__name__}") from error
    if len(body) > _LARGEST:
        raise IdentityUnavailable(f"{uri}: status {answer.status}, {len(body):,} bytes")
    return answer.status, _object(uri, body) if body or answer.status == HTTPStatus.OK else {}


class Provider:
    """One provider, by the address that it has as ``iss`` in its tokens."""

    def __init__(
        self, issuer: str, fetch: Fetch = fetched, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.issuer, self._fetch, self._clock = issuer, fetch, clock
        self._keys: Sequence[PyJWK] = ()
        self._about: Mapping[str, Any] = {}
        self._fetched: float | None = None  # when the keys were
        self._tried: float | None = None
        self._turn = asyncio.Lock()

    async def key(self, algorithm: str, name: str | None) -> PyJWK | None:
        """The key of that name, if the provider has it for that algorithm.

        Without a name: its only key for the algorithm. Raises :class:`IdentityUnavailable`.
        """
        if self._is_older_than(FRESH) or self._named(algorithm, name) is None:
            await self._renew()
        return self._named(algorithm, name)

    async def about(self) -> Mapping[str, Any]:
        """What the provider publishes about itself. Raises :class:`IdentityUnavailable`."""
        if self._is_older_than(FRESH):
            await self._renew()
        return self._about

    async def _renew(self) -> None:
        """Fetch the keys, unless another request has just done it."""
        async with self._turn:
            if self._tried is not None and self._clock() - self._tried < PAUSE:
                self._require_keys("it was asked a moment ago")
                return
            self._tried = self._clock()
            try:
                self._about, self._keys = await self._published()
                self._fetched = self._clock()
            except IdentityUnavailable as error:
                self._require_keys(error)

    def _require_keys(self, why: object) -> None:
        if self._is_older_than(KEPT):
            raise IdentityUnavailable(f"the keys of {self.issuer} are not known: {why}")

    def _is_older_than(self, seconds: float) -> bool:
        return self._fetched is None or self._clock() - self._fetched > seconds

    async def _published(self) -> tuple[Mapping[str, Any], Sequence[PyJWK]]:
        """Raises :class:`IdentityUnavailable`, also for an answer that is not as the standard."""
        about = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        found = await self._fetch(about)
        if found.get("issuer") != self.issuer:
            raise IdentityUnavailable(f"{about} is about {found.get('issuer')!r:.200}")
        where = found.get("jwks_uri")
        if not isinstance(where, str) or not is_private(where):
            raise IdentityUnavailable(f"{about} has no safe jwks_uri, but {where!r:.200}")
        keys = (await self._fetch(where)).get("keys")
        if not isinstance(keys, list):
            raise IdentityUnavailable(f"{where} has no list of keys")
        return found, [key for one in keys if (key := _signing(one))]

    def _named(self, algorithm: str, name: str | None) -> PyJWK | None:
        """A key is for one algorithm: that of an RSA key does not verify what an EC key signs."""
        fitting = [key for key in self._keys if key.algorithm_name == algorithm]
        if name is None:
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in fitting if key.key_id == name), None)


def _signing(published: object) -> PyJWK | None:
    """The key, if tokens may be signed by it: a provider may publish others, too."""
    if not isinstance(published, dict) or published.get("use", "sig") != "sig":
        return None
    for algorithm, kind in _KINDS.items():
        if published.get("kty") == kind and published.get("alg", algorithm) == algorithm:
            try:
                return PyJWK(published, algorithm)
            except (PyJWTError, ValueError):
                return None
    return None


async def _whole(content: aiohttp.StreamReader) -> bytes:
    """All of it, or a little more than what is accepted: one read may return a part."""
    body = b""
    async for part in content.iter_any():
        body += part
        if len(body) > _LARGEST:
            break
    return body


def _object(uri: str, body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError as error:
        raise IdentityUnavailable(f"{uri}: the answer is not JSON") from error
    if not isinstance(found, dict):
        raise IdentityUnavailable(f"{uri}: the answer is not a JSON object")
    return found
