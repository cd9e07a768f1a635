"""The event stores that the service runs on, by the settings that lead to them."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, get_args

import pytest

from infrastructure.connecting import opened as parts_opened
from infrastructure.container import Container, wired
from infrastructure.program import Program
from infrastructure.settings import EventStore, Settings
from infrastructure.settings.reading import parse
from tests.sample.program import BANK

_STARTED: Final[Sequence[EventStore]] = (
    # by tests; the first two are fast
    "eventstoredb",  # only: eventstoredb and embedded
    "postgres",  # only: postgres_events
    "dynamodb",  # only: dynamodb_events
)
USUAL: Final = _STARTED[:2]
"""Those on which tests run that do not choose."""


def on_every_store() -> pytest.MarkDecorator:
    """Of a test that is worth its time on each of them."""
    return _on(get_args(EventStore))


def on_one_store() -> pytest.MarkDecorator:
    """Of a test of what is the same on every event store: one will do, to save time.

    With ``EVERY_STORE`` set, it runs on all usual ones nevertheless; so do the next two.
    """
    return _on_some(_STARTED[:1])


def on_another_store() -> pytest.MarkDecorator:
    """The same, on another one where the service has two."""
    return _on_some(USUAL[-1:])


def on_fastest_and_slowest() -> pytest.MarkDecorator:
    """The same, on the first and the last of them."""
    return _on_some([*_STARTED[:1], *_STARTED[-1:]])


def only_on(store: EventStore) -> pytest.MarkDecorator:
    """Of a test that would not hold on another event store; say why."""
    return _on([store])


def _on_some(stores: Sequence[EventStore]) -> pytest.MarkDecorator:
    every = USUAL if os.environ.get("EVERY_STORE") else ()
    return _on(list(dict.fromkeys([*stores, *every])))


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
