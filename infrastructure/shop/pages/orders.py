"""Orders: the list, newest first, and one order with all that happened around it."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import Response
from fastapi.responses import RedirectResponse

from application.shop import queries
from application.shop.listing import WantedOrders, newest_orders, order_sums
from application.shop.order_story import Moment, order_story, state_then
from application.shop.read_models.order_summary import order_summary
from application.shop.read_models.orders_by_date import orders_by_date
from domain.orders import OrderStatus
from infrastructure.console import Section
from infrastructure.console.listing import pages, within
from infrastructure.console.routing import NotFound
from infrastructure.console.visit import Visit, Visiting
from infrastructure.http.problems import BadQuestion
from infrastructure.shop.pages.asked import Status, Word

SECTION: Final = Section("Orders", "/orders", "d", Path(__file__).with_name("templates"))
_LIMIT: Final = 50
_LINES: Final = 50  # of an order that are shown at once
_CHANGES: Final = 30  # of an event


@SECTION.get()
async def orders(
    visit: Visiting,
    since: Word = None,
    until: Word = None,
    status: Status = None,
    country: Word = None,
    customer: Word = None,
    id: Word = None,
    after: Word = None,
    shown: str = "",
) -> Response:
    if id is not None:
        return RedirectResponse(f"{SECTION.url}/{quote(id, safe='')}", 303)
    fields = {"since": since, "until": until, "country": country, "customer": customer}
    asked = {name: value for name, value in fields.items() if value is not None}
    wanted = WantedOrders(status, within(since, until), country, customer)
    if status is not None:
        asked["status"] = status
    return await visit.page("orders.html", partial(_listed, visit, wanted, asked, after, shown))


async def _listed(
    visit: Visit, wanted: WantedOrders, asked: Mapping[str, str], after: str | None, shown: str
) -> Mapping[str, Any]:
    views = await visit.service.consistency.fresh(orders_by_date, None)
    try:
        page = await newest_orders(views, wanted, after=after, limit=_LIMIT)
    except ValueError as error:
        raise BadQuestion(str(error)) from error
    kept = {**asked, "shown": shown} if shown else asked
    return {
        "orders": page.orders,
        "sums": await order_sums(views, wanted),
        "asked": asked,
        "statuses": [("", "any"), *((str(one), str(one)) for one in OrderStatus)],
        **pages(SECTION.url, kept, page.after, first=after is None),
        "unmasked": await visit.sees("orders", shown),
        "back": f"{SECTION.url}?{urlencode({**asked, **({'after': after} if after else {})})}",
    }


@SECTION.get("/{order_id}")
async def order(
    visit: Visiting,
    order_id: str,
    stream: Word = None,
    version: int | None = None,
    shown: str = "",
) -> Response:
    look = partial(_story, visit, order_id, stream, version, shown)
    return await visit.page("order.html", look)


async def _story(
    visit: Visit, order_id: str, stream: str | None, version: int | None, shown: str
) -> Mapping[str, Any]:
    service = visit.service
    story = await order_story(service.event_store, order_id)
    if story is None:
        raise NotFound(f"There is no order {order_id}. The list shows all that there are.")
    summary = await queries.order(await service.consistency.fresh(order_summary, None), order_id)
    then = None
    if stream is not None and version is not None:
        if stream not in dict(story.streams):
            raise BadQuestion(f"{stream} is not a stream of order {order_id}")
        then = await state_then(service.event_store, stream, version)
        if then is None:
            raise NotFound(f"There is no version {version} of {stream}.")
    events = sum(isinstance(one, Moment) for one in story.entries)
    return {
        "story": story,
        "summary": summary,
        "then": then,
        "events": events,
        "unmasked": await visit.sees(f"order {order_id}", shown),
        "shown": shown,
        "shown_lines": _LINES,
        "shown_changes": _CHANGES,
    }
