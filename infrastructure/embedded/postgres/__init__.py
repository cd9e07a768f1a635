"""PostgreSQL without an installation, for a service to which none is configured."""

from infrastructure.embedded.postgres.installation import PostgresFailed
from infrastructure.embedded.postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "PostgresFailed"]
