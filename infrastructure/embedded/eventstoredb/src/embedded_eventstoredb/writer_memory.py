"""What the writer remembers instead of querying the database."""

import sqlite3
from typing import Final

from embedded_eventstoredb.recent_ids import RecentIds
from embedded_eventstoredb.records import Stream

RECORD_OVERHEAD: Final = 64
_STREAMS: Final = 4_096


class WriterMemory:
    """The end of the log, the states of streams, and the ids of recent events. For one thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.ids = RecentIds()
        self.streams: dict[str, Stream] = {}
        self.reload(connection)
        self.began_at = self.last_position
        """The log's last position when this process, or this leader, began to write."""

    def reload(self, connection: sqlite3.Connection) -> None:
        """Load everything except recent ids from the database again."""
        self.streams.clear()
        row = connection.execute(
            "SELECT position, length(data) + length(metadata) FROM records"
            " ORDER BY position DESC LIMIT 1"
        ).fetchone()
        self.last_position: int = row[0] if row else -1
        self.end: int = sum(row) + RECORD_OVERHEAD if row else 0
        (key,) = connection.execute("SELECT max(key) FROM streams").fetchone()
        self.last_key: int = key or 0

    def forget(self) -> None:
        """Forget recent ids, like a new leader, which has not written anything yet."""
        self.ids = RecentIds()
        self.began_at = self.last_position

    def settle(self) -> None:
        """Bound the memory. Must be called after each commit."""
        self.ids.age()
        if len(self.streams) > _STREAMS:
            self.streams.clear()
