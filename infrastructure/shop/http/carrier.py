"""The notices of the carrier over HTTP, with a token of its own.

A repeated notice, as webhooks send it, gets the first answer and changes nothing.
"""

from datetime import UTC, datetime
from hmac import compare_digest
from uuid import uuid5

from fastapi import APIRouter, Depends, Request, Response

from application.messages import Context
from application.shop.warehouse import Notice
from domain.shipments import UnknownShipment
from infrastructure.http.commands import COMMAND_ERRORS, NAMESPACE, CommandRequest, Done
from infrastructure.http.problems import Unidentified, documented
from infrastructure.http.served import Serving
from infrastructure.http.text import Body
from infrastructure.shop.http.warehouse import warehouse_of
from infrastructure.shop.settings import ShopSettings

router = APIRouter(prefix="/carrier", tags=["carrier"])


class NotTheCarrier(Unidentified):
    """Only the carrier may send notices about parcels."""


class Reported(Body, Notice):
    """A notice of the carrier; ``notice_id`` is the same when it is sent again."""


async def carrier_only(request: Request, service: Serving) -> None:
    """Raises :class:`NotTheCarrier` unless the request has the carrier's token."""
    settings = service.settings
    assert isinstance(settings, ShopSettings)  # the shop's program has declared it
    token, name = settings.carrier_token, settings.name_of("carrier_token")
    if token is None:
        raise NotTheCarrier(f"no notice is accepted before {name} is set")
    expected = f"Bearer {token.get_secret_value()}".encode()
    if not compare_digest(request.headers.get("authorization", "").encode(), expected):
        raise NotTheCarrier(
            "send the header Authorization: Bearer <token>, with the carrier's token"
        )


@router.post(
    "/notices",
    dependencies=[Depends(carrier_only)],
    responses=documented(NotTheCarrier, UnknownShipment, *COMMAND_ERRORS),
)
async def take_notice(
    notice: Reported, request: Request, service: Serving, response: Response
) -> Done:
    """A parcel has arrived, or will not. Safe to send again."""
    context = Context.start(
        "carrier",
        uuid5(NAMESPACE, f"carrier {notice.notice_id}"),
        datetime.now(UTC),
        correlation_id=request.state.correlation_id,
    )
    incoming, work = CommandRequest(service, context, None), warehouse_of(service)
    return await incoming.answer(notice.shipment_id, lambda: work.report(notice, context), response)
