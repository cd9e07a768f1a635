"""The event stores that the service runs on, by the settings that lead to them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from infrastructure.container import Container, wired, write_side_opened
from infrastructure.settings import EventStore, Settings, load

NOWHERE = dict.fromkeys(("PAYMENT_PROVIDER_URI", "CARRIER_URI"), "http://127.0.0.1:1")
"""Providers that do not answer."""


def on(store: EventStore) -> pytest.MarkDecorator:
    """Of a test of what is the same on every event store: one will do."""
    return pytest.mark.parametrize("event_store", [store], indirect=True)


def understood(settings: Mapping[str, str], **others: Any) -> Settings:
    """What a process makes of these settings, by their names in the environment."""
    return load(**{name.lower(): value for name, value in settings.items()}, **others)


@asynccontextmanager
async def opened(settings: Mapping[str, str]) -> AsyncIterator[Container]:
    """What is read and written there."""
    container = wired(understood(settings))
    async with write_side_opened(container):
        yield container
