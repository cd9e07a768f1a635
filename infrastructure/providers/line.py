"""The line to a provider over HTTP: what is sent, and what silence and errors stand for.

Nothing is repeated here: whoever asks knows whether that is worth while.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError

from application.ports import OutcomeUnknown, ProviderRefused, ProviderUnavailable
from infrastructure.providers.answers import Answer, NotUnderstood, read

T = TypeVar("T")

_NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
_WITHOUT_PROXY: Final = ("all://127.0.0.1", "all://localhost", "all://[::1]")


class Line:
    """Connections to one provider, for all calls to it. To be closed by whoever made it."""

    def __init__(self, uri: str, *, patience: float = 10.0, patience_for_books: float = 60.0):
        """Gives a call up after ``patience`` seconds. The address may hold user and password."""
        address = httpx.URL(uri)
        self._uri = str(address.copy_with(username=None, password=None)).rstrip("/")
        self._patience, self._patience_for_books = patience, patience_for_books
        self._client = httpx.AsyncClient(
            auth=(address.username, address.password) if address.userinfo else None,
            timeout=httpx.Timeout(None, connect=patience * 0.8, pool=patience * 0.8),
            mounts=dict.fromkeys(_WITHOUT_PROXY),
        )

    async def act(self, call: str, key: str, content: Mapping[str, Any]) -> Answer | None:
        """Have something done. Raises the three errors of the port."""
        answer = await self._answer(
            self._client.build_request(
                "POST",
                f"{self._uri}/{call}",
                headers={"Idempotency-Key": quote(key, safe="")},
                json=content,
            ),
            self._patience,
        )
        try:
            return read(_json(answer))
        except NotUnderstood as error:
            raise OutcomeUnknown(str(error)) from None

    async def find(self, key: str) -> Answer | None:
        """What came of the call with that key. Raises as the port says."""
        question = self._client.build_request("GET", f"{self._uri}/calls", params={"key": key})
        try:
            return read(_json(await self._answer(question, self._patience)))
        except (OutcomeUnknown, NotUnderstood) as error:
            raise ProviderUnavailable(str(error)) from None

    async def books(self, shape: TypeAdapter[T]) -> T:
        """All that the provider has in its books. Raises :class:`ProviderUnavailable`."""
        question = self._client.build_request("GET", self._uri)
        try:
            answer = await self._answer(question, self._patience_for_books)
            return shape.validate_json(answer.content)
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
    told = f"{answer.request.url} answers {answer.status_code}: {answer.text:.200}"
    match _json(answer):
        case {"refused": str(reason)} if answer.is_client_error:
            return ProviderRefused(reason)
    if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE or not answer.is_server_error:
        return ProviderUnavailable(told)
    return OutcomeUnknown(told)


def _json(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None
