"""Commands over HTTP: what they answer, and what happens when they are repeated or come late."""

import asyncio

import pytest

from tests.shop.infrastructure.shop import LINE, ORDER, Shop

KEY = {"Idempotency-Key": "once"}


async def test_a_placed_order_says_where_it_is(shop: Shop) -> None:
    """201, where the order is, and its version."""
    answer = await shop.post("/orders", ORDER)

    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"0"'
    id = answer.headers["Location"].removeprefix("/orders/")
    assert answer.json() == {"id": id, "version": 0, "events": ["OrderPlaced"]}
    assert (await shop.get(answer.headers["Location"])).json()["customer_id"] == "17850"


@pytest.mark.parametrize("path", ["/orders", "/stock/85123A/receipts"])
async def test_a_retry_with_its_key_gives_the_same_answer(shop: Shop, path: str) -> None:
    """The same key again: the same status, place, version and body, and no second event."""
    body = ORDER if path == "/orders" else {"quantity": 5}

    first, *again = [await shop.post(path, body, KEY) for _ in range(3)]

    for answer in again:
        assert (answer.status_code, answer.content) == (201, first.content)
        assert answer.headers["ETag"] == first.headers["ETag"]
        assert answer.headers.get("Location") == first.headers.get("Location")
    stream = f"order-{first.json()['id']}" if path == "/orders" else "stock-85123A"
    assert len(await shop.events(stream)) == 1


async def test_a_retry_after_others_have_acted_still_gives_the_first_answer(shop: Shop) -> None:
    """What happened to the order meanwhile does not show in the repeated answer."""
    first = await shop.post("/orders", ORDER, KEY)
    await shop.post(f"{first.headers['Location']}/cancellation", {"reason": "changed my mind"})

    again = await shop.post("/orders", ORDER, KEY)

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["ETag"] == '"0"'


async def test_retries_at_the_same_time_place_one_order(shop: Shop) -> None:
    """A client that is in a hurry gets one order, and the same answer each time."""
    answers = await asyncio.gather(*(shop.post("/orders", ORDER, KEY) for _ in range(20)))

    assert {(answer.status_code, answer.content) for answer in answers} == {
        (201, answers[0].content)
    }
    assert len((await shop.get("/orders")).json()["orders"]) == 1


async def test_the_same_key_for_another_body_is_refused(shop: Shop) -> None:
    """A key stands for one request; 422, and nothing is written."""
    first = await shop.post("/orders", ORDER, KEY)
    other = await shop.post("/orders", {**ORDER, "country": "Norway"}, KEY)

    assert other.status_code == 422
    assert other.json()["type"] == "urn:headwater:problem:command-id-reused"
    assert await shop.events(f"order-{first.json()['id']}") == ["OrderPlaced"]


async def test_a_key_belongs_to_its_path(shop: Shop) -> None:
    """The same key on another path is another request, not one with another body."""
    order = await shop.placed()
    await shop.post(f"{order}/cancellation", {"reason": "too late"}, KEY)

    answer = await shop.post(f"{order}/returns", {"lines": [{"line": 1, "quantity": 1}]}, KEY)

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:headwater:problem:already-cancelled"


async def test_without_a_key_every_request_counts(shop: Shop) -> None:
    """Two equal requests without a key are two orders."""
    assert await shop.placed() != await shop.placed()


@pytest.mark.parametrize("key", ["", "two words", "é", "x" * 256])
async def test_a_key_that_is_none_is_refused(shop: Shop, key: str) -> None:
    """400, and what a key looks like."""
    headers = {b"Idempotency-Key": key.encode("latin-1")}
    answer = await shop.http.post("/orders", json=ORDER, headers=headers)

    assert answer.status_code == 400
    assert "1 to 255 visible ASCII characters" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["Idempotency-Key", "If-Match", "Traceparent"])
async def test_a_header_that_comes_twice_is_refused(shop: Shop, name: str) -> None:
    """400 that names it: which of the two was meant, nobody can say."""
    answer = await shop.http.post("/orders", json=ORDER, headers=[(name, '"1"'), (name, '"2"')])

    assert answer.status_code == 400
    assert f"{name} stands there more than once" in answer.json()["detail"]


