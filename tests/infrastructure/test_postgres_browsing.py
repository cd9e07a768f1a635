"""Looking around in PostgreSQL: a page reads an index, however many events there are."""

from typing import Final

from application.ports import Reading, Wanted
from infrastructure import postgres as postgresql
from infrastructure.postgres.events import event_browser
from infrastructure.postgres.events.event_browser import (
    IS_LAST,
    Which,
    begun,
    question_for,
    which,
)

PAGES: Final = {
    "events": which(Wanted()),
    "a category": which(Wanted(category="a")),
    "a type": which(Wanted(type="A")),
    "a rare type": which(Wanted(type="Rare")),
    "a type in a category": which(Wanted(category="b", type="A")),
    "a correlation": which(Wanted(correlation_id="c-7")),
    "streams": begun(None),
    "streams of a category": begun("a"),
    "streams by name": begun(None, "a-77"),
    "streams of a category by name": begun("a", "a-77"),
    "streams by a name that there is not": begun(None, "c-"),
    "changed": Which("true", IS_LAST),
    "changed in a category": Which("stream_type = %(category)s", IS_LAST),
}
VALUES: Final = {
    "category": "a",
    "prefix": "a-77",
    "behind": "a-77\U0010ffff",
    "type": "A",
    "correlation_id": "c-7",
    "near": None,
    "after": 15_000,
    "readable": 20_000,
    "limit": 51,
    "look": event_browser.LOOK,
}


async def test_a_page_reads_an_index(postgres: str) -> None:
    """Of 20,000 events, no page goes through the whole table, in either direction."""
    async with postgresql.pool(postgres) as pool:
        await postgresql.migrate(pool)
        async with pool.connection() as connection:
            await connection.execute(_FILL)
            await connection.execute("ANALYZE events")
            for name, page in PAGES.items():
                for newest_first in (True, False):
                    question = question_for(page, Reading(newest_first))
                    found = await connection.execute(f"EXPLAIN {question}".encode(), VALUES)
                    plan = "\n".join(line for (line,) in await found.fetchall())
                    assert "Seq Scan on events" not in plan, (name, plan)


_FILL: Final = """
INSERT INTO events (stream_id, stream_type, version, event_id, event_type, schema_version,
    event_data, metadata)
SELECT kind || '-' || number / 10, kind, mod(number, 10), gen_random_uuid(),
    CASE number WHEN 50 THEN 'Rare' ELSE upper(kind) END, 1, '{}',
    json_build_object('$correlationId', 'c-' || number / 20)
FROM generate_series(0, 9999) AS number, unnest(ARRAY['a', 'b']) AS kind
"""
