"""Metrics of an event store that commits several appends at once; others have no samples."""

from typing import Final

from prometheus_client import CollectorRegistry, Histogram

_APPENDS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 200)


class StoreMetrics:
    """Counts what a store reports."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._groups = Histogram(
            "headwater_event_store_group_commit_appends",
            "Appends that went into one transaction.",
            buckets=_APPENDS,
            registry=registry,
        )

    def committed(self, appends: int) -> None:
        """Count a transaction of that many appends."""
        self._groups.observe(appends)
