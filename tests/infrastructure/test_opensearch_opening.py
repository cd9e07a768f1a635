"""An OpenSearch is opened: what ends the start, what is waited for, what a silent one costs."""

import asyncio
import base64
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from application.ports import StoreUnavailable
from embedded_eventstoredb.certificates import node_certificate
from infrastructure.certificates import trusted
from infrastructure.opensearch import server
from infrastructure.opensearch.opening import search_side
from infrastructure.opensearch.server import Server
from infrastructure.settings import InvalidSettings, Settings
from infrastructure.settings.reading import parse
from tests.servers.certificates import Authority
from tests.tls_front import tcp, tls_front
from tests.waiting import until_true

ABOUT = b'{"version":{"number":"3.8.0","distribution":"opensearch"}}'
JSON = "application/json"


class Scripted:
    """Answers each request with the same; ``silent``: with nothing."""

    def __init__(self, body: bytes, status: str, kind: str) -> None:
        self.silent, self.asked, self.heard = False, 0, b""
        self.writers: list[asyncio.StreamWriter] = []
        self._answer = (
            f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with suppress(ConnectionError):
            while asked := await reader.read(1 << 16):  # one request: short, and without a body
                self.heard += asked
                self.asked += 1
                if not self.silent:
                    writer.write(self._answer)
                    await writer.drain()


@asynccontextmanager
async def scripted(
    body: bytes = ABOUT,
    status: str = "200 OK",
    kind: str = JSON,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[tuple[Scripted, str]]:
    script = Scripted(body, status, kind)
    listening = await asyncio.start_server(script.serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield script, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        for writer in script.writers:
            writer.close()


async def test_a_silent_server_costs_one_question_its_time_and_all_others_none() -> None:
    """After the first, questions fail at once, with the reason. When it answers again, so do they,
    within seconds."""
    async with scripted() as (script, uri), server(uri) as opened:
        await opened.check()
        script.silent = True
        with pytest.raises(StoreUnavailable, match="does not answer in time"):
            await opened.check()

        asked, started = script.asked, time.process_time()
        questions = [opened.ask(lambda client: client.info()) for _ in range(200)]
        answers = await asyncio.wait_for(asyncio.gather(*questions, return_exceptions=True), 1)
        assert {str(one) for one in answers} == {f"OpenSearch at {uri} does not answer in time"}
        assert script.asked <= asked + 1
        assert time.process_time() - started < 1

        script.silent = False
        await until_true(lambda: answers_now(opened))


async def answers_now(opened: Server) -> bool:
    try:
        await opened.check()
    except StoreUnavailable:
        return False
    return True


def settings_of(uri: str, **more: str) -> Settings:
    return parse(
        Settings,
        {"HEADWATER_SEARCH": "opensearch", "HEADWATER_OPENSEARCH_URI": uri, **more},
    )


REFUSED = b'{"error":{"type":"security_exception","reason":"no permissions"},"status":403}'
WRONG = [
    (ABOUT[:3], "200 OK", "text/html", "is no OpenSearch|deserialize"),
    (b'{"name":"a wiki"}', "200 OK", JSON, "answers, but is no OpenSearch"),
    (b"<html>\n<p>no such page", "404 Not Found", "text/html", "404: <html> <p>no such page"),
    (REFUSED, "403 Forbidden", JSON, "no permissions: set a user that may use it"),
    (b"Unauthorized", "401 Unauthorized", "text/plain", "401: .*set a user that may use it"),
]


@pytest.mark.parametrize(("body", "status", "kind", "reason"), WRONG)
async def test_what_waiting_does_not_mend_ends_the_start(
    body: bytes, status: str, kind: str, reason: str
) -> None:
    """In one line that names the setting, what is wrong, and what would be right; no password."""
    async with scripted(body, status, kind) as (_, uri):
        with_user = uri.replace("://", "://reader:secret@")
        with pytest.raises(InvalidSettings, match=reason) as caught:
            async with search_side(settings_of(with_user), 7):
                pass
    assert str(caught.value).startswith("HEADWATER_OPENSEARCH_URI: ")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_server_that_speaks_no_tls_is_told() -> None:
    """https to a server of http names the address, not the certificates."""
    async with scripted() as (_, uri):
        with pytest.raises(InvalidSettings, match=r"OPENSEARCH_URI: .*does not speak TLS"):
            async with search_side(settings_of(uri.replace("http", "https")), 7):
                pass


@asynccontextmanager
async def with_tls(directory: Path, host: str) -> AsyncIterator[tuple[str, Path]]:
    """A server with a certificate for that host, and the file of who has signed it."""
    made = node_certificate(directory, [host])
    file = directory / "node.pem"
    file.write_bytes(made.key + made.certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    async with scripted(tls=context) as (_, uri):
        yield uri.replace("http://", "https://"), made.authority


async def test_a_certificate_is_trusted_by_who_has_signed_it(tmp_path: Path) -> None:
    """With the file of its authority it is, without it is not, and the error names that setting."""
    async with with_tls(tmp_path, "127.0.0.1") as (uri, authority):
        async with server(uri, trusted(authority)) as opened:
            await opened.check()

        with pytest.raises(InvalidSettings, match=r"^HEADWATER_OPENSEARCH_CA_FILE: .*be trusted"):
            async with search_side(settings_of(uri), 7):
                pass


async def test_a_certificate_for_another_host_is_not_trusted(tmp_path: Path) -> None:
    """Whoever has signed it."""
    async with with_tls(tmp_path, "search.example") as (uri, authority):
        settings = settings_of(uri, HEADWATER_OPENSEARCH_CA_FILE=str(authority))
        with pytest.raises(InvalidSettings, match=r"CA_FILE: .*be trusted.*a host that it names"):
            async with search_side(settings, 7):
                pass


async def test_http_to_a_server_of_https_says_so(tmp_path: Path) -> None:
    """Such a server ends the connection, as one that restarts does: the reason names both."""
    async with with_tls(tmp_path, "127.0.0.1") as (uri, _), server(_plain(uri)) as opened:
        with pytest.raises(StoreUnavailable, match="a server that wants https does the same"):
            await opened.check()


def _plain(uri: str) -> str:
    return uri.replace("https", "http")


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_a_bad_file_of_certificates_is_named(tmp_path: Path, content: str | None) -> None:
    """One that is not there, and one without certificates."""
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    settings = settings_of("https://127.0.0.1:1", HEADWATER_OPENSEARCH_CA_FILE=str(file))
    with pytest.raises(InvalidSettings, match=r"OPENSEARCH_CA_FILE: .*ca.pem cannot be read"):
        async with search_side(settings, 7):
            pass


async def test_errors_of_the_service_are_its_own() -> None:
    """What is raised while the search side is open is not taken for a fault of its settings."""
    async with scripted() as (_, uri):
        with pytest.raises(ValueError, match=r"^something else$"):
            async with search_side(settings_of(uri), 7):
                raise ValueError("something else")


async def test_a_service_opens_without_its_search_server() -> None:
    """Silent or down: it opens soon, and the check says why it is away."""
    async with scripted() as (script, silent):
        script.silent = True
        for uri, reason in ((silent, "in time"), ("http://127.0.0.1:1", "Connect call failed")):
            async with asyncio.timeout(4), search_side(settings_of(uri), 7) as side:
                with pytest.raises(StoreUnavailable, match=reason):
                    await side.check()


async def test_an_address_of_ipv6_is_one() -> None:
    """It is connected to: the reason is that nothing listens there."""
    async with server("http://[::1]:1") as opened:
        with pytest.raises(StoreUnavailable, match="Cannot connect to host ::1:1"):
            await opened.check()


async def test_a_real_server_by_tls(opensearch: str, tmp_path: Path) -> None:
    """With a private authority, behind TLS of the test: all calls go through it."""
    authority = Authority(tmp_path)
    reach = tcp(urlsplit(opensearch).netloc)
    async with tls_front(reach, authority.issue("127.0.0.1")) as port:
        uri = f"https://reader:secret@127.0.0.1:{port}"
        settings = settings_of(uri, HEADWATER_OPENSEARCH_CA_FILE=str(authority.file))
        async with search_side(settings, 7) as side:
            await side.check()


async def test_a_password_may_have_any_character() -> None:
    """The server gets it as it is, not as it is written in the address."""
    async with scripted() as (script, uri):
        password = "sesame@:/?#%ä"
        with_user = uri.replace("://", f"://reader:{quote(password, safe='')}@")
        async with server(with_user) as opened:
            await opened.check()
        sent = base64.b64encode(f"reader:{password}".encode())
        assert b"basic " + sent.lower() in script.heard.lower()
