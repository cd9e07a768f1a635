"""The kit's own categories, which every service has beside its aggregates.

Their events are a stored format like all others. Their upcasters are here.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from application.api_keys import API_KEYS
from application.catalogue import Catalogue, Upcasters
from application.category import Category
from application.operating.operation import OPERATION
from application.parking import PARKING
from application.personal.declared import Declared, declared
from application.personal.forgotten import FORGOTTEN
from application.receiving.events import INCOMING  # only: bus
from application.sagas.events import DEADLINES
from application.sagas.operating import saga_category
from application.snapshots import SnapshotTaken, about_nobody

SNAPSHOT: Final = Category.of_records("snapshot", SnapshotTaken)
UPCASTERS: Final[Upcasters] = {SnapshotTaken: {1: about_nobody}}


def own_categories(sagas: Iterable[str]) -> tuple[Category, ...]:
    """The kit's categories in a service that has these sagas."""
    return (
        *map(saga_category, sagas),
        DEADLINES,
        PARKING,
        API_KEYS,
        FORGOTTEN,
        INCOMING,  # only: bus
        SNAPSHOT,
        OPERATION,
    )


def personal() -> Mapping[tuple[str, str], Declared]:
    """Where these events have personal data of a service that declares some."""
    found = declared(SnapshotTaken)
    return {(SNAPSHOT.name, SnapshotTaken.__name__): found} if found else {}


OWN: Final = Catalogue(own_categories(["saga"]), UPCASTERS)
"""The catalogue by which the kit writes its own events; a service reads them by its own."""
