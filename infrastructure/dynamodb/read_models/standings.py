"""How builds stand: their books, the reports of their runners, and their checkpoints."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter

from application.projections.builds import (
    Build,
    BuildStanding,
    Report,
    Role,
    Shard,
    ShardStanding,
)
from infrastructure.dynamodb.coordination.checkpoints import Checkpoints, Standing
from infrastructure.dynamodb.coordination.leases import stamp
from infrastructure.dynamodb.read_models.book import Book, Entry
from infrastructure.dynamodb.read_models.books import book_in, runner_key
from infrastructure.dynamodb.store_clock import StoreClock
from infrastructure.dynamodb.values import Item, to_text

_REPORT: Final = TypeAdapter(Report)
_NEW: Final = (None, 0)


async def standings(
    found: Sequence[Item], checkpoints: Checkpoints, clock: StoreClock
) -> Sequence[BuildStanding]:
    """Of the builds in these items, by name, the live one first. Raises ``StoreUnavailable``."""
    books = [book_in(item) for item in found if "book" in item]
    runners = {to_text(item["which"]): item for item in found if "book" not in item}
    entries = [(book, entry) for book in books for entry in book.entries]
    places = await checkpoints.standings(
        [(book.build(one).table, at) for book, one in entries for at in range(one.shards)]
    )
    result = [_standing(book, entry, runners, places, clock) for book, entry in entries]
    return sorted(result, key=lambda of: (of.build.name, list(Role).index(of.role)))


def _standing(
    book: Book,
    entry: Entry,
    runners: Mapping[str, Item],
    places: Mapping[tuple[str, int], Standing],
    clock: StoreClock,
) -> BuildStanding:
    build, now = book.build(entry), to_text(stamp(clock.earliest()))
    shards = [
        _shard(build, entry, at, runners, places.get((build.table, at), _NEW), now)
        for at in range(entry.shards)
    ]
    return BuildStanding(build, entry.role, entry.paused, shards, clock.latest())


def _shard(
    build: Build,
    entry: Entry,
    at: int,
    runners: Mapping[str, Item],
    place: tuple[int | None, int],
    now: str,
) -> ShardStanding:
    runner: Mapping[str, Any] = runners.get(to_text(runner_key(build, at)["which"]), {})
    report, dated, ends = (runner.get(name) for name in ("report", "dated", "ends"))
    return ShardStanding(
        Shard(at, entry.shards),
        *place,
        entry.failures.get(at),
        _REPORT.validate_json(to_text(report)) if report else None,
        datetime.fromisoformat(to_text(dated)) if dated else None,
        ends is not None and to_text(ends) > now,
    )
