"""Where something of a data subject may be, over a wired service: each place when it is open."""

from collections.abc import Callable, Sequence
from typing import Any

from application.personal.places import (
    Events,
    Keys,
    Payloads,
    Place,
    SentThere,  # only: bus or temporal
    ViewsOfBuilds,
)
from application.ports import (
    Builds,
    Copies,  # only: bus or temporal
    KeyStore,
    PayloadStore,
    ReadModels,
    SweepablePayloads,
)
from application.service import Service
from application.whole_log import EventLog


def places(
    service: Service[Any],
    keys: Callable[[], KeyStore],
    log: Callable[[], EventLog],
    stores: Callable[[], Sequence[SweepablePayloads]],
    payloads: Callable[[], PayloadStore],
    builds: Callable[[], Builds],
    read_models: Callable[[], ReadModels],
    copies: Sequence[Copies | None],  # only: bus or temporal
) -> Sequence[Place]:
    """All that the settings name, in the order in which they are searched."""
    return [
        Keys(keys),
        Events(service.encrypted, log, payloads),
        Payloads(stores),
        ViewsOfBuilds(builds, read_models),
        *(SentThere(one) for one in copies if one is not None),  # only: bus or temporal
    ]
