"""What can be set, by environment variables or in a ``.env`` file. Checked once, at the start."""

from infrastructure.settings.model import EventStore, InvalidSettings, Settings
from infrastructure.settings.reading import load
from infrastructure.settings.values import in_bucket, is_loopback, without_password

__all__ = [
    "EventStore",
    "InvalidSettings",
    "Settings",
    "in_bucket",
    "is_loopback",
    "load",
    "without_password",
]
