"""What can be set, by environment variables or in a ``.env`` file. Checked once, at the start."""

from infrastructure.settings.model import Settings
from infrastructure.settings.naming import InvalidSettings, is_address, named
from infrastructure.settings.reading import load
from infrastructure.settings.stores import EVENT_STORES, STORES, EventStore, leading_to
from infrastructure.settings.values import is_loopback, without_password

__all__ = [
    "EVENT_STORES",
    "STORES",
    "EventStore",
    "InvalidSettings",
    "Settings",
    "is_address",
    "is_loopback",
    "leading_to",
    "load",
    "named",
    "without_password",
]
