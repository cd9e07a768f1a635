"""Opens the payload stores in directories that the settings name."""

from pathlib import Path

from infrastructure.filesystem.payload_store import PayloadStore
from infrastructure.settings import Settings


def payload_store(settings: Settings, place: str | None = None) -> PayloadStore:
    """The one where payloads are written; or, at the path ``place``, one where they are read."""
    if place is not None:
        return PayloadStore(Path(place), settings.name_of("payloads_also_in"))
    return PayloadStore(settings.payloads, settings.name_of("payloads_dir"))
