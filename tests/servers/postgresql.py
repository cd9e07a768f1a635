"""PostgreSQL for tests: a server from a wheel, or the one that ``POSTGRES_URI`` names."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Identifier

from infrastructure.embedded.postgres import EmbeddedPostgres  # only: embedded
from tests.servers.pgserver import from_the_wheel


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a server, for as long as the context lasts."""
    if given := os.environ.get("POSTGRES_URI"):
        yield given
        return
    with tempfile.TemporaryDirectory() as directory, _WAYS[0](Path(directory)) as uri:
        yield uri


@contextmanager
def role(address: str, rights: str) -> Iterator[str]:
    """The same address, for a role of its own that owns nothing, and has these rights.

    ``rights`` is SQL, in which ``service`` is the role and ``public`` the schema at that address.
    """
    name, password = f"role_{uuid4().hex}", uuid4().hex
    parts = urlsplit(address)
    server = parts.netloc.rpartition("@")[2]
    with psycopg.connect(address, autocommit=True) as owner:
        ((schema,),) = owner.execute("SELECT current_schema()").fetchall()
        named = re.sub(r"\bpublic\b", schema, re.sub(r"\bservice\b", name, rights))
        owner.execute(SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(Identifier(name), password))
        try:
            owner.execute(named.encode())
            yield urlunsplit(parts._replace(netloc=f"{name}:{password}@{server}"))
        finally:
            owner.execute(SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(Identifier(name)))


@contextmanager
def empty_schema(server: str) -> Iterator[str]:
    """An address on that server under which nothing exists yet, and nothing is left behind."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(name)))
        try:
            yield f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{name}"
        finally:
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))


# only: embedded
@contextmanager
def _embedded(directory: Path) -> Iterator[str]:
    """That which the service starts."""
    with EmbeddedPostgres(directory) as server:
        yield server.uri


# end: embedded
_WAYS: Final = (
    # to start one; the first is used
    _embedded,  # only: embedded
    from_the_wheel,
)
