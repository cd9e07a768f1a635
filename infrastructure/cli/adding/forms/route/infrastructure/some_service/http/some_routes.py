"""The routes of ``/some-routes``.

Callers with an identity may use them: name roles instead, with ``@allowed(…)``, where not all may.
"""

from collections.abc import Sequence  # if lists
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi import Request  # if lists
from fastapi import Response  # if responds
from pydantic import BaseModel, Field  # if lists

from application.paging import page  # if lists
from application.paging import view  # if reads
from domain.decider import Missing  # if reads
from domain.values import Id
# for each module
from some_module import (
    SomeName,  # for each name
)
# end for
from infrastructure.http.access import known_callers
from infrastructure.http.commands import COMMAND_ERRORS, Done, Requested  # if commands
from infrastructure.http.commands import entity_tag  # if versioned
from infrastructure.http.paging import After, Limit, following  # if lists
from infrastructure.http.problems import documented  # if commands
from infrastructure.http.reading import Reading, answers  # if reads
from infrastructure.http.text import Body  # if bodies

router = APIRouter(prefix="/some-routes", tags=["some routes"])

AnId = Annotated[Id, Path(examples=["a-1"])]
# if missing
ERRORS = documented(SomeMissing, *COMMAND_ERRORS)
# end if
# if commands and not missing
ERRORS = documented(*COMMAND_ERRORS)
# end if

# if reads


class UnknownSomeView(Missing):
    """Nothing is known under this id."""


# end if
# if lists


class SomePage(BaseModel):
    """One page, by id."""

    items: Sequence[SomeView]
    next: str | None = Field(description="where the next page is; none: this was the last")


# end if
# for each command
# if fields


class SomeBody(Body):
    some_field: SomeType  # for each field


# end if
# end for
# for each command
@router.post("/{id}/some-command", responses=ERRORS)
@known_callers
async def some_command(some_parameters) -> Done:
    """Carry out the command SomeCommand."""
    return await request.carry_out(id, SomeCommand(some_arguments), response)


# end for
# if lists
@router.get("", responses=answers())
@known_callers
async def list_some_routes(
    request: Request,
    reading: Reading,
    some_field: str | None = None,  # for each filter
    after: After = None,
    limit: Limit = 50,
) -> SomePage:
    """All of them by id, page by page."""
    found = await page(
        await reading.of(some_read_model),
        {
            "some_field": some_field,  # for each filter
        },
        after=after,
        limit=limit,
    )
    return SomePage(items=found.items, next=following(request, found))


# end if
# if reads
@router.get("/{id}", responses=answers(UnknownSomeView))
@known_callers
# if versioned
async def get_one(id: AnId, reading: Reading, response: Response) -> SomeView:
    """One of them; ``ETag`` is the version to send as ``If-Match``."""
    known = await view(await reading.of(some_read_model), id)
    found = reading.found(known, UnknownSomeView(f"nothing is known of {id}"))
    response.headers["ETag"] = entity_tag(found.version)
    return found
# end if
# if not versioned
async def get_one(id: AnId, reading: Reading) -> SomeView:
    """One of them."""
    known = await view(await reading.of(some_read_model), id)
    return reading.found(known, UnknownSomeView(f"nothing is known of {id}"))
# end if
# end if
