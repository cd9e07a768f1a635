"""The warehouse and the carrier over HTTP: each door opens once, and to whom it should."""

from typing import Any

import pytest

from application.shop.ports import Booked
from application.shop.sagas.carrier_calls import booking_key
from domain.orders import ConfirmOrder
from domain.shipments import BookShipment
from tests.infrastructure.test_http_problems import problem
from tests.shop.infrastructure.shop import Shop, empty_shop, shop_over

TOKEN = "the-token-of-the-carrier"
CARRIER = {"Authorization": f"Bearer {TOKEN}"}


async def confirmed(shop: Shop, **changed: Any) -> str:
    """The id of an order that waits to be picked."""
    id = (await shop.placed(**changed)).removeprefix("/orders/")
    await shop.container.outside().carrier.book(booking_key(id), id, "France")
    await shop.dispatch(id, BookShipment(order_id=id, carrier="the carrier", country="France"))
    await shop.dispatch(id, ConfirmOrder())
    return id


def notice(id: str, code: str, **changed: Any) -> dict[str, Any]:
    return {
        "notice_id": "n-1", "shipment_id": id, "tracking_code": code, "status": "delivered",
    } | changed  # fmt: skip


async def handed_over(shop: Shop) -> tuple[str, str]:
    """The id of an order whose parcel is under way, and its tracking code."""
    id = await confirmed(shop)
    code = await code_of(shop, id)
    answer = await shop.post(f"/shipments/{id}/hand-over", {"tracking_code": code})
    assert answer.status_code == 200, answer.text
    return id, code


async def code_of(shop: Shop, id: str) -> str:
    booked = await shop.container.outside().carrier.find(booking_key(id))
    assert isinstance(booked, Booked)
    return booked.tracking_code


async def test_the_pick_list_shows_what_waits_and_no_more(shop: Shop) -> None:
    """Confirmed orders with their goods; not what is only placed, nor what has left."""
    await shop.placed()
    label = {"recipient": "Ada Lovelace", "address": "12 St James's Square, London"}
    waiting, gone = await confirmed(shop, **label), await confirmed(shop)
    await shop.post(f"/orders/{gone}/dispatch")

    (pick,) = (await shop.get("/warehouse/picks")).json()["picks"]

    assert pick["order_id"] == waiting
    assert {name: pick[name] for name in label} == label
    assert pick["goods"] == [{"sku": "85123A", "description": None, "quantity": 6}]


async def test_the_pick_list_comes_in_pages(shop: Shop) -> None:
    """Every order once, by id."""
    ids = sorted([await confirmed(shop) for _ in range(3)])
    first = (await shop.get("/warehouse/picks?limit=2")).json()
    second = (await shop.get(first["next"])).json()

    assert [pick["order_id"] for pick in first["picks"] + second["picks"]] == ids
    assert second["next"] is None


async def test_goods_that_have_left_cannot_be_cancelled(shop: Shop) -> None:
    """Dispatching is recorded once; the order is shipped."""
    id = await confirmed(shop)
    answers = [await shop.post(f"/orders/{id}/dispatch") for _ in range(2)]

    assert [answer.json()["events"] for answer in answers] == [["OrderShipped"], []]
    refused = await shop.post(f"/orders/{id}/cancellation", {"reason": "too late"})
    assert problem(refused, 409)["type"] == "urn:headwater:problem:already-shipped"


async def test_handing_over_is_dispatching_too(shop: Shop) -> None:
    """Nobody need say twice that goods have left; without a code it is the booking's."""
    id = await confirmed(shop)
    answer = await shop.post(f"/shipments/{id}/hand-over", {})

    assert answer.json()["events"] == ["ShipmentHandedOver"]
    assert (await shop.events(f"order-{id}"))[-1] == "OrderShipped"


async def test_a_parcel_is_not_handed_over_under_another_code(shop: Shop) -> None:
    """What the carrier reports under its own would be refused; nothing is recorded."""
    id = await confirmed(shop)
    answer = await shop.post(f"/shipments/{id}/hand-over", {"tracking_code": "T2"})

    assert await code_of(shop, id) in problem(answer, 409)["detail"]
    assert (await shop.events(f"order-{id}"))[-1] == "OrderConfirmed"


@pytest.mark.parametrize("act", ["hand-over", "delivery"])
async def test_a_parcel_that_nobody_booked_is_not_found(shop: Shop, act: str) -> None:
    """404 or a refusal in words, and nothing is recorded."""
    id = (await shop.placed()).removeprefix("/orders/")
    answer = await shop.post(f"/shipments/{id}/{act}", {"tracking_code": "T1"})

    assert answer.status_code in (404, 409)
    assert await shop.events(f"shipment-{id}") == []
    assert await shop.events(f"order-{id}") == ["OrderPlaced"]


async def test_the_carrier_reports_with_a_token_of_its_own() -> None:
    """Neither without one, nor with the clients', nor before there is one."""
    tokens = {"carrier_token": TOKEN, "api_token": "the-token-of-clients"}
    async with shop_over(empty_shop(**tokens)) as shop:
        for headers in ({}, {"Authorization": "Bearer the-token-of-clients"}):
            told = problem(await shop.post("/carrier/notices", notice("o", "T1"), headers), 401)
            assert "the carrier's token" in told["detail"]
        assert (await shop.http.get("/orders", headers=CARRIER)).status_code == 401
        taken = await shop.post("/carrier/notices", notice("o", "T1"), CARRIER)
        assert problem(taken, 404)["type"] == "urn:headwater:problem:unknown-shipment"
    async with shop_over(empty_shop()) as shop:
        told = problem(await shop.post("/carrier/notices", notice("o", "T1"), CARRIER), 401)
        assert "before HEADWATER_CARRIER_TOKEN is set" in told["detail"]


async def test_a_notice_that_comes_again_changes_nothing() -> None:
    """The same answer each time; under its id another content is refused."""
    async with shop_over(empty_shop(carrier_token=TOKEN)) as shop:
        id, code = await handed_over(shop)
        answers = [await shop.post("/carrier/notices", notice(id, code), CARRIER) for _ in range(3)]
        other = await shop.post(
            "/carrier/notices", notice(id, code, status="failed", reason="lost"), CARRIER
        )

        assert [answer.json()["events"] for answer in answers] == [["ShipmentDelivered"]] * 3
        assert problem(other, 422)["type"] == "urn:headwater:problem:command-id-reused"
        assert (await shop.events(f"shipment-{id}"))[-2:] == [
            "ShipmentHandedOver", "ShipmentDelivered",
        ]  # fmt: skip


async def test_a_notice_of_another_parcel_is_refused() -> None:
    """A tracking code that is not this shipment's is nobody's word about it."""
    async with shop_over(empty_shop(carrier_token=TOKEN)) as shop:
        id, _ = await handed_over(shop)
        answer = await shop.post("/carrier/notices", notice(id, "T2"), CARRIER)

        assert problem(answer, 409)["type"] == "urn:headwater:problem:other-parcel"
