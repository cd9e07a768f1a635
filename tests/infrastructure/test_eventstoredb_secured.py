"""EventStoreDB by TLS: users, certificates, and what is refused at the start, against the node."""

import asyncio
import base64
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

import grpc
import pytest

from application.ports import StoreUnavailable
from embedded_eventstoredb import NodeProcess
from infrastructure.eventstoredb import client as client_module
from infrastructure.eventstoredb import connect
from tests.refused_at_start import HIDDEN, refused_at_start
from tests.servers.certificates import Authority
from tests.tls_front import server_context, tcp, tls_front

PASSWORD: Final = f"{HIDDEN}@:/?#%ä ü&+="


@pytest.fixture(scope="module")
def secure() -> Iterator[NodeProcess]:
    """A node with TLS, and with a user whose password has every kind of character."""
    with NodeProcess(tls=True) as node:
        _add_user(node, "alice", PASSWORD)
        yield node


def _add_user(node: NodeProcess, *texts: str) -> None:
    """By the Users service: login, password and name are strings 1 to 3, a group is string 4."""
    encoded = [text.encode() for text in (*texts, "Alice", "$admins")]
    user = b"".join(bytes([n << 3 | 2, len(one)]) + one for n, one in enumerate(encoded, 1))
    trust = grpc.ssl_channel_credentials(_authority(node).read_bytes())
    header = f"Basic {base64.b64encode(b'admin:changeit').decode()}"
    with grpc.secure_channel(_target(node), trust) as channel:
        call = channel.unary_unary(
            "/event_store.client.users.Users/Create", lambda sent: sent, lambda got: got
        )
        call(bytes([1 << 3 | 2, len(user)]) + user, metadata=(("authorization", header),))


def _authority(node: NodeProcess) -> Path:
    return Path(node.uri.partition("TlsCaFile=")[2])


def _target(node: NodeProcess) -> str:
    return urlsplit(node.uri).netloc.rpartition("@")[2]


async def refused(uri: str) -> str:
    """Why the service does not start with this address. No part of the password is in it."""
    reason = await refused_at_start({"HEADWATER_EVENTSTOREDB_URI": uri}, "event_side")
    assert reason.startswith("HEADWATER_EVENTSTOREDB_URI: ")
    return reason


@pytest.mark.parametrize("scheme", ["esdb", "esdb+discover"])
async def test_a_password_may_have_any_character(secure: NodeProcess, scheme: str) -> None:
    """Written with ``%40`` for ``@``, as in any address."""
    login = f"alice:{quote(PASSWORD, safe='')}"
    client = await connect(f"{scheme}://{login}@{_target(secure)}?TlsCaFile={_authority(secure)}")
    try:
        assert await client.get_commit_position() >= 0
    finally:
        await client.close()


@pytest.mark.parametrize("scheme", ["esdb", "esdb+discover"])
async def test_a_wrong_password_is_refused(secure: NodeProcess, scheme: str) -> None:
    """With the user that is refused."""
    login = f"alice:{HIDDEN}"
    uri = f"{scheme}://{login}@{_target(secure)}?TlsCaFile={_authority(secure)}"
    assert "it refuses the user 'alice'" in await refused(uri)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("", "cannot be trusted: give TlsCaFile=PATH"),
        ("?TlsCaFile={other}", "cannot be trusted: give TlsCaFile=PATH"),
        ("?TlsCaFile=/nowhere.pem", "nowhere.pem cannot be read as certificates: No such file"),
        ("?TlsCaFile={key}", "cannot be read as certificates"),
        ("?TlsVerifyCert=false", "TlsVerifyCert=false cannot be used"),
        ("?UserCertFile={certificate}", "go together: give both"),
        ("?UserCertFile={certificate}&UserKeyFile={other}", "not a certificate and its key"),
        ("?tls=false&TlsCaFile={other}", "leave out tls=false"),
    ],
)
async def test_trust_that_does_not_fit_is_named(
    secure: NodeProcess, tmp_path: Path, options: str, reason: str
) -> None:
    """The option of the address, and what would be right."""
    authority = Authority(tmp_path)
    files = {**authority.issue("service")._asdict(), "other": authority.file}
    uri = f"esdb://alice:{HIDDEN}@{_target(secure)}{options.format(**files)}"
    assert reason in await refused(uri)


