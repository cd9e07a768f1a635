"""Read models in PostgreSQL."""

from infrastructure.postgres.connections import Pool, pool
from infrastructure.postgres.views import Views

__all__ = ["Pool", "Views", "pool"]
