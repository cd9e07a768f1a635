"""The connection to a provider over HTTP: what is sent, and what silence and errors stand for.

Nothing is repeated here: the caller knows whether that is worth while.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Generic, Self
from urllib.parse import quote

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    InvalidURL,
    TCPConnector,
    encode_basic_auth,
)
from pydantic import ValidationError
from yarl import URL

from application.ports import (
    Declined,
    Done,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnavailable,
)
from infrastructure.providers.answers import NotUnderstood
from infrastructure.providers.provider import C, G, Provider, R

_NEVER_SENT: Final = (ClientConnectorError, ConnectionTimeoutError, InvalidURL)
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})  # reached without a proxy


@dataclass(frozen=True)
class _Answer:
    """An answer, read whole."""

    url: URL
    status: int
    content: bytes

    @property
    def json(self) -> object:
        """``None`` where it is no JSON."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None

    def error(self) -> Exception:
        """What an answer that is no success stands for."""
        text = self.content[:200].decode(errors="replace")
        said = f"{self.url} answers {self.status}: {text}"
        match self.json:
            case {"refused": str(reason)} if 400 <= self.status < 500:
                return ProviderRefused(reason)
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE or self.status < 500:
            return ProviderUnavailable(said)
        return OutcomeUnknown(said)


def _authorization(address: URL) -> Mapping[str, str]:
    if address.user is None:
        return {}
    return {"Authorization": encode_basic_auth(address.user, address.password or "", "utf-8")}


class HttpConnection(Generic[C, G, R]):
    """Connections to one provider, for all calls to it. Its maker closes it."""

    def __init__(
        self,
        provider: Provider[C, G, R],
        uri: str,
        *,
        patience: float = 10.0,
        patience_for_records: float = 60.0,
    ):
        """Gives a call up after ``patience`` seconds. The address may hold user and password."""
        address = URL(uri)
        self._provider, self._uri = provider, address.with_user(None)
        self._patience, self._patience_for_records = patience, patience_for_records
        self._client = ClientSession(
            headers=_authorization(address),
            connector=TCPConnector(limit=100),
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=None, connect=patience * 0.8),
            trust_env=address.host not in _LOOPBACK,
        )

    async def call(self, key: str, call: C) -> G | Declined | Done:
        url = self._uri / self._provider.name_of(call)
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": quote(key, safe=""),
        }
        content = call.model_dump_json().encode()
        answer = await self._answer("POST", url, self._patience, headers, content)
        try:
            given = self._provider.answers.read(answer.json)
        except NotUnderstood as error:
            raise OutcomeUnknown(str(error)) from None
        if given is None:
            raise OutcomeUnknown(f"{answer.json!r:.200} is not an answer to {call!r}")
        return given

    async def find(self, key: str) -> G | Declined | Done | None:
        url = (self._uri / "calls").with_query(key=key)
        try:
            answer = await self._answer("GET", url, self._patience)
            return self._provider.answers.read(answer.json)
        except (OutcomeUnknown, NotUnderstood) as error:
            raise ProviderUnavailable(str(error)) from None

    async def records(self) -> Sequence[R]:
        try:
            answer = await self._answer("GET", self._uri, self._patience_for_records)
            return self._provider.records.validate_json(answer.content)
        except (OutcomeUnknown, ProviderRefused, ValidationError) as error:
            raise ProviderUnavailable(str(error)) from None

    async def aclose(self) -> None:
        await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _answer(
        self,
        method: str,
        url: URL,
        patience: float,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> _Answer:
        try:
            async with (
                asyncio.timeout(patience),
                self._client.request(
                    method, url, headers=headers, data=content, allow_redirects=False
                ) as response,
            ):
                answer = _Answer(url, response.status, await response.read())
        except _NEVER_SENT as error:
            raise ProviderUnavailable(f"{self._uri} cannot be reached: {error}") from None
        except TimeoutError:
            raise OutcomeUnknown(f"{url} gave no answer in {patience:g} s") from None
        except ClientError as error:
            raise OutcomeUnknown(f"{url} gave no answer: {error}") from None
        if 200 <= answer.status < 300:
            return answer
        raise answer.error()
