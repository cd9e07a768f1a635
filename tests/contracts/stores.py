"""The ports of one event store, as the contract suites use them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import pytest

from application.catalogue import Catalogue
from application.ports import ConsumerGroups, EventBrowser, EventStore, StoreFacts, Subscriptions
from infrastructure import memory
from tests.sample.service import SAMPLE


@dataclass(frozen=True)
class Stores:
    """The ports of one event store."""

    events: EventStore
    subscriptions: Subscriptions
    groups: ConsumerGroups
    facts: StoreFacts
    browser: EventBrowser
    browser_that_looks: Callable[[int], EventBrowser]
    """The same, looking through so many for a page, at most."""


Opens = Callable[[pytest.FixtureRequest, Catalogue], AbstractAsyncContextManager[Stores]]
"""Opens the stores of one adapter, on a server that the test asks for."""


def stores_in_memory(catalogue: Catalogue = SAMPLE.catalogue) -> Stores:
    store = memory.EventStore(catalogue)
    subscriptions = memory.Subscriptions(store)
    browser = memory.EventBrowser(store)
    groups = memory.ConsumerGroups(store)
    return Stores(store, subscriptions, groups, subscriptions, browser, lambda _: browser)
