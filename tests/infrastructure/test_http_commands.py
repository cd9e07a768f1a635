"""Commands over HTTP: what they answer, and what happens when they are repeated or come late."""

import asyncio

import pytest

from tests.sample.client import TRANSFER, Bank

KEY = {"Idempotency-Key": "once"}


async def test_a_placed_order_says_where_it_is(bank: Bank) -> None:
    """201, where the transfer is, and its version."""
    answer = await bank.post("/transfers", TRANSFER)

    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"0"'
    id = answer.headers["Location"].removeprefix("/transfers/")
    assert answer.json() == {"id": id, "version": 0, "events": ["TransferRequested"]}
    assert (await bank.get(answer.headers["Location"])).json()["source"] == "a-1"


@pytest.mark.parametrize("path", ["/transfers", "/accounts/a-1/deposits"])
async def test_a_retry_with_its_key_gives_the_same_answer(bank: Bank, path: str) -> None:
    """The same key again: the same status, place, version and body, and no second event."""
    body = TRANSFER if path == "/transfers" else {"amount": 5}

    first, *again = [await bank.post(path, body, KEY) for _ in range(3)]

    for answer in again:
        assert (answer.status_code, answer.content) == (201, first.content)
        assert answer.headers["ETag"] == first.headers["ETag"]
        assert answer.headers.get("Location") == first.headers.get("Location")
    stream = f"transfer-{first.json()['id']}" if path == "/transfers" else "account-a-1"
    assert len(await bank.events(stream)) == 1


async def test_a_retry_after_others_have_acted_still_gives_the_first_answer(bank: Bank) -> None:
    """What happened to the transfer meanwhile does not show in the repeated answer."""
    first = await bank.post("/transfers", TRANSFER, KEY)
    await bank.post(f"{first.headers['Location']}/cancellation", {"reason": "changed my mind"})

    again = await bank.post("/transfers", TRANSFER, KEY)

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["ETag"] == '"0"'


async def test_retries_at_the_same_time_place_one_order(bank: Bank) -> None:
    """A client that is in a hurry gets one transfer, and the same answer each time."""
    answers = await asyncio.gather(*(bank.post("/transfers", TRANSFER, KEY) for _ in range(20)))

    assert {(answer.status_code, answer.content) for answer in answers} == {
        (201, answers[0].content)
    }
    assert len((await bank.get("/transfers")).json()["transfers"]) == 1


async def test_the_same_key_for_another_body_is_refused(bank: Bank) -> None:
    """A key stands for one request; 422, and nothing is written."""
    first = await bank.post("/transfers", TRANSFER, KEY)
    other = await bank.post("/transfers", {**TRANSFER, "amount": 4}, KEY)

    assert other.status_code == 422
    assert other.json()["type"] == "urn:headwater:problem:command-id-reused"
    assert await bank.events(f"transfer-{first.json()['id']}") == ["TransferRequested"]


async def test_a_key_belongs_to_its_path(bank: Bank) -> None:
    """The same key on another path is another request, not one with another body."""
    transfer = await bank.requested()
    await bank.post(f"{transfer}/cancellation", {"reason": "too late"}, KEY)

    answer = await bank.post(f"{transfer}/completion", None, KEY)

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:headwater:problem:already-cancelled"


async def test_without_a_key_every_request_counts(bank: Bank) -> None:
    """Two equal requests without a key are two transfers."""
    assert await bank.requested() != await bank.requested()


@pytest.mark.parametrize("key", ["", "two words", "é", "x" * 256])
async def test_a_key_that_is_none_is_refused(bank: Bank, key: str) -> None:
    """400, and what a key looks like."""
    headers = {b"Idempotency-Key": key.encode("latin-1")}
    answer = await bank.http.post("/transfers", json=TRANSFER, headers=headers)

    assert answer.status_code == 400
    assert "1 to 255 visible ASCII characters" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["Idempotency-Key", "If-Match", "Traceparent"])
async def test_a_header_that_comes_twice_is_refused(bank: Bank, name: str) -> None:
    """400 that names it: which of the two was meant, nobody can say."""
    answer = await bank.http.post(
        "/transfers", json=TRANSFER, headers=[(name, '"1"'), (name, '"2"')]
    )

    assert answer.status_code == 400
    assert f"{name} was sent more than once" in answer.json()["detail"]


async def test_if_match_lets_only_the_version_seen_be_changed(bank: Bank) -> None:
    """412 on a stale version, with both versions named; on the right one it goes through."""
    transfer = await bank.requested()
    cancellation = (f"{transfer}/cancellation", {"reason": "too late"})

    stale = await bank.post(*cancellation, {"If-Match": '"7"'})
    right = await bank.post(*cancellation, {"If-Match": '"0"'})

    assert stale.status_code == 412
    assert "is at version 0, not at 7" in stale.json()["detail"]
    assert (right.status_code, right.headers["ETag"]) == (200, '"1"')


async def test_a_retry_is_recognised_before_its_version_is_looked_at(bank: Bank) -> None:
    """A repeated request repeats its answer, though its own event made the version stale."""
    transfer = await bank.requested()
    headers = {**KEY, "If-Match": '"0"'}

    answers = [
        await bank.post(f"{transfer}/cancellation", {"reason": "too late"}, headers)
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("tag", ["0", "*", 'W/"0"', '"zero"', '"0", "1"', '"-1"', '"00"'])
async def test_if_match_takes_one_version(bank: Bank, tag: str) -> None:
    """400 for anything that is not one entity tag as ETag gives it."""
    transfer = await bank.requested()
    answer = await bank.post(f"{transfer}/cancellation", {"reason": "too late"}, {"If-Match": tag})

    assert answer.status_code == 400
    assert '"3"' in answer.json()["detail"]


async def test_a_wish_that_is_fulfilled_already_is_no_error(bank: Bank) -> None:
    """Cancelling twice, as two different wishes: the second finds nothing to do."""
    transfer = await bank.requested()
    path = f"{transfer}/cancellation"

    first, second = [await bank.post(path, {"reason": "too late"}) for _ in range(2)]

    assert first.json()["events"] == ["TransferCancelled"]
    assert (second.status_code, second.json()["events"]) == (200, [])
    assert second.headers["ETag"] == '"1"'


async def test_the_request_stands_in_the_metadata(bank: Bank) -> None:
    """Correlation id and trace of the request are kept with its events."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    answer = await bank.post(
        "/transfers", TRANSFER, {"X-Correlation-ID": "story-1", "traceparent": trace}
    )

    assert answer.headers["X-Correlation-ID"] == "story-1"
    history = (await bank.get(f"{answer.headers['Location']}/history")).json()
    metadata = history["events"][0]["metadata"]
    assert (metadata["$correlationId"], metadata["traceparent"]) == ("story-1", trace)


async def test_a_malformed_trace_is_ignored(bank: Bank) -> None:
    """As its standard says: a broken trace context starts a new trace, it breaks no request."""
    answer = await bank.post("/transfers", TRANSFER, {"traceparent": "00-zzz"})

    history = (await bank.get(f"{answer.headers['Location']}/history")).json()
    assert history["events"][0]["metadata"]["traceparent"] is None
