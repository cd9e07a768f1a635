"""Views that a test fills and reads, and the read models in memory that have them."""

from collections.abc import Mapping
from typing import Final, Protocol

from application.ports import V, Views, WritableViews
from infrastructure import memory
from tests.one_by_one import OneByOne  # only: dynamodb_views or search


class Filled(Views[V], WritableViews[V], Protocol[V]):
    """Read and written through one object, as in memory and in a database."""


IN_MEMORY: Final[Mapping[str, type[memory.ReadModels]]] = {
    "memory": memory.ReadModels,
    "memory, checkpoint after": OneByOne,  # only: dynamodb_views or search
}
"""Read models in memory, by what they promise."""
