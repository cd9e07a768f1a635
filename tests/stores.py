"""The event stores that the service runs on, by the settings that lead to them."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, get_args

import pytest

from infrastructure.connecting import opened as parts_opened
from infrastructure.container import Container, wired
from infrastructure.program import Program
from infrastructure.settings import EventStore, Settings
from infrastructure.settings.reading import parse
from tests.sample.program import BANK


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


def settings_of(settings: Mapping[str, str], **others: Any) -> Settings:
    """What a process makes of these settings, by their names in the environment."""
    return parse(Settings, settings, **others)


@asynccontextmanager
async def opened(
    settings: Mapping[str, str], program: Program[Any] = BANK
) -> AsyncIterator[Container]:
    """What is read and written there."""
    container = wired(program, parse(program.settings, settings))
    parts = ["read_side"] if container.settings().one_database else []
    async with parts_opened(container, "event_side", *parts):
        yield container
