"""A page of links is resolved as each link by itself is."""

import json

from embedded_eventstoredb.errors import EXPECT_ANY
from embedded_eventstoredb.link_targets import resolve_all, resolve_page
from embedded_eventstoredb.storage import NewRecord, Storage, Transaction
from embedded_eventstoredb.streams import (
    LINK,
    append,
    delete,
    read_stream,
    resolve,
    tombstone,
)

LINKS = [
    *(f"{version}@{name}" for name in ("kept", "truncated", "counted") for version in range(4)),
    "0@deleted",
    "0@tombstoned",
    "0@aged",
    "0@missing",
    "0@$$truncated",
    "-1@kept",
    "9223372036854775807@tombstoned",
    "99999999999999999999@kept",
    "0@naïve",
    "0@",
    "0",
    "rubbish",
    "",
]


async def test_a_page_of_links_is_resolved_as_each_of_them() -> None:
    """For any link and any state of its target, both ways give the same result."""
    storage = Storage()
    await storage.write(write)
    links = read_stream(storage, storage.stream("links"), 0)
    assert len(links) == len(LINKS) + 1
    expected = [resolve(storage, link) for link in links]
    assert resolve_page(storage, links) == list(resolve_all(storage, links)) == expected
    assert [one.event is not None for one in expected[:12]] == [
        *(True, True, True, False),
        *(False, False, True, False),
        *(False, True, True, False),
    ]
    storage.close()


def write(transaction: Transaction) -> None:
    names = ("kept", "truncated", "counted", "deleted", "tombstoned", "aged", "naïve")
    for name in names:
        records = [NewRecord("Happened", str(number).encode()) for number in range(3)]
        append(transaction, name, EXPECT_ANY, records)
    for name, limits in {"truncated": {"$tb": 2}, "counted": {"$maxCount": 2}}.items():
        limit(transaction, name, limits)
    limit(transaction, "aged", {"$maxAge": 1})
    delete(transaction, "deleted", EXPECT_ANY)
    tombstone(transaction, "tombstoned", EXPECT_ANY)
    links = [NewRecord(LINK, link.encode()) for link in LINKS]
    append(transaction, "links", EXPECT_ANY, [*links, NewRecord("Happened", b"0@kept")])


def limit(transaction: Transaction, name: str, limits: dict[str, int]) -> None:
    metadata = NewRecord("$metadata", json.dumps(limits).encode(), is_json=True)
    append(transaction, f"$${name}", EXPECT_ANY, [metadata])
