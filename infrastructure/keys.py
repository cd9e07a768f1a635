"""The keys of data subjects, opened: beside the read models, under the master key of the settings.

A service whose events hold no personal data needs none.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import structlog

from application.personal.published import has_personal  # only: bus
from application.ports import KeyStore, StoreUnavailable
from application.service import Service
from infrastructure.master_keys import MasterKeys
from infrastructure.settings import InvalidSettings, Settings, is_loopback

log = structlog.stdlib.get_logger(__name__)

_MAKES_ONE: Final = "`openssl rand -base64 32` makes one"


class WrappedKeyStore(KeyStore, Protocol):
    """Keys that are kept under a master key."""

    async def masters(self) -> Collection[str]:
        """The fingerprints of the master keys by which keys are wrapped."""
        ...

    def rewrap(self) -> AsyncGenerator[int, None]:
        """Wrap all keys by the newest master key. Yields how many were done, step by step.

        Can be stopped and repeated. Raises ``NoMasterKey`` for a key that cannot be unwrapped, and
        leaves it as it was.
        """
        ...


class NoKeyStore:
    """In the place of a key store, where none is open: whatever is asked of it fails, and why."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def keys(self, subjects: Collection[str]) -> Mapping[str, bytes]:
        if not subjects:
            return {}
        raise StoreUnavailable(self._reason)

    async def key(self, subject: str) -> bytes:
        raise StoreUnavailable(f"{self._reason}; it is about {subject!r}")

    async def destroy(self, subject: str) -> bool:
        raise StoreUnavailable(f"{self._reason}; it is about {subject!r}")

    async def forgotten(self) -> AsyncIterator[str]:
        raise StoreUnavailable(self._reason)
        yield ""


NOT_OPENED: Final = NoKeyStore("the keys of personal data are not open in this process")


class LazyKeyStore:
    """Keys that are opened when the first is needed: most commands need none."""

    def __init__(self, opens: Callable[[], Awaitable[WrappedKeyStore]]) -> None:
        self._opens, self._turn = opens, asyncio.Lock()
        self._opened: WrappedKeyStore | None = None

    async def opened(self) -> WrappedKeyStore:
        """Raises ``StoreUnavailable`` and ``InvalidSettings``; the next call tries again."""
        async with self._turn:
            if self._opened is None:
                self._opened = await self._opens()
        return self._opened

    async def keys(self, subjects: Collection[str]) -> Mapping[str, bytes]:
        return await (await self.opened()).keys(subjects) if subjects else {}

    async def key(self, subject: str) -> bytes:
        return await (await self.opened()).key(subject)

    async def destroy(self, subject: str) -> bool:
        return await (await self.opened()).destroy(subject)

    async def forgotten(self) -> AsyncIterator[str]:
        async for subject in (await self.opened()).forgotten():
            yield subject


Opens = Callable[[], AbstractAsyncContextManager[WrappedKeyStore]]


@asynccontextmanager
async def key_side(
    service: Service[Any], settings: Settings, opens: Opens
) -> AsyncIterator[KeyStore]:
    """The key store of a service, where its events hold personal data.

    Its first use raises ``StoreUnavailable``, and :class:`InvalidSettings` for a master key that is
    missing or is not the one that has wrapped the keys.
    """
    if not _has_personal(service):
        yield NoKeyStore(f"{service.name} has no personal data in its events")
    elif not settings.leads_to(settings.views_in):
        name = settings.name_of(settings.views_in)
        yield NoKeyStore(f"{name}: the keys of personal data are there, so set it")
    else:
        async with AsyncExitStack() as stack:

            async def open() -> WrappedKeyStore:
                _require_master_key(settings)
                keys = await stack.enter_async_context(opens())
                await _require_known(settings, settings.master_keys, keys)
                return keys

            yield LazyKeyStore(open)


def _has_personal(service: Service[Any]) -> bool:
    """Whether there is personal data in its events, or in what it publishes or receives."""
    on_the_bus = False
    on_the_bus = has_personal(service.contract, service.receives)  # only: bus
    return on_the_bus or bool(service.encrypted)


def _require_master_key(settings: Settings) -> None:
    if settings.master_key is not None:
        return
    name = settings.name_of("master_key")
    if not _is_for_development(settings):
        raise InvalidSettings(
            f"{name}: it has to be set where other machines reach the service or its read models, "
            f"since it protects personal data: {_MAKES_ONE}"
        )


async def require_protection(service: Service[Any], settings: Settings, keys: KeyStore) -> None:
    """Open the keys before a service starts, and log whether their master key is a known one.

    Raises ``StoreUnavailable``, and :class:`InvalidSettings` for a wrong or missing master key.
    """
    if isinstance(keys, LazyKeyStore):
        await keys.opened()
    if _has_personal(service) and settings.master_key is None:
        name = settings.name_of("master_key")
        log.info("personal data is encrypted by the key of development", set=name)


def _is_for_development(settings: Settings) -> bool:
    """Whether only this machine reaches the service and the server of its read models."""
    uri = getattr(settings, settings.views_in)
    host = urlsplit(uri).hostname if uri else None
    if uri is None or not is_loopback(settings.http_host):
        return False
    return host is None or is_loopback(host)  # without a host it is a socket in a directory


async def _require_known(settings: Settings, master: MasterKeys, keys: WrappedKeyStore) -> None:
    if unknown := sorted({*await keys.masters()} - {*master.fingerprints}):
        name, before = settings.name_of("master_key"), settings.name_of("master_keys_before")
        raise InvalidSettings(
            f"{name}: the keys of personal data are wrapped by the master key "
            f"{', '.join(unknown)}, and {', '.join(master.fingerprints)} is set: set {name} to "
            f"that one, or add it to {before}"
        )
