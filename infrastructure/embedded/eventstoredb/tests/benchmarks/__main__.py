"""All measurements of the node, one after the other: ``python -m benchmarks``, in this folder."""

from benchmarks import beside_sqlite, large_log

SUBJECTS = {
    "The embedded EventStoreDB node (double)": beside_sqlite.main,
    "A large log in the embedded node (double)": large_log.main,
}

for title, measure in SUBJECTS.items():
    print(f"\n{title}\n{'─' * len(title)}")
    measure()
