"""The connection to a provider over HTTP: what is concluded from each answer, and from none."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from application.ports import (
    Done,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnavailable,
)
from domain.values import Money
from infrastructure.providers import HttpConnection
from tests.sample.gift_cards import GIFT_CARDS, GiftCards

FIVE = Money.parse("5 GBP")


@asynccontextmanager
async def answering(raw: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """The address of a server that gives each request these bytes and hangs up; what it heard."""
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(raw)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", heard


@asynccontextmanager
async def calling(address: str, patience: float = 10.0) -> AsyncIterator[GiftCards]:
    """The port over a connection to that address."""
    async with HttpConnection(GIFT_CARDS, f"http://{address}", patience=patience) as connection:
        yield GiftCards(connection)


def http(status: int, body: str = "", *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status} So", f"Content-Length: {len(body)}", *more, "", body]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    ("raw", "concluded"),
    [
        (http(422, '{"refused": "too much"}'), ProviderRefused),
        (http(400, '{"refused": "no key"}'), ProviderRefused),
        (http(503, '{"refused": "never a refusal"}'), ProviderUnavailable),
        (http(503), ProviderUnavailable),
        (http(429), ProviderUnavailable),
        (http(401, "who are you?"), ProviderUnavailable),
        (http(404, "<html>"), ProviderUnavailable),
        (http(302, "", "Location: http://127.0.0.1:1/"), ProviderUnavailable),
        (http(500, '{"refused": "never a refusal"}'), OutcomeUnknown),
        (http(502), OutcomeUnknown),
        (http(504), OutcomeUnknown),
        (http(200), OutcomeUnknown),
        (http(200, "[1]"), OutcomeUnknown),
        (http(200, '{"answer": "perhaps"}'), OutcomeUnknown),
        (http(200, '{"answer": null}'), OutcomeUnknown),
        (http(200, '{"answer": "booked", "tracking_code": "1"}'), OutcomeUnknown),
        (http(200, '{"answer": "done"}')[:-4], OutcomeUnknown),
        (b"HTTP/1.1 200 So\r\nContent-", OutcomeUnknown),
        (b"what?", OutcomeUnknown),
        (b"", OutcomeUnknown),
    ],
)
async def test_each_answer_has_one_meaning(raw: bytes, concluded: type[Exception]) -> None:
    """Refused needs a reason, unavailable needs certainty; for all else the outcome is unknown."""
    async with answering(raw) as (address, heard), calling(address) as provider:
        with pytest.raises((ProviderRefused, ProviderUnavailable, OutcomeUnknown)) as raised:
            await provider.restore("k", "a")
        assert type(raised.value) is concluded
        assert len(heard) == 1, "nothing is repeated behind the caller's back"

        looked = ProviderRefused if concluded is ProviderRefused else ProviderUnavailable
        if raw != http(200, '{"answer": null}'):
            with pytest.raises((ProviderRefused, ProviderUnavailable)) as raised:
                await provider.find("k")
            assert type(raised.value) is looked


async def test_an_answer_to_another_call_is_not_one() -> None:
    """What is granted is no answer to a call that grants nothing, nor is done one that grants."""
    granted, done = '{"answer": "redeemed", "number": 1, "amount": "5 GBP"}', '{"answer": "done"}'
    async with answering(http(200, granted)) as (address, _), calling(address) as provider:
        with pytest.raises(OutcomeUnknown, match="is not an answer to Restore"):
            await provider.restore("k", "a")
    async with answering(http(200, done)) as (address, _), calling(address) as provider:
        with pytest.raises(OutcomeUnknown, match="is not an answer to Redeem"):
            await provider.redeem("k", "a card", FIVE)


async def test_records_that_cannot_be_read_are_unavailable() -> None:
    """A part of them is never taken for all of them."""
    raw = http(200, '[{"key": "k"}]')
    async with answering(raw) as (address, _), calling(address) as provider:
        with pytest.raises(ProviderUnavailable):
            await provider.connection.records()


async def test_a_refused_connection_means_that_nothing_was_sent() -> None:
    """So the provider is unavailable, and nothing has happened."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    async with calling(f"127.0.0.1:{port}") as provider:
        with pytest.raises(ProviderUnavailable):
            await provider.redeem("k", "a card", FIVE)


async def test_without_an_answer_the_outcome_is_unknown() -> None:
    """A provider that takes the call and is silent until the timeout may have acted."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        async with calling(address, patience=1) as provider:
            with pytest.raises(OutcomeUnknown):
                await provider.restore("k", "a")


async def test_an_answer_may_say_more_than_we_know() -> None:
    """Fields that a later release of the provider adds are no harm."""
    raw = http(200, '{"answer": "done", "fee": "0.10 GBP"}')
    async with answering(raw) as (address, _), calling(f"{address}/") as provider:
        assert await provider.find("k") == Done()


async def test_credentials_are_sent_and_never_shown() -> None:
    """User and password of the address go into the header, not into errors or the request line."""
    async with (
        answering(http(401)) as (address, heard),
        calling(f"us:s3cret@{address}/pay") as provider,
    ):
        with pytest.raises(ProviderUnavailable) as raised:
            await provider.restore("k", "a")

    assert b"Basic " + base64.b64encode(b"us:s3cret") in heard[0]
    assert heard[0].startswith(b"POST /pay/restore ")
    assert "s3cret" not in str(raised.value)


async def test_a_provider_on_this_machine_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxy the environment names for the rest of the world."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    raw = http(200, '{"answer": "done"}')
    async with answering(raw) as (address, _), calling(address) as provider:
        await provider.restore("k", "a")
