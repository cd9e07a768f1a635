"""The shop over HTTP on each event store: what its promises to clients rest on."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from domain.orders import ConfirmOrder, ShipOrder
from infrastructure.container import wired
from infrastructure.shop.program import PROGRAM
from tests.shop.infrastructure.shop import ORDER, Shop, shop_over
from tests.shop.stores import NOWHERE, settings_of

KEY = {"Idempotency-Key": "k-1"}
TOKEN = "Consistency-Token"


async def test_retries_at_the_same_time_place_one_order(shop_on_servers: Shop) -> None:
    """However many come at once: one order, and all are told where it is."""
    shop = shop_on_servers
    answers = await asyncio.gather(*(shop.post("/orders", ORDER, KEY) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {201}
    (path,) = {answer.headers["Location"] for answer in answers}
    assert await shop.events(f"order-{path.removeprefix('/orders/')}") == ["OrderPlaced"]


async def test_retries_of_any_command_at_the_same_time_carry_it_out_once(
    shop_on_servers: Shop,
) -> None:
    """Twenty equal ones of each at once, in one process: one answer for each, and one event."""
    shop = shop_on_servers
    shipped, confirmed, placed = [await shop.placed() for _ in range(3)]
    for order in (shipped, confirmed):
        await shop.dispatch(order.removeprefix("/orders/"), ConfirmOrder())
    await shop.dispatch(shipped.removeprefix("/orders/"), ShipOrder(shipment_id="s-1"))
    commands = {
        "/stock/85123A/receipts": {"quantity": 5},
        f"{shipped}/returns": {"lines": [{"line": 1, "quantity": 1}]},
        f"{confirmed}/dispatch": None,
        f"{placed}/cancellation": {"reason": "too late"},
    }
    posts = (shop.post(path, body, KEY) for _ in range(20) for path, body in commands.items())

    answers = await asyncio.gather(*posts)

    kinds = {(one.status_code, one.content, one.headers["ETag"]) for one in answers}
    assert (len(kinds), {status for status, _, _ in kinds}) == (4, {200, 201})
    streams = [
        "stock-85123A",
        *(f"order-{one.removeprefix('/orders/')}" for one in (shipped, confirmed, placed)),
    ]
    assert [(await shop.events(stream))[-2:] for stream in streams] == [
        ["StockReceived"],
        ["OrderShipped", "LinesReturned"],
        ["OrderConfirmed", "OrderShipped"],
        ["OrderPlaced", "OrderCancelled"],
    ]


async def test_retries_over_two_processes_place_one_order(
    servers: Mapping[str, str], tmp_path: Path
) -> None:
    """The same, where the retries come to two processes that know nothing of each other."""
    settings = settings_of({**servers, **NOWHERE}, home=tmp_path)
    async with (
        shop_over(wired(PROGRAM, settings)) as one,
        shop_over(wired(PROGRAM, settings)) as other,
    ):
        for key in ({"Idempotency-Key": f"k-{number}"} for number in range(3)):
            posts = (shop.post("/orders", ORDER, key) for shop in (one, other) for _ in range(10))
            answers = await asyncio.gather(*posts)

            assert {answer.status_code for answer in answers} == {201}
            assert len({answer.headers["Location"] for answer in answers}) == 1


async def test_what_was_just_done_is_seen(shop_on_servers: Shop) -> None:
    """An answer with the token of a command shows what the command did, time after time."""
    shop = shop_on_servers
    for _ in range(10):
        placed = await shop.post("/orders", ORDER)
        token = {TOKEN: placed.headers[TOKEN]}
        assert (await shop.http.get(placed.headers["Location"], headers=token)).status_code == 200


async def test_of_two_that_saw_the_same_version_one_wins(shop_on_servers: Shop) -> None:
    """The other is told that it has changed meanwhile: 412."""
    shop = shop_on_servers
    path, seen = await shop.placed(), {"If-Match": '"0"'}
    wishes = (shop.post(f"{path}/cancellation", {"reason": f"reason {n}"}, seen) for n in range(2))

    assert sorted([answer.status_code for answer in await asyncio.gather(*wishes)]) == [200, 412]


async def test_a_history_tells_what_happened_and_who_did_it(shop_on_servers: Shop) -> None:
    """In order, with what the events carry, as it was sent."""
    shop = shop_on_servers
    path = await shop.placed()
    await shop.post(f"{path}/cancellation", {"reason": "zu spät ☂"})

    history = (await shop.get(f"{path}/history")).json()
    assert [event["type"] for event in history["events"]] == ["OrderPlaced", "OrderCancelled"]
    assert history["events"][1]["data"]["reason"] == "zu spät ☂"