@asynccontextmanager
async def front(
    node: NodeProcess, directory: Path, host: str, *, clients_of: Path | None = None
) -> AsyncIterator[str]:
    """Host, port and trust of TLS before that node, with a certificate for this host."""
    authority = Authority(directory)
    shown = authority.issue(host)
    async with tls_front(tcp(_target(node)), shown, clients_of=clients_of) as port:
        yield f"127.0.0.1:{port}?TlsCaFile={authority.file}"


async def test_a_certificate_for_another_host_is_refused(node: NodeProcess, tmp_path: Path) -> None:
    """Whoever has signed it."""
    async with front(node, tmp_path, "events.example") as at:
        assert "for another name" in await refused(f"esdb://alice:{HIDDEN}@{at}")


async def test_a_user_certificate_takes_the_place_of_a_password(
    node: NodeProcess, tmp_path: Path
) -> None:
    """One that the server's authority has signed; none, or another one, is refused."""
    users, others = Authority(tmp_path), Authority(tmp_path)
    async with front(node, tmp_path, "127.0.0.1", clients_of=users.file) as at:
        right, wrong = users.issue("alice"), others.issue("alice")
        client = await connect(
            f"esdb://{at}&UserCertFile={right.certificate}&UserKeyFile={right.key}"
        )
        await client.close()
        for uri in (
            f"esdb://{at}&UserCertFile={wrong.certificate}&UserKeyFile={wrong.key}",
            f"esdb://alice:{HIDDEN}@{at}",
        ):
            with pytest.raises(StoreUnavailable, match="refuses our certificate") as caught:
                await connect(uri)
            assert HIDDEN not in str(caught.value)


async def test_tls_and_its_absence_have_to_match(secure: NodeProcess, node: NodeProcess) -> None:
    """TLS to a server without it says so. The other way round, the connection just ends."""
    assert "write tls=false" in await refused(f"esdb://alice:{HIDDEN}@{_target(node)}")
    assert "needs a user" in await refused(f"esdb://{_target(node)}")
    with pytest.raises(StoreUnavailable, match="a server that wants TLS does the same"):
        await connect(f"esdb://{_target(secure)}?tls=false")


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize(
    ("tls", "advice"), [(True, "refuses our certificate"), (False, "leave out tls=false")]
)
async def test_a_connection_that_is_ended_says_what_may_be_wrong(
    tmp_path: Path, tls: bool, advice: str, reset: bool
) -> None:
    """However the server ends it: bytes that were still on their way turn its end into a reset."""

    async def end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if reset:
            end_at_once = struct.pack("ii", 1, 0)
            at = writer.get_extra_info("socket")
            at.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, end_at_once)
        writer.transport.abort()

    authority = Authority(tmp_path)
    context = server_context(authority.issue("127.0.0.1")) if tls else None
    server = await asyncio.start_server(end, "127.0.0.1", 0, ssl=context)
    at = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    options = f"TlsCaFile={authority.file}" if tls else "tls=false"
    async with server:
        with pytest.raises(StoreUnavailable, match=advice):
            await connect(f"esdb://alice:{HIDDEN}@{at}?{options}")


async def test_a_server_that_takes_the_connection_and_is_silent_may_have_ended_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gRPC does not see a reset that comes just while it reads: for us the server is silent."""
    monkeypatch.setattr(client_module, "DEADLINE", 0.5)
    over = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.transport.abort()

    authority = Authority(tmp_path)
    context = server_context(authority.issue("127.0.0.1"))
    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0, ssl=context)
    at = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        with pytest.raises(StoreUnavailable, match=r"within 0\.5 s; .* refuses our certificate"):
            await connect(f"esdb://alice:{HIDDEN}@{at}?TlsCaFile={authority.file}")
        over.set()
