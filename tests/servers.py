"""PostgreSQL for tests: an embedded server, or the one that ``POSTGRES_URI`` names."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Identifier

from infrastructure.embedded.postgres import EmbeddedPostgres


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a server, for as long as the context lasts."""
    if given := os.environ.get("POSTGRES_URI"):
        yield given
        return
    with tempfile.TemporaryDirectory() as directory, EmbeddedPostgres(Path(directory)) as server:
        yield server.uri


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
