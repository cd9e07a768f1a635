"""The event stores that the service runs on, by the settings that lead to them."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, get_args

import pytest

from infrastructure.container import Container, wired
from infrastructure.container import opened as parts_opened
from infrastructure.settings import EventStore
from infrastructure.settings.reading import parse
from infrastructure.shop.program import PROGRAM
from infrastructure.shop.settings import ShopSettings

NOWHERE = dict.fromkeys(
    ("HEADWATER_PAYMENT_PROVIDER_URI", "HEADWATER_CARRIER_URI"), "http://127.0.0.1:1"
)
"""Providers that do not answer."""


def on(store: EventStore) -> pytest.MarkDecorator:
    """Of a test of what is the same on every event store: one will do, to save time.

    With ``EVERY_STORE`` set, it runs on all of them nevertheless.
    """
    return _on(get_args(EventStore) if os.environ.get("EVERY_STORE") else [store])


def only_on(store: EventStore) -> pytest.MarkDecorator:
    """Of a test that would not hold on another event store; say why."""
    return _on([store])


def _on(stores: Sequence[EventStore]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("event_store", stores, indirect=True)


def understood(settings: Mapping[str, str], **others: Any) -> ShopSettings:
    """What a process makes of these settings, by their names in the environment."""
    return parse(ShopSettings, settings, **others)


@asynccontextmanager
async def opened(settings: Mapping[str, str]) -> AsyncIterator[Container]:
    """What is read and written there."""
    container = wired(PROGRAM, understood(settings))
    parts = ["read_side"] if container.settings().one_database else []
    async with parts_opened(container, "event_side", *parts):
        yield container
