"""Metrics of what open transactions keep from readers, and of listeners that were lost."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, Final, Self

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from application.ports import StoreUnavailable
from infrastructure.postgres.events.horizon import HeldBack, Horizon
from infrastructure.postgres.events.wake_up import WakeUp

_PREFIX: Final = "headwater_event_store"
_HELD_BACK: Final[Sequence[tuple[str, str, Callable[[HeldBack], float]]]] = (
    ("events", "Positions that readers cannot pass: open transactions.", lambda it: it.positions),
    ("seconds", "For how long the oldest such transaction is open.", lambda it: it.seconds),
)
_LOST: Final = f"{_PREFIX}_lost_listeners"


class HeldBackMetrics(Collector):
    """Shows the last values that were read. An unknown value has no sample: 0 would be wrong."""

    names: ClassVar = frozenset(
        (_LOST, *(f"{_PREFIX}_held_back_{name}" for name, *_ in _HELD_BACK))
    )

    def __init__(self, horizon: Horizon, rung: WakeUp) -> None:
        self._horizon, self._rung = horizon, rung
        self._held_back: HeldBack | None = None
        self._lost: int | None = None

    @contextmanager
    def shown_in(self, registry: CollectorRegistry) -> Iterator[Self]:
        """Shows them there, as long as the block lasts."""
        registry.register(self)
        try:
            yield self
        finally:
            registry.unregister(self)

    async def look(self) -> None:
        """Read them. Raises ``StoreUnavailable``; they are unknown then."""
        try:
            self._held_back, self._lost = await self._horizon.held_back(), self._rung.lost
        except StoreUnavailable:
            self._held_back = self._lost = None
            raise

    def collect(self) -> Iterable[Metric]:
        for name, what, of in _HELD_BACK:
            gauge = GaugeMetricFamily(f"{_PREFIX}_held_back_{name}", what)
            if self._held_back is not None:
                gauge.add_metric([], of(self._held_back))
            yield gauge
        lost = CounterMetricFamily(
            _LOST,
            "Connections that listened for events and broke, since this process began.",
        )
        if self._lost is not None:
            lost.add_metric([], self._lost)
        yield lost
