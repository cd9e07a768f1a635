"""The payload stores of a service, by its settings."""

from collections.abc import Sequence
from typing import Final

import structlog

from application.payloads.places import PayloadPlaces
from application.ports import SweepablePayloads
from infrastructure.opening import opener
from infrastructure.settings import Settings

log: Final = structlog.stdlib.get_logger(__name__)


def payload_stores(settings: Settings, first: SweepablePayloads) -> Sequence[SweepablePayloads]:
    """Where payloads are written, and where else they are read."""
    return [first, *(_opened(settings, place) for place in settings.payloads_also_in)]


def payload_places(stores: Sequence[SweepablePayloads]) -> PayloadPlaces:
    """All of them as one, which logs what is wrong in one if another has the payload."""
    return PayloadPlaces(*stores, report=_passed_over)


def _opened(settings: Settings, place: str) -> SweepablePayloads:
    technology = "filesystem"
    if "://" in place:  # only: s3
        technology = "s3"  # only: s3
    opened: SweepablePayloads = opener(technology, "payload_store")(settings, place)
    return opened


def _passed_over(failure: Exception) -> None:
    log.warning("a payload was read from another store", reason=str(failure))
