"""All benchmarks, one after the other: ``make bench``. Each also runs alone, by its own name.

Rates say what this machine does just now; ratios compare what was measured in the same run.
"""

import os
import platform

from tests.shop.benchmarks import (
    catching_up,
    dynamodb_units,
    engines,  # only: temporal
    event_store,
    forwarding,  # only: kafka
    importing,
    inline_views,
    one_stream,
    opensearch_bulk,  # only: opensearch
    payloads,  # only: s3
    peer,
    peer_orders,
    postgres_appends,
    postgres_store,
    projections,
    sagas,
    snapshots,
    sums,
)
from tests.shop.benchmarks.whole_orders import accepting
from tests.shop.benchmarks.whole_orders import measuring as whole_orders

SUBJECTS = {
    "Whole orders over HTTP (PostgreSQL: real, the node: double)": whole_orders.main,
    "The API alone, beside bare FastAPI (PostgreSQL: real, the node: double)": accepting.main,
    "Orders over HTTP, beside the library eventsourcing (PostgreSQL: real)": peer_orders.main,
    "The EventStoreDB adapter, on the embedded node (double)": event_store.main,
    "Projections into PostgreSQL (real server, embedded)": projections.main,
    "Catch-up from the embedded node (double) into PostgreSQL": catching_up.main,
    "The same read model in the library eventsourcing": peer.main,
    "PostgreSQL as the event store, beside the library eventsourcing": postgres_store.main,
    "Appends to PostgreSQL, beside bare asyncpg, and in a large table": postgres_appends.main,
    # only: temporal
    "Order fulfilment by both engines of sagas (Temporal: real, the node: double)": engines.main,
    # end: temporal
    "One popular stream beside many (PostgreSQL: real, the node: double)": one_stream.main,
    "Requests and units on DynamoDB (double)": dynamodb_units.main,
    "What an inline read model costs an append (PostgreSQL: real)": inline_views.main,
    "Order fulfilment, on the embedded node (double)": sagas.main,
    "A long stream with snapshots, on the embedded node (double)": snapshots.main,
    "Integration events to Kafka (real), beside the bare client": forwarding.main,  # only: kafka
    "Payloads in S3 (SeaweedFS: real), beside bare obstore": payloads.main,  # only: s3
    # only: opensearch
    "Products into OpenSearch, beside the bare client (real)": opensearch_bulk.main,
    # end: opensearch
    "The import of the bundled order history": importing.main,
    "The sums of its read models": sums.main,
}


def main() -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]}")
    for title, measure in SUBJECTS.items():
        print(f"\n{title}\n{'─' * len(title)}")
        measure()


if __name__ == "__main__":
    main()
