"""The keys of a provider: fetched when needed, renewed, and used while it is away."""

import asyncio
from typing import Any

import pytest

from application.access import IdentityUnavailable
from infrastructure.oidc.provider import FRESH, KEPT, PAUSE, Provider, fetched
from tests.infrastructure.oidc.issuing import ISSUER, OTHER_RSA_KEY, Issuing, published


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_keys_are_fetched_once(clock: Clock) -> None:
    """Two requests of the provider for any number of tokens."""
    issuing = Issuing()
    provider = Provider(ISSUER, issuing.fetch, clock)

    for _ in range(5):
        assert await provider.key("RS256", "r1")

    assert issuing.asked == 2


async def test_a_new_key_is_found_and_a_withdrawn_one_is_forgotten(clock: Clock) -> None:
    """A provider changes its keys while the service runs."""
    issuing = Issuing()
    provider = Provider(ISSUER, issuing.fetch, clock)
    assert await provider.key("RS256", "r1")

    issuing.keys = [published("r2", OTHER_RSA_KEY)]
    clock.now += PAUSE
    assert await provider.key("RS256", "r2")
    assert await provider.key("RS256", "r1") is None


async def test_a_withdrawn_key_counts_for_some_minutes_only(clock: Clock) -> None:
    """Also when every token names a key that is known."""
    issuing = Issuing()
    provider = Provider(ISSUER, issuing.fetch, clock)
    assert await provider.key("RS256", "r1")

    issuing.keys = []
    clock.now += FRESH + 1
    assert await provider.key("RS256", "r1") is None


async def test_made_up_names_do_not_drive_the_service_to_ask(clock: Clock) -> None:
    """The provider is asked again after a pause only, whatever tokens name."""
    issuing = Issuing()
    provider = Provider(ISSUER, issuing.fetch, clock)

    for number in range(100):
        assert await provider.key("RS256", f"made up {number}") is None

    assert issuing.asked == 2


async def test_known_keys_are_used_while_the_provider_is_away(clock: Clock) -> None:
    """For a day. Then, and where none was ever known, nobody can be identified."""
    issuing = Issuing()
    provider = Provider(ISSUER, issuing.fetch, clock)
    assert await provider.key("RS256", "r1")

    issuing.away = True
    clock.now += FRESH + 1
    assert await provider.key("RS256", "r1")
    clock.now += KEPT
    with pytest.raises(IdentityUnavailable, match=ISSUER):
        await provider.key("RS256", "r1")


async def test_a_provider_that_comes_back_is_asked_again(clock: Clock) -> None:
    """After the pause, and not only after the next start."""
    issuing = Issuing(away=True)
    provider = Provider(ISSUER, issuing.fetch, clock)
    with pytest.raises(IdentityUnavailable):
        await provider.key("RS256", "r1")

    issuing.away = False
    clock.now += PAUSE
    assert await provider.key("RS256", "r1")


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://other.example.org"},
        {"issuer": None},
        {"jwks_uri": "http://id.example.org/jwks"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": 3},
    ],
)
async def test_what_another_could_have_written_is_not_believed(
    about: dict[str, Any], clock: Clock
) -> None:
    """Keys come over TLS, from a description that is about this issuer."""
    provider = Provider(ISSUER, Issuing(about=about).fetch, clock)
    with pytest.raises(IdentityUnavailable):
        await provider.key("RS256", "r1")


async def test_an_answer_that_comes_in_parts_is_read_whole() -> None:
    """A network may cut it anywhere."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b'{"issuer": "https')
        await writer.drain()
        await asyncio.sleep(0.05)  # so that the client reads the first part by itself
        writer.write(b'://id.example.org"}')
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        assert await fetched(f"http://{host}:{port}/") == {"issuer": "https://id.example.org"}
