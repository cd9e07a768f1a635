"""Whether the read models can be kept as consistent as they are declared, or as settings say."""

from collections.abc import Callable, Sequence
from typing import Any

from application.projections.projection import Projection
from infrastructure.settings import InvalidSettings, Settings


def require_consistency(
    settings: Settings, projections: Callable[[], Sequence[Projection[Any]]]
) -> None:
    """Raises :class:`InvalidSettings` if a read model cannot be kept inline with these settings.

    ``projections``: all read models. Raises ``ValueError`` for one that cannot be inline at all.
    """
    declared = _declared(settings, projections)
    inline = sorted(one.name for one in declared if one.consistency == "inline")
    if inline and not settings.one_database:
        events = settings.name_of("event_store")
        raise InvalidSettings(
            f"{events}: {', '.join(inline)} cannot be written in the transaction of the append, "
            f"since events and read models are in two databases with {events}="
            f"{settings.event_store}: let them follow the events instead, and send the "
            "Consistency-Token with questions that have to see a write"
        )


def _declared(
    settings: Settings, projections: Callable[[], Sequence[Projection[Any]]]
) -> Sequence[Projection[Any]]:
    """All read models. Raises :class:`InvalidSettings` for a setting that names others."""
    try:
        declared = projections()
    except ValueError as error:
        raise InvalidSettings(f"{settings.name_of('read_models')}: {error}") from error
    # only: postgres_events
    names = [projection.name for projection in declared]
    if unknown := sorted(set(settings.inline_projections) - set(names)):
        raise InvalidSettings(
            f"{settings.name_of('inline_projections')}: there is no {', '.join(unknown)}, but "
            f"{', '.join(names)}"
        )
    # end: postgres_events
    return declared