async def test_if_match_lets_only_the_version_seen_be_changed(shop: Shop) -> None:
    """412 on a stale version, with both versions named; on the right one it goes through."""
    order = await shop.placed()
    cancellation = (f"{order}/cancellation", {"reason": "too late"})

    stale = await shop.post(*cancellation, {"If-Match": '"7"'})
    right = await shop.post(*cancellation, {"If-Match": '"0"'})

    assert stale.status_code == 412
    assert "is at version 0, not at 7" in stale.json()["detail"]
    assert (right.status_code, right.headers["ETag"]) == (200, '"1"')


async def test_a_retry_is_recognised_before_its_version_is_looked_at(shop: Shop) -> None:
    """A repeated request repeats its answer, though its own event made the version stale."""
    order = await shop.placed()
    headers = {**KEY, "If-Match": '"0"'}

    answers = [
        await shop.post(f"{order}/cancellation", {"reason": "too late"}, headers) for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("tag", ["0", "*", 'W/"0"', '"zero"', '"0", "1"', '"-1"', '"00"'])
async def test_if_match_takes_one_version(shop: Shop, tag: str) -> None:
    """400 for anything that is not one entity tag as ETag gives it."""
    order = await shop.placed()
    answer = await shop.post(f"{order}/cancellation", {"reason": "too late"}, {"If-Match": tag})

    assert answer.status_code == 400
    assert '"3"' in answer.json()["detail"]


async def test_a_wish_that_is_fulfilled_already_is_no_error(shop: Shop) -> None:
    """Cancelling twice, as two different wishes: the second finds nothing to do."""
    order = await shop.placed()
    path = f"{order}/cancellation"

    first, second = [await shop.post(path, {"reason": "too late"}) for _ in range(2)]

    assert first.json()["events"] == ["OrderCancelled"]
    assert (second.status_code, second.json()["events"]) == (200, [])
    assert second.headers["ETag"] == '"1"'


async def test_goods_come_back_line_by_line(shop: Shop) -> None:
    """A return is recorded, and what came back shows in the order."""
    order = await shop.shipped()
    answer = await shop.post(f"{order}/returns", {"lines": [{"line": 1, "quantity": 2}]})

    assert (answer.status_code, answer.json()["events"]) == (200, ["LinesReturned"])
    shown = (await shop.get(order)).json()
    assert (shown["returned_units"], shown["returned_total"]) == (2, "5.10 GBP")
    assert shown["lines"][0]["returned"] == 2


async def test_a_retried_return_takes_back_once(shop: Shop) -> None:
    """The id of the return comes from the key, so it is the same return."""
    order = await shop.shipped()
    for _ in range(3):
        await shop.post(f"{order}/returns", {"lines": [{"line": 1, "quantity": 2}]}, KEY)

    assert (await shop.get(order)).json()["returned_units"] == 2


async def test_the_request_stands_in_the_metadata(shop: Shop) -> None:
    """Correlation id and trace of the request are kept with its events."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    answer = await shop.post(
        "/orders", ORDER, {"X-Correlation-ID": "story-1", "traceparent": trace}
    )

    assert answer.headers["X-Correlation-ID"] == "story-1"
    history = (await shop.get(f"{answer.headers['Location']}/history")).json()
    metadata = history["events"][0]["metadata"]
    assert (metadata["$correlationId"], metadata["traceparent"]) == ("story-1", trace)


async def test_a_malformed_trace_is_ignored(shop: Shop) -> None:
    """As its standard says: a broken trace context starts a new trace, it breaks no request."""
    answer = await shop.post("/orders", ORDER, {"traceparent": "00-zzz"})

    history = (await shop.get(f"{answer.headers['Location']}/history")).json()
    assert history["events"][0]["metadata"]["traceparent"] is None


async def test_prices_keep_every_decimal(shop: Shop) -> None:
    """A price of three decimals is neither rounded nor turned into a float on its way."""
    order = await shop.placed(lines=[{**LINE, "quantity": 1000, "unit_price": "0.001 GBP"}])
    shown = (await shop.get(order)).json()

    assert shown["lines"][0]["unit_price"] == "0.001 GBP"
    assert shown["total"] == "1.000 GBP"
