"""An order history through the whole read side, added up.

    python -m tests.shop.benchmarks.sums [FILE]

The file (without one: the bundled sample) is imported into an embedded EventStoreDB node; from
there four read models in PostgreSQL are filled. Their sums are compared with each other and with
the file; it fails when they disagree.
"""

import asyncio
import sys
import time
from pathlib import Path

from application.claim_check import ClaimCheck
from application.command_dispatch import CommandDispatch
from application.shop.importing import import_history
from application.shop.service import SHOP
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb, memory, postgres
from infrastructure.shop.online_retail import SAMPLE, History
from tests.servers import empty_schema, postgres_server
from tests.shop.sales_figures import SALES, Sales, add_up, fill

COLUMNS = ("orders", "lines", "units", "gross", "returned units", "returned", "net")


def main(file: Path = SAMPLE) -> None:
    """Measure, and print who says what; ``SystemExit`` when they do not say the same."""
    with NodeProcess() as node, postgres_server() as server, empty_schema(server) as uri:
        sales = asyncio.run(measure(file, node.uri, uri))
    print(f"{file.name:26}" + "".join(f"{name:>16}" for name in COLUMNS))
    for source, said in {**sales.by_source, "of which guests": sales.guests}.items():
        numbers = (f"{said[name]:16,f}" if name in said else f"{'':16}" for name in COLUMNS)
        print(f"{source:26}" + "".join(numbers))
    if wrong := sales.disagreements():
        sys.exit(f"They disagree about: {', '.join(sorted(wrong))}")
    print("They agree, to the last digit.")


async def measure(file: Path, node: str, uri: str) -> Sales:
    client, payloads = await eventstoredb.connect(node), memory.PayloadStore()
    started = time.perf_counter()
    store = ClaimCheck(eventstoredb.EventStore(client, SHOP.catalogue), payloads)
    await import_history(History(file), CommandDispatch(store, SHOP.catalogue))
    print(f"{'imported':26}{time.perf_counter() - started:8.1f} s")
    async with postgres.pool(uri) as pool:
        await postgres.migrate(pool)
        builds = postgres.Builds(pool)
        await builds.register(SALES)
        models = postgres.ReadModels(pool, SALES, builds)
        for projection in SALES:
            started, busy = time.perf_counter(), time.process_time()
            await fill(
                projection,
                models,
                eventstoredb.Subscriptions(client, SHOP.catalogue),
                payloads,
            )
            took, busy = time.perf_counter() - started, time.process_time() - busy
            print(f"{projection.name:26}{took:8.1f} s, of the processor {busy:.1f} s here")
        sales = await add_up(file, models)
    await client.close()
    return sales


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
