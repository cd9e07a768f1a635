"""An Algolia application: its client, and how long it is waited for."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import ClientConnectorError
from algoliasearch.http.api_response import ApiResponse
from algoliasearch.http.exceptions import AlgoliaUnreachableHostException, RequestException
from algoliasearch.http.hosts import Host, HostsCollection
from algoliasearch.search.client import SearchClient
from algoliasearch.search.config import SearchConfig
from pydantic import SecretStr

from application.backoff import Backoff
from application.ports import IndexMissing, StoreUnavailable
from infrastructure.algolia.failures import BUSY, FAILURES, NotAlgolia, Rejected, meaning

Call = Callable[[SearchClient], Awaitable[ApiResponse[str]]]

QUERY: Final = 5.0
"""Seconds that a query may take, all hosts together."""
CHANGE: Final = 60.0
"""Seconds that another request may take."""
PATIENCE: Final = 30.0
"""Seconds until a change has to be published."""

_ATTEMPTS: Final = 4
_BACKOFF: Final = Backoff(0.2, most=2.0)
_POLLING: Final = Backoff(0.02, most=1.0)
_MILLISECONDS: Final = 1000
_CONNECT, _READ, _WRITE = 1.0, 2.0, 30.0  # seconds, of one host


class Application:
    """One application of Algolia, by one of its keys."""

    def __init__(
        self,
        client: SearchClient,
        hosts: Sequence[Host],
        name: str,
        key: SecretStr,
        patience: float,
    ) -> None:
        """``patience``: as :data:`PATIENCE`."""
        self._client, self._hosts, self._key = client, hosts, key
        self._shown, self._patience = f"Algolia application {name}", patience

    async def ask(self, call: Call, *, attempts: int = _ATTEMPTS, limit: float = CHANGE) -> Any:
        """The answer to a call, as JSON, within ``limit`` seconds.

        The client asks the next host where one fails. Where all fail, or have too much to do, they
        are asked again, with pauses. Raises :class:`IndexMissing` for an index that is not there,
        :class:`AccessRefused`, :class:`Rejected`, and ``StoreUnavailable``.
        """
        try:
            async with asyncio.timeout(limit):
                return await self._answer(call, attempts)
        except TimeoutError as error:
            raise self.unavailable(f"it does not answer within {limit:g} s") from error

    async def _answer(self, call: Call, attempts: int) -> Any:
        for attempt in range(attempts):
            try:
                return json.loads((await call(self._client)).raw_data or "null")
            except FAILURES as error:
                if not self._is_worth_another(error) or attempt + 1 == attempts:
                    raise meaning(self._without_key(error), self._shown) from None
            await _BACKOFF(attempt)
        raise AssertionError("the last attempt returns or raises")

    def _is_worth_another(self, error: Exception) -> bool:
        """Whether to ask again. Decides which hosts are asked then."""
        if isinstance(error, AlgoliaUnreachableHostException):
            for host in self._hosts:  # the client would leave them out for five minutes
                host.reset()
            return True
        if isinstance(error, ClientConnectorError):  # the client would ask the same one again
            found = [one for one in self._hosts if _is_at(one, error)]
            for host in found:
                host.up, host.last_use = False, time.time()
            return bool(found)
        return isinstance(error, RequestException) and error.status_code == BUSY

    def _without_key(self, error: Exception) -> Exception:
        """The same error, without the key in its text."""
        if isinstance(error, RequestException):
            error.message = error.message.replace(self._key.get_secret_value(), "***")
        return error

    async def carry_out(self, index: str, call: Call) -> bool:
        """Make a change of that index, and wait for it.

        Returns ``False`` where it was accepted, but is not published in time. Algolia does not
        publish some changes of which nothing had to be done. Raises as :meth:`ask`.
        """
        task = (await self.ask(call))["taskID"]
        try:
            async with asyncio.timeout(self._patience):
                await self._published(index, task)
        except TimeoutError:
            return False
        return True

    async def change(self, index: str, call: Call) -> None:
        """As :meth:`carry_out`, but raises ``StoreUnavailable`` unless it is published in time."""
        if not await self.carry_out(index, call):
            raise self.unpublished(index)

    async def _published(self, index: str, task: int) -> None:
        attempt = 0
        while (await self._task(index, task))["status"] != "published":
            await _POLLING(attempt)
            attempt += 1

    async def _task(self, index: str, task: int) -> Any:
        return await self.ask(lambda client: client.get_task_with_http_info(index, task))

    async def about(self, index: str) -> Mapping[str, Any] | None:
        """The settings of an index; ``None`` where there is none."""
        try:
            found: Mapping[str, Any] = await self.ask(
                lambda client: client.get_settings_with_http_info(index)
            )
        except IndexMissing:
            return None
        return found

    async def check(self) -> None:
        """Raises ``StoreUnavailable`` unless Algolia answers, and soon.

        :class:`AccessRefused` and :class:`NotAlgolia` where waiting would not help.
        """
        try:
            answer = await self.ask(
                lambda client: client.list_indices_with_http_info(page=0, hits_per_page=1),
                attempts=2,
                limit=QUERY,
            )
        except (IndexMissing, Rejected) as error:
            raise NotAlgolia(str(error)) from error
        if not (isinstance(answer, dict) and "items" in answer):
            raise NotAlgolia(f"{self._shown}: what answers there is not Algolia")

    def unpublished(self, index: str) -> StoreUnavailable:
        return self.unavailable(
            f"a change of {index} has not been published within {self._patience:g} s"
        )

    def unavailable(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(f"{self._shown}: {reason}")


@asynccontextmanager
async def application(
    name: str, key: SecretStr, hosts: Sequence[str] = (), patience: float = PATIENCE
) -> AsyncIterator[Application]:
    """The application of that id, which is not asked yet.

    ``hosts``: base addresses to use instead of Algolia's own.
    """
    config = SearchConfig(name, key.get_secret_value())
    config.connect_timeout = int(_CONNECT * _MILLISECONDS)
    config.read_timeout = int(_READ * _MILLISECONDS)
    config.write_timeout = int(_WRITE * _MILLISECONDS)
    config.max_rate_limit_retries = 0  # it waits as long as the answer wants: `ask` has limits
    config.proxies = None  # aiohttp takes them from the environment, with their exceptions
    if hosts:
        config.hosts = HostsCollection([_host(one) for one in hosts])
    async with SearchClient.create_with_config(config) as client:
        assert config.hosts  # the client has set its own
        known = [*config.hosts.read(), *config.hosts.write()]
        yield Application(client, known, name, key, patience)


def _host(address: str) -> Host:
    parts = urlsplit(address)
    name = parts.hostname or ""
    return Host(f"[{name}]" if ":" in name else name, scheme=parts.scheme, port=parts.port)


def _is_at(host: Host, error: ClientConnectorError) -> bool:
    port = host.port or (443 if host.scheme == "https" else 80)
    return (host.url.strip("[]"), port) == (error.host, error.port)
