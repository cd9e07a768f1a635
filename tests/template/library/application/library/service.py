"""THE TABLE: the whole service on one page."""

from typing import Any, Final

from application.library.aggregates import LOAN
from application.library.copies import copies
from application.service import Service

LIBRARY: Final[Service[Any]] = Service(name="library", categories=(LOAN,), projections=(copies,))
