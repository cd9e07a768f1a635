"""Who sends a request: found out by what its ``Authorization`` header proves."""

from infrastructure.identity.callers import Callers, Kind, NotProven
from infrastructure.identity.chosen import callers

__all__ = ["Callers", "Kind", "NotProven", "callers"]
