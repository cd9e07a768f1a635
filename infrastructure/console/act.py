"""An action: first a page that shows what it will do, then, once confirmed, what came of it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

import structlog
from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from application.operating.action import Action
from application.operating.carrying_out import REFUSALS
from application.operating.operation import AlreadyBegun
from application.operating.parked import DiscardParked, ReplayParked, Selection
from application.operating.read_models import DeployReadModel, OnReadModel
from application.operating.sagas import OnSaga, SagaAction
from application.operating.unmasking import ShowPersonalData
from application.ports import StoreUnavailable
from application.projections.operating import What
from application.sagas.lookup import SagaName
from infrastructure.console.forms import Sent
from infrastructure.console.operators import Right
from infrastructure.console.routing import BadForm, NotFound, PageRoute
from infrastructure.console.section import HOME
from infrastructure.console.visit import Visit, Visiting

log = structlog.stdlib.get_logger(__name__)

router = APIRouter(route_class=PageRoute, prefix=f"{HOME}/act", include_in_schema=False)
WAITS: Final = 5.0
"""Seconds that a page waits for an action; after that, its record shows how it goes on."""
Given = Mapping[str, str]


def _id(given: Given, name: str) -> UUID:
    try:
        return UUID(given.get(name, ""))
    except ValueError:
        raise BadForm(f"{name} is not the id of an event: {given.get(name, '')!r}") from None


def _selection(given: Given) -> Selection:
    ids = [_id({"event": one}, "event") for one in given.get("events", "").split(",") if one]
    limit = given.get("limit", "")
    if limit and not (limit.isdecimal() and 1 <= int(limit) <= 1_000_000):
        raise BadForm(f"the limit is {limit!r}: it is a number from 1 to 1,000,000")
    stream, group = given.get("stream") or None, given.get("group") or None
    everything = not ids and stream is None
    return Selection(ids, stream, everything, group, int(limit) if limit else None)


def _saga(what: SagaAction) -> Callable[[Given], Action]:
    return lambda given: OnSaga(what, SagaName(given.get("of", ""), given.get("id", "")))


def _read_model(what: What) -> Callable[[Given], Action]:
    if what is What.SKIP:
        return lambda given: OnReadModel(what, given.get("of", ""), _id(given, "event"))
    return lambda given: OnReadModel(what, given.get("of", ""))


@dataclass(frozen=True)
class Offered:
    """An action of the console, and the right that it needs."""

    right: Right
    made: Callable[[Given], Action]


def _operated(made: Callable[[Given], Action]) -> Offered:
    return Offered(Right.OPERATE, made)


ACTIONS: Final[Mapping[str, Offered]] = {
    **{f"read-model-{what}": _operated(_read_model(what)) for what in What},
    "read-model-deploy": _operated(
        lambda given: DeployReadModel(given.get("of", ""), given.get("accept") == "yes")
    ),
    "parked-replay": _operated(lambda given: ReplayParked(_selection(given))),
    "parked-discard": _operated(lambda given: DiscardParked(_id(given, "event"))),
    **{f"saga-{what}": _operated(_saga(what)) for what in SagaAction},
    "personal-data-show": Offered(
        Right.UNMASK, lambda given: ShowPersonalData(given.get("of", ""))
    ),
}
_FIELDS: Final = ("of", "id", "event", "events", "stream", "group", "limit", "accept", "back")
Text = Annotated[str, Query(max_length=4000)]


@router.get("/{kind}", response_model=None)
async def preview(
    visit: Visiting,
    kind: str,
    of: Text = "",
    id: Text = "",
    event: Text = "",
    events: Text = "",
    stream: Text = "",
    group: Text = "",
    limit: Text = "",
    accept: Text = "",
    back: Text = "",
) -> Response:
    """What it will do, and to how many; nothing is done yet."""
    values = (of, id, event, events, stream, group, limit, accept, back)
    given = {name: value for name, value in zip(_FIELDS, values, strict=True) if value}
    return await _ask(visit, kind, given)


@router.post("/parked-selected", response_model=None)
async def selected(_: Visiting, form: Sent) -> Response:
    """The events that are ticked in a list lead to the page of the action on them."""
    ids = [name.removeprefix("event:") for name in form if name.startswith("event:")]
    if not ids:
        raise BadForm("no event is ticked: tick those to handle again")
    given = urlencode({"events": ",".join(ids), "back": f"{HOME}/parked"})
    return RedirectResponse(f"{HOME}/act/parked-replay?{given}", HTTPStatus.SEE_OTHER)


@router.post("/{kind}", response_model=None)
async def perform(visit: Visiting, kind: str, form: Sent) -> Response:
    """Do it, once, if it still is what was shown."""
    action = _action(visit, kind, form)
    given = {name: form[name] for name in _FIELDS if form.get(name)}
    if not form.get("reason", "").strip():
        return await _ask(visit, kind, given, "Give a reason: it is recorded.", 400)
    if form.get("confirmed") != "yes":
        return await _ask(visit, kind, given, "Confirm that this is to be done.", 400)
    id, by = _id(form, "operation"), visit.operator.by(form["reason"].strip())
    operating = visit.service.operating
    work = asyncio.create_task(
        operating.carry_out(action, by, id=id, seen=form.get("seen", "")), name=f"operation {id}"
    )
    visit.site.keep(work)
    done, _ = await asyncio.wait([work], timeout=0.2 if action.long else WAITS)
    if work in done and (refused := work.exception()):
        reasons = form["reason"]
        if isinstance(refused, AlreadyBegun):
            return RedirectResponse(f"{HOME}/audit/{id}", HTTPStatus.SEE_OTHER)
        if isinstance(refused, ValidationError):
            return await _ask(visit, kind, given, _wrong(refused), 400, reasons)
        if isinstance(refused, REFUSALS):
            return await _ask(visit, kind, given, str(refused), 409, reasons)
        if not isinstance(refused, StoreUnavailable):
            log.error("an action failed", exc_info=refused)
    return RedirectResponse(_after(kind, given, id), HTTPStatus.SEE_OTHER)


def _after(kind: str, given: Given, id: UUID) -> str:
    """The page that shows what came of it."""
    back = given.get("back", "")
    if kind == "personal-data-show" and back.startswith(f"{HOME}/"):
        return f"{back}{'&' if '?' in back else '?'}{urlencode({'shown': id})}"
    return f"{HOME}/audit/{id}"


def _action(visit: Visit, kind: str, given: Given) -> Action:
    if kind not in ACTIONS:
        raise NotFound(f"There is no action {kind}, but {', '.join(ACTIONS)}.")
    offered = ACTIONS[kind]
    visit.operator.require(offered.right)
    return offered.made(given)


async def _ask(
    visit: Visit, kind: str, given: Given, wrong: str = "", status: int = 200, reason: str = ""
) -> Response:
    """The page that asks for a reason and a confirmation; or says why it cannot be done."""
    action = _action(visit, kind, given)
    values: dict[str, Any] = {
        "kind": kind,
        "action": action,
        "given": given,
        "wrong": wrong,
        "reason": reason,
        "operation": str(uuid4()),
        "preview": None,
        "back": given.get("back", HOME) if given.get("back", "").startswith(HOME) else HOME,
    }
    try:
        values["preview"] = await visit.service.operating.preview(action)
    except REFUSALS as error:
        values["wrong"] = wrong or str(error)
        status = status if wrong else HTTPStatus.CONFLICT

    async def look() -> Mapping[str, Any]:
        return values

    response = await visit.page("act.html", look, status=status)
    assert isinstance(response, HTMLResponse)
    return response


def _wrong(error: ValidationError) -> str:
    found = error.errors()[0]
    return f"{found['loc'][0]}: {found['msg']}"
