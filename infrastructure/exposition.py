"""The metrics of a process, as Prometheus scrapes them: each process shows what it knows.

Several processes show the lag of one read model, and alerts and dashboard take the largest. What
is counted is counted in one process, and is summed.
"""

from collections.abc import (
    Callable,  # only: bus
    Collection,
    Mapping,  # only: bus
    Sequence,
)
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from application.messages import UnreadableEvent
from application.parking_stream import ParkingStream
from application.ports import StoreUnavailable, StreamUnusable
from application.projections.lag import Lag, Lags
from application.projections.staleness import Staleness
from application.receiving.receiver import Receiver  # only: bus
from infrastructure.metrics import Metrics
from infrastructure.roles import Role

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


@dataclass(frozen=True)
class Exposition:
    """While the stores do not answer, the metrics of the read models are left out."""

    roles: Collection[Role]
    counts: bool
    """Whether it counts the events that a read model lacks."""
    metrics: Metrics
    lags: Lags
    staleness: Staleness
    parking_streams: Sequence[ParkingStream]
    # only: bus
    receivers: Callable[[], Mapping[str, Receiver]]
    forwards: bool
    """Whether integration events are to be published, by whichever process."""
    # end: bus

    async def text(self) -> bytes:
        """All metrics of this process, in Prometheus' text format, as of now."""
        for role in self.roles:
            self.metrics.roles.labels(role).set(1)
        self.metrics.bus.set(self.forwards)  # only: bus
        if Role.API in self.roles or Role.PROJECTIONS in self.roles:
            await self._look_at_read_models()
        if Role.SAGAS in self.roles:
            self.metrics.show_parked(await _read(self.parking_streams))
            self.metrics.receiving.show(self.receivers())  # only: bus
        return generate_latest(self.metrics.registry)

    async def _look_at_read_models(self) -> None:
        lags: Sequence[Lag] = ()
        with suppress(StoreUnavailable):
            lags = await (self.lags.counted() if self.counts else self.lags.all())
        self.staleness.look(lags)
        self.metrics.show(lags, self.staleness)


async def _read(parking_streams: Sequence[ParkingStream]) -> Sequence[ParkingStream]:
    """Those that can be read now, as they are now."""
    read: list[ParkingStream] = []
    for parking in parking_streams:
        with suppress(StoreUnavailable, StreamUnusable, UnreadableEvent):
            await parking.look()
            read.append(parking)
    return read
