"""Copies over HTTP: lend one, take it back, see where it is."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field

from application.library.copies import Copy, copies
from application.paging import view
from domain.decider import Missing
from domain.loans import Lend, Return
from domain.values import Id
from infrastructure.http.access import known_callers
from infrastructure.http.commands import COMMAND_ERRORS, Done, Requested
from infrastructure.http.problems import documented
from infrastructure.http.reading import Reading, answers
from infrastructure.http.text import Body

router = APIRouter(prefix="/copies", tags=["copies"])

CopyId = Annotated[Id, Path(alias="copy_id", examples=["emma-1"])]


class UnknownCopy(Missing):
    """This copy has never been lent."""


class Reader(Body):
    reader: Id = Field(examples=["ada"])


@router.post("/{copy_id}/loan", responses=documented(*COMMAND_ERRORS))
@known_callers
async def lend(id: CopyId, body: Reader, request: Requested, response: Response) -> Done:
    """A reader takes the copy home."""
    return await request.carry_out(id, Lend(reader=body.reader), response)


@router.post("/{copy_id}/return", responses=documented(*COMMAND_ERRORS))
@known_callers
async def take_back(id: CopyId, request: Requested, response: Response) -> Done:
    """The copy is back."""
    return await request.carry_out(id, Return(), response)


@router.get("/{copy_id}", responses=answers(UnknownCopy))
@known_callers
async def where(id: CopyId, reading: Reading) -> Copy:
    """Who has the copy."""
    found = await view(await reading.of(copies), id)
    return reading.found(found, UnknownCopy(f"{id} has never been lent"))
