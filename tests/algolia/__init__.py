"""A server in the shapes that Algolia documents, on the loopback: recorded, not Algolia."""

from tests.algolia.server import KEY, NAME, Fault, Recorded

__all__ = ["KEY", "NAME", "Fault", "Recorded"]
