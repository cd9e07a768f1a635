"""The kit's own categories, which every service has beside its aggregates.

Their events are a stored format like all others. Their upcasters are here.
"""

from collections.abc import Iterable
from typing import Final

from application.catalogue import NO_UPCASTERS, Catalogue, Upcasters
from application.category import Category
from application.parking import PARKING
from application.receiving.events import INCOMING
from application.sagas.events import DEADLINES
from application.sagas.operating import saga_category
from application.snapshots import SnapshotTaken

SNAPSHOT: Final = Category.of_records("snapshot", SnapshotTaken)
UPCASTERS: Final[Upcasters] = NO_UPCASTERS


def own_categories(sagas: Iterable[str]) -> tuple[Category, ...]:
    """The kit's categories in a service that has these sagas."""
    return (*map(saga_category, sagas), DEADLINES, PARKING, INCOMING, SNAPSHOT)


OWN: Final = Catalogue(own_categories(["saga"]), UPCASTERS)
"""The catalogue by which the kit writes its own events; a service reads them by its own."""
