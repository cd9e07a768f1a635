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
from application.shop.ports import Outside
from domain.values import Money
from infrastructure.shop.providers import outside

TEN = Money.parse("10 GBP")


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
async def calling(address: str, patience: float = 10.0) -> AsyncIterator[Outside]:
    """The shop's providers, both at that address."""
    async with outside(f"http://{address}", f"http://{address}", patience) as shop:
        yield shop


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
    """Refused needs a reason, unavailable needs certainty; everything else leaves us in doubt."""
    async with answering(raw) as (address, heard), calling(address) as shop:
        provider = shop.payment_provider

        with pytest.raises((ProviderRefused, ProviderUnavailable, OutcomeUnknown)) as told:
            await provider.capture("k", "a", TEN)
        assert type(told.value) is concluded
        assert len(heard) == 1, "nothing is repeated behind the caller's back"

        looked = ProviderRefused if concluded is ProviderRefused else ProviderUnavailable
        if raw != http(200, '{"answer": null}'):
            with pytest.raises((ProviderRefused, ProviderUnavailable)) as told:
                await provider.find("k")
            assert type(told.value) is looked


async def test_records_that_cannot_be_read_are_unavailable() -> None:
    """A part of them is never taken for all of them."""
    raw = http(200, '[{"key": "k"}]')
    async with answering(raw) as (address, _), calling(address) as shop:
        for records in (shop.audit.payments(), shop.audit.bookings()):
            with pytest.raises(ProviderUnavailable):
                await records


async def test_nobody_there_means_that_nothing_was_sent() -> None:
    """A connection that is refused leaves no doubt."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    async with calling(f"127.0.0.1:{port}") as shop:
        with pytest.raises(ProviderUnavailable):
            await shop.carrier.book("k", "o-1", None)


async def test_silence_leaves_doubt() -> None:
    """Who takes the call and says nothing until our patience ends may have acted."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        async with calling(address, patience=1) as shop:
            with pytest.raises(OutcomeUnknown):
                await shop.payment_provider.void("k", "a")


async def test_an_answer_may_say_more_than_we_know() -> None:
    """Fields that a later release of the provider adds are no harm."""
    raw = http(200, '{"answer": "done", "fee": "0.10 GBP"}')
    async with answering(raw) as (address, _), calling(f"{address}/") as shop:
        assert await shop.payment_provider.find("k") == Done()


async def test_credentials_are_sent_and_never_told() -> None:
    """User and password of the address go into the header, not into errors or the request line."""
    async with (
        answering(http(401)) as (address, heard),
        calling(f"shop:s3cret@{address}/pay") as shop,
    ):
        with pytest.raises(ProviderUnavailable) as told:
            await shop.payment_provider.void("k", "a")

    assert b"Basic " + base64.b64encode(b"shop:s3cret") in heard[0]
    assert heard[0].startswith(b"POST /pay/void ")
    assert "s3cret" not in str(told.value)


async def test_a_provider_on_this_machine_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxy the environment names for the rest of the world."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    raw = http(200, '{"answer": "done"}')
    async with answering(raw) as (address, _), calling(address) as shop:
        await shop.payment_provider.void("k", "a")
