"""Views that a test fills and reads: where both are one object, as in memory and PostgreSQL."""

from typing import Protocol

from application.ports import V, Views, WritableViews


class Filled(Views[V], WritableViews[V], Protocol[V]):
    """Read and written through one object."""
