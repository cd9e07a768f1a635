"""THE TABLE: the whole service on one page."""

from typing import Any, Final

from application.service import Service
from application.some_service.aggregates import SOME_AGGREGATE  # if tiny
# if tiny
from application.some_service.read_models.some_read_model import (
    some_read_model,
)
from application.some_service.sagas.some_saga import (
    some_saga,
)
# end if

# if tiny
SOME_SERVICE: Final[Service[Any]] = Service(
    name="some-cli",
    categories=(SOME_AGGREGATE,),
    projections=(some_read_model,),
    sagas=(some_saga,),
)
# end if
# if not tiny
SOME_SERVICE: Final[Service[Any]] = Service(
    name="some-cli",
    categories=(),
    projections=(),
    sagas=(),
)
# end if
