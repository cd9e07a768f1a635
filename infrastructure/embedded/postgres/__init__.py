"""PostgreSQL without an installation, for a service without a PostgreSQL of its own."""

from infrastructure.embedded.postgres.installation import PostgresFailed
from infrastructure.embedded.postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "PostgresFailed"]
