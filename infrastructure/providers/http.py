"""The connection to a provider over HTTP: what is sent, and what silence and errors stand for.

Nothing is repeated here: the caller knows whether that is worth while.
"""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, Generic, Self
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from application.ports import (
    Declined,
    Done,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnavailable,
)
from infrastructure.providers.answers import NotUnderstood
from infrastructure.providers.provider import C, G, Provider, R

_NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
_WITHOUT_PROXY: Final = ("all://127.0.0.1", "all://localhost", "all://[::1]")


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
        self._provider, address = provider, httpx.URL(uri)
        self._uri = str(address.copy_with(username=None, password=None)).rstrip("/")
        self._patience, self._patience_for_records = patience, patience_for_records
        self._client = httpx.AsyncClient(
            auth=(address.username, address.password) if address.userinfo else None,
            timeout=httpx.Timeout(None, connect=patience * 0.8, pool=patience * 0.8),
            mounts=dict.fromkeys(_WITHOUT_PROXY),
        )

    async def call(self, key: str, call: C) -> G | Declined | Done:
        request = self._client.build_request(
            "POST",
            f"{self._uri}/{self._provider.name_of(call)}",
            headers={"Idempotency-Key": quote(key, safe="")},
            json=call.model_dump(mode="json"),
        )
        answered = _json(await self._answer(request, self._patience))
        try:
            answer = self._provider.answers.read(answered)
        except NotUnderstood as error:
            raise OutcomeUnknown(str(error)) from None
        if answer is None:
            raise OutcomeUnknown(f"{answered!r:.200} is not an answer to {call!r}")
        return answer

    async def find(self, key: str) -> G | Declined | Done | None:
        request = self._client.build_request("GET", f"{self._uri}/calls", params={"key": key})
        try:
            answered = await self._answer(request, self._patience)
            return self._provider.answers.read(_json(answered))
        except (OutcomeUnknown, NotUnderstood) as error:
            raise ProviderUnavailable(str(error)) from None

    async def records(self) -> Sequence[R]:
        request = self._client.build_request("GET", self._uri)
        try:
            answer = await self._answer(request, self._patience_for_records)
            return self._provider.records.validate_json(answer.content)
        except (OutcomeUnknown, ProviderRefused, ValidationError) as error:
            raise ProviderUnavailable(str(error)) from None

    async def aclose(self) -> None:
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _answer(self, request: httpx.Request, patience: float) -> httpx.Response:
        try:
            async with asyncio.timeout(patience):
                answer = await self._client.send(request)
        except TimeoutError:
            raise OutcomeUnknown(f"{request.url} gave no answer in {patience:g} s") from None
        except _NEVER_SENT as error:
            raise ProviderUnavailable(f"{self._uri} cannot be reached: {error}") from None
        except httpx.HTTPError as error:
            raise OutcomeUnknown(f"{request.url} gave no answer: {error}") from None
        if answer.is_success:
            return answer
        raise _error(answer)


def _error(answer: httpx.Response) -> Exception:
    said = f"{answer.request.url} answers {answer.status_code}: {answer.text:.200}"
    match _json(answer):
        case {"refused": str(reason)} if answer.is_client_error:
            return ProviderRefused(reason)
    if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE or not answer.is_server_error:
        return ProviderUnavailable(said)
    return OutcomeUnknown(said)


def _json(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None
