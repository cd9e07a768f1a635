"""Whether the read models can be kept as consistent as the settings say."""

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
    setting = settings.name_of("inline_projections")
    try:
        declared = projections()
    except ValueError as error:
        raise InvalidSettings(f"{setting}: {error}") from error
    names = [projection.name for projection in declared]
    if unknown := sorted(set(settings.inline_projections) - set(names)):
        raise InvalidSettings(
            f"{setting}: there is no {', '.join(unknown)}, but {', '.join(names)}"
        )
    inline = sorted(one.name for one in declared if one.consistency == "inline")
    if inline and not settings.one_database:
        raise InvalidSettings(
            f"{setting}: {', '.join(inline)} cannot be written in the transaction of the "
            "append, since events and views are not in one PostgreSQL, and two stores share no "
            f"transaction: set {settings.name_of('event_store')}=postgres, or leave it out and "
            "send the Consistency-Token with questions that have to see a write"
        )
