"""Looking around in DynamoDB, where somebody has removed events that the log names."""

from application.ports import NO_STREAM, Reading, Wanted
from infrastructure.dynamodb.events.tiles import tile_key
from infrastructure.dynamodb.tables import STREAMS
from tests.contracts.dynamodb_events import stores_in
from tests.contracts.made_up import all_of, event, name
from tests.dynamodb.opened import database


async def test_what_is_gone_hides_nothing_else(dynamodb: str) -> None:
    """The events beside it are listed and found by their ids, and the page says what is missing."""
    gone, there = name("stream"), name("stream")
    async with database(dynamodb) as db:
        stores = stores_in(db)
        for stream in (gone, there):
            await stores.events.append(stream, [event()], NO_STREAM)
        kept = (await all_of(stores.events.read(there)))[0]
        await db.client.delete_item(TableName=db.table(STREAMS.name), Key=tile_key(gone, 0))

    async with database(dynamodb, prefix=db.prefix) as db:  # another process remembers nothing
        browser = stores_in(db).browser
        assert [one.id for one in (await browser.event(kept.id)).items] == [kept.id]
        found = await browser.events(Wanted(), Reading(limit=2))
    assert kept.id in [one.id for one in found.items]
    assert any("1 event that was deleted" in lack.why for lack in found.lacks)
