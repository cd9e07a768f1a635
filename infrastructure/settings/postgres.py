"""Which settings lead to a PostgreSQL."""

from typing import Annotated

from infrastructure.settings.naming import NamedSettings
from infrastructure.settings.values import (
    Words,  # only: postgres_events
    uri_of,
)


class PostgresSettings(NamedSettings):
    """PostgreSQL"""

    postgres_uri: Annotated[str, uri_of("postgresql", "postgres")] | None = None
    """The PostgreSQL to use: `postgresql://service:secret@127.0.0.1/service`, or with TLS
    `postgresql://service:secret@host/service?sslmode=verify-full&sslrootcert=PATH`. Events and
    read models that are both there are in one database."""
    # only: postgres_events
    inline_projections: Words = ()
    """The read models that are written in the transaction of the append, separated by commas. Only
    with `{event_store}=postgres`."""
    # end: postgres_events
