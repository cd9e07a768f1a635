"""PostgreSQL by TLS: passwords, authorities, names, and what is refused at the start.

The server asks for passwords by SCRAM. TLS stands before it, as its own would.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, LiteralString
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
import pytest
from psycopg.sql import SQL

from infrastructure.connecting import opened
from infrastructure.container import wired
from infrastructure.embedded.postgres import EmbeddedPostgres
from tests.refused_at_start import HIDDEN, refused_at_start
from tests.sample.program import BANK
from tests.servers.certificates import Authority
from tests.stores import settings_of
from tests.tls_front import tls_front

PASSWORD: Final = f"{HIDDEN}@:/?#%ä ü&+="
LOGIN: Final = f"alice:{quote(PASSWORD, safe='')}"
_RULES: Final = "local all postgres trust\nlocal all all scram-sha-256\n"
_ROLE: Final[LiteralString] = "CREATE ROLE alice SUPERUSER LOGIN PASSWORD {}"
_SSL_REQUEST: Final = (80877103).to_bytes(4, "big")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The socket of a server that asks its user for a password."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("guarded")) as server:
        with psycopg.connect(server.uri, autocommit=True) as owner:
            owner.execute(SQL(_ROLE).format(PASSWORD))
            ((rules,),) = owner.execute("SHOW hba_file").fetchall()
            Path(rules).write_text(_RULES)
            owner.execute("SELECT pg_reload_conf()")
        (directory,) = parse_qs(urlsplit(server.uri).query)["host"]
        (socket,) = (one for one in Path(directory).glob(".s.PGSQL.*") if one.suffix != ".lock")
        yield str(socket)


async def _ask_for_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What PostgreSQL answers before TLS begins: N to Kerberos, S to TLS."""
    while not (await reader.readexactly(8)).endswith(_SSL_REQUEST):
        writer.write(b"N")
    writer.write(b"S")
    await writer.drain()


@asynccontextmanager
async def front(
    socket: str, authority: Authority, *, host: str = "127.0.0.1", clients_of: Path | None = None
) -> AsyncIterator[str]:
    """Host and port of that server, with a certificate for this host."""

    async def reach() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(socket)

    shown = authority.issue(host)
    async with tls_front(reach, shown, clients_of=clients_of, greeting=_ask_for_tls) as port:
        yield f"127.0.0.1:{port}"


def address(at: str, *, login: str = LOGIN, **options: object) -> dict[str, str]:
    """The settings for a database there, with these options of libpq."""
    given = "&".join(f"{name}={value}" for name, value in options.items())
    return {"HEADWATER_POSTGRES_URI": f"postgresql://{login}@{at}/postgres?{given}"}


async def test_a_private_authority_and_any_password(guarded: str, tmp_path: Path) -> None:
    """With ``verify-full``, and a password that has every kind of character."""
    authority = Authority(tmp_path)
    async with front(guarded, authority) as at:
        given = address(at, sslmode="verify-full", sslrootcert=authority.file)
        async with opened(wired(BANK, settings_of(given)), "read_side"):
            pass


@pytest.mark.parametrize(
    ("login", "options", "reason"),
    [
        (f"alice:{HIDDEN}", {}, 'authentication failed for user "alice": set a user and'),
        (f"bob:{HIDDEN}", {}, 'authentication failed for user "bob": set a user and'),
        (LOGIN, {"sslrootcert": "{other}"}, "certificate verify failed: give sslrootcert=PATH"),
        (LOGIN, {"sslrootcert": "/nowhere.pem"}, "nowhere.pem.* does not exist.*sslrootcert=PATH"),
        (LOGIN, {"sslmode": "full"}, 'invalid sslmode value: "full"'),
    ],
)
async def test_what_does_not_fit_is_named(
    guarded: str, tmp_path: Path, login: str, options: dict[str, str], reason: str
) -> None:
    """A wrong password, authority, or option: with what would be right, and without waiting."""
    authority, other = Authority(tmp_path), Authority(tmp_path)
    usual: dict[str, Any] = {"sslmode": "verify-full", "sslrootcert": authority.file}
    chosen = {name: value.format(other=other.file) for name, value in options.items()}
    async with front(guarded, authority) as at:
        given = address(at, login=login, **{**usual, **chosen})
        said = await refused_at_start(given, "read_side")
    assert re.search(reason, said)
    assert said.startswith("HEADWATER_POSTGRES_URI: ")


async def test_a_certificate_for_another_host_is_refused(guarded: str, tmp_path: Path) -> None:
    """Although its authority is trusted."""
    authority = Authority(tmp_path)
    async with front(guarded, authority, host="db.example") as at:
        given = address(at, sslmode="verify-full", sslrootcert=authority.file)
        assert "write a host that the certificate names" in await refused_at_start(
            given, "read_side"
        )


async def test_a_client_certificate_is_presented(guarded: str, tmp_path: Path) -> None:
    """To a server that lets nobody in without one."""
    authority, users = Authority(tmp_path), Authority(tmp_path)
    mine = users.issue("alice")
    async with front(guarded, authority, clients_of=users.file) as at:
        usual: dict[str, Any] = {"sslmode": "verify-full", "sslrootcert": authority.file}
        given = address(at, **usual, sslcert=mine.certificate, sslkey=mine.key)
        async with opened(wired(BANK, settings_of(given)), "read_side"):
            pass
