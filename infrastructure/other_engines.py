"""Sagas that another engine drives than the plain one."""

from collections.abc import Callable, Collection, Coroutine, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from application.ports import EventStore
from application.sagas.clock import STEADY
from application.sagas.driving import Observer, SagaDriver
from application.sagas.performing import Performer
from application.service import Service
from infrastructure.settings import InvalidSettings, Settings

if TYPE_CHECKING:  # a side knows its metrics, which `run` does not need
    from infrastructure.sides import SagaSide

LATE: Final = timedelta(seconds=30)
"""After so long, a saga that its engine has not woken is woken as one of the plain engine: the
plain engine began it, or its history there is lost."""


def elsewhere(service: Service[Any], settings: Settings) -> Collection[str]:
    """The sagas that the plain engine does not drive. Raises :class:`InvalidSettings`."""
    apart = {one.partition("=")[0] for one in settings.saga_engines}
    if unknown := sorted(apart.difference(service.versions)):
        raise InvalidSettings(
            f"{settings.name_of('saga_engines')}: there is no saga {', '.join(unknown)}, but "
            f"{', '.join(service.versions) or 'none at all'}"
        )
    return [name for name in service.versions if settings.engine_of(name) != "plain"]


def with_others(
    engines: Mapping[str, SagaDriver],
    service: Service[Any],
    elsewhere: Collection[str],
    store: EventStore,
    side: "SagaSide | None",
) -> Mapping[str, SagaDriver]:
    """These engines, and for the sagas ``elsewhere`` the other one."""
    if side is None:
        return engines
    versions = {name: [*service.versions[name].values()] for name in elsewhere}
    own = service.catalogue.own
    return {**engines, **{name: side.driver(of, own, store) for name, of in versions.items()}}


def engine_work(
    service: Service[Any],
    store: EventStore,
    performer: Performer,
    observe: Observer,
    elsewhere: Collection[str],
    side: "SagaSide | None",
) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
    """What has to run for the sagas ``elsewhere``, by name."""
    if side is None:
        return {}
    versions = [saga for name in elsewhere for saga in service.versions[name].values()]
    return {"engine of sagas": partial(side.work, versions, store, performer, observe)}


def late() -> datetime:
    """The time by which a saga that is due now is late."""
    return STEADY() - LATE
