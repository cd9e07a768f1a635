"""The settings of a consumer group, and the one record that stores all groups.

Every change writes the whole configuration to ``$persistentSubscriptionConfig``, with the server's
field names, and without fields that are 0, false or empty.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from embedded_eventstoredb.consumer_group import Limits
from embedded_eventstoredb.consumer_strategies import STRATEGIES
from embedded_eventstoredb.group_progress import CheckpointPolicy
from embedded_eventstoredb.records import compact

ALL: Final = "$all"
FROM_END: Final = -1
_DEFAULT_BATCH: Final = 20


@dataclass(frozen=True, slots=True)
class GroupFilter:
    """A group's filter on ``$all``: by stream name or by event type."""

    by_stream: bool
    regex: str = ""
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """Times are in milliseconds, as clients give them.

    ``start`` is the first event that a group without a checkpoint receives: a version in the stream
    or a position in ``$all``. FROM_END: only events after the start of the group; without a
    checkpoint, it begins at the end again at every start of the node.
    """

    stream: str
    group: str
    start: int = 0
    filter: GroupFilter | None = None
    resolve_links: bool = False
    extra_statistics: bool = False
    message_timeout: int = 30_000
    max_retry_count: int = 10
    checkpoint_after: int = 2_000
    min_checkpoint_count: int = 10
    max_checkpoint_count: int = 1_000
    max_subscriber_count: int = 0
    live_buffer_size: int = 500
    history_buffer_size: int = 500
    read_batch_size: int = 20
    consumer_strategy: str = "RoundRobin"

    @property
    def key(self) -> str:
        return f"{self.stream}::{self.group}"

    @property
    def limits(self) -> Limits:
        after = self.checkpoint_after / 1000 if self.checkpoint_after else None
        return Limits(
            message_timeout=self.message_timeout / 1000,
            max_retry_count=self.max_retry_count,
            read_batch_size=self.read_batch_size or _DEFAULT_BATCH,
            history_buffer_size=self.history_buffer_size,
            checkpoints=CheckpointPolicy(
                self.min_checkpoint_count, self.max_checkpoint_count, after
            ),
        )

    def position(self, value: int) -> str:
        """A version or position, printed as on the server for this kind of source."""
        return f"C:{value}/P:{value}" if self.stream == ALL else str(value)

    def fault(self, last_position: int) -> str | None:
        """The server's reason to refuse these settings; None if it accepts them."""
        if not self.stream:
            return "Bad stream name."
        if self.consumer_strategy not in STRATEGIES:
            return f"Consumer strategy {self.consumer_strategy} does not exist."
        if self.start < FROM_END:
            return "Invalid Start From position: event number must be greater than or equal to -1."
        if self.stream == ALL and self.start > last_position:
            return (
                "Invalid Start From position: commit position must be less than or equal to the "
                "last commit position in the transaction file."
            )
        if self.read_batch_size >= self.history_buffer_size:
            return (
                "Specified argument was out of the range of valid values. (Parameter "
                "'ReadBatchSize may not be greater than or equal to BufferSize')"
            )
        return None


def parse_position(text: str) -> int:
    """The number in a printed position: "5", or "C:5/P:5"."""
    return int(text.partition("/")[0].removeprefix("C:"))


def encode(groups: Iterable[GroupSettings]) -> bytes:
    """All groups, as the data of a ``$PersistentConfig`` event."""
    entries = [_without_defaults(_entry(settings)) for settings in groups]
    updated = datetime.now(UTC).isoformat()
    return compact_json({"version": "2", "updated": updated, "entries": entries})


def decode(data: bytes) -> list[GroupSettings]:
    """The groups in the data of a ``$PersistentConfig`` event."""
    return [_settings(entry) for entry in json.loads(data)["entries"]]


def compact_json(values: Mapping[str, object]) -> bytes:
    """An object as the server writes it: without blanks, and without values that are 0, false or
    empty.
    """
    return compact(_without_defaults(values))


def _without_defaults(values: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in values.items() if value not in (None, 0, False, "")}


_PLAIN: Final = {
    "stream": "stream",
    "group": "group",
    "resolveLinkTos": "resolve_links",
    "extraStatistics": "extra_statistics",
    "messageTimeout": "message_timeout",
    "maxRetryCount": "max_retry_count",
    "checkPointAfter": "checkpoint_after",
    "minCheckPointCount": "min_checkpoint_count",
    "maxCheckPointCount": "max_checkpoint_count",
    "maxSubscriberCount": "max_subscriber_count",
    "liveBufferSize": "live_buffer_size",
    "historyBufferSize": "history_buffer_size",
    "readBatchSize": "read_batch_size",
    "namedConsumerStrategy": "consumer_strategy",
}


_DEFAULTS: Final = GroupSettings("", "")


def _entry(settings: GroupSettings) -> dict[str, Any]:
    entry = {name: getattr(settings, field) for name, field in _PLAIN.items()}
    entry["startPosition"] = settings.position(settings.start)
    entry["filter"] = asdict(settings.filter) if settings.filter else None
    return entry


def _settings(entry: dict[str, Any]) -> GroupSettings:
    given = entry.get("filter")
    absent = {field: type(getattr(_DEFAULTS, field))() for field in _PLAIN.values()}
    return GroupSettings(
        start=parse_position(entry["startPosition"]),
        filter=GroupFilter(**{**given, "prefixes": tuple(given["prefixes"])}) if given else None,
        **absent | {field: entry[name] for name, field in _PLAIN.items() if name in entry},
    )
