"""Read models in PostgreSQL."""

from infrastructure.postgres.builds import Builds
from infrastructure.postgres.connections import Pool, pool
from infrastructure.postgres.read_models import ReadModels
from infrastructure.postgres.schema import prepare
from infrastructure.postgres.views import Views

__all__ = ["Builds", "Pool", "ReadModels", "Views", "pool", "prepare"]
