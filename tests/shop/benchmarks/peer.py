"""``stock_levels`` here, and in the PyPI library ``eventsourcing`` 9.5, into the same PostgreSQL.

    python -m tests.shop.benchmarks.peer

Both read small events from memory, and store each view and the position in one transaction: the
library one event in each, ours a batch. The library is an optional extra; without it this says how
to get it.
"""

import asyncio
import time
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final

from psycopg.conninfo import conninfo_to_dict

from application.shop.read_models.stock_levels import stock_levels
from infrastructure import postgres
from tests.servers import empty_schema, postgres_server
from tests.shop.benchmarks.projections import fastest
from tests.shop.benchmarks.replayed import Replay, receipts, run

EVENTS = 60_000  # events; the library gets fewer, since its rate is what is wanted
RECEIPTS = 5_000


def main() -> None:
    """Measure and print; takes about half a minute."""
    if find_spec("eventsourcing") is None:
        print("Not measured. For it: .venv/bin/pip install 'eventsourcing[postgres]==9.5.*'")
        return
    with postgres_server() as server, empty_schema(server) as uri:
        here, there = asyncio.run(ours(uri)), theirs(uri)
    print(f"here {here:,.0f} events/s; eventsourcing {there:,.0f}; ratio {here / there:.1f}")


async def ours(uri: str) -> float:
    """Events a second, the best of three."""
    async with postgres.pool(uri) as pool:
        views, events = postgres.Views(pool, stock_levels), receipts(EVENTS, 2_000)
        await postgres.migrate(pool)
        await views.prepare()

        async def again(replay: Replay) -> None:
            await views.clear()
            await run(stock_levels, replay, views)

        seconds = await fastest(again, lambda: Replay(events))
        return EVENTS / seconds


IN_MEMORY: Final = {"PERSISTENCE_MODULE": "eventsourcing.popo"}


def theirs(uri: str, events: Mapping[str, str] = IN_MEMORY) -> float:
    """Events a second. Its events are there before it starts, as ours are; ``events``: where."""
    from eventsourcing.projection import ProjectionRunner

    from tests.shop.benchmarks.peer_projection import Levels, Stock, StockLevels

    with ProjectionRunner(
        application_class=Stock,
        projection_class=StockLevels,
        view_class=Levels,
        env={**events, **in_postgres(uri, "LEVELS_")},
    ) as runner:
        runner.wait(runner.app.last, timeout=300)
        seconds: float = time.perf_counter() - runner.app.filled_at
        assert runner.view.on_hand() == RECEIPTS
    return RECEIPTS / seconds


def in_postgres(uri: str, of: str = "") -> dict[str, str]:
    """The settings of the library that put its events there, or what is called so."""
    at = conninfo_to_dict(uri)
    schema = str(at["options"]).rpartition("=")[2]
    settings = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": at.get("dbname", ""),
        "POSTGRES_HOST": at.get("host", ""),
        "POSTGRES_PORT": at.get("port", "5432"),
        "POSTGRES_USER": at.get("user", ""),
        "POSTGRES_PASSWORD": at.get("password", ""),
        "POSTGRES_SCHEMA": schema,
    }
    return {f"{of}{name}": str(value) for name, value in settings.items()}


if __name__ == "__main__":
    main()
