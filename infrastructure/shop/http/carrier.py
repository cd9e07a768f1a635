"""The notices of the carrier over HTTP, with a token of its own.

A repeated notice, as webhooks send it, gets the first answer and changes nothing.
"""

from datetime import UTC, datetime
from hmac import compare_digest
from uuid import uuid5

from fastapi import APIRouter, Depends, Request, Response

from application.access import Reach, Rule, Unidentified
from application.messages import Context
from application.shop.warehouse import Notice
from domain.shipments import UnknownShipment
from infrastructure.http.access import ruled
from infrastructure.http.commands import COMMAND_ERRORS, NAMESPACE, CommandRequest, Done
from infrastructure.http.middleware import address_of
from infrastructure.http.problems import documented
from infrastructure.http.served import Serving
from infrastructure.http.text import Body
from infrastructure.shop.http.warehouse import warehouse_of
from infrastructure.shop.settings import ShopSettings

router = APIRouter(prefix="/carrier", tags=["carrier"])


BY_THE_CARRIER = Rule((), reach=Reach.ALL, about="the carrier, by its own token")


class NotTheCarrier(Unidentified):
    """Only the carrier may send notices about parcels."""


class Reported(Body, Notice):
    """A notice of the carrier; ``notice_id`` is the same when it is sent again."""


async def carrier_only(request: Request, service: Serving) -> None:
    """Raises :class:`NotTheCarrier` unless the request has the carrier's token.

    After failures, ``TooManyRequests``.
    """
    settings = service.settings
    assert isinstance(settings, ShopSettings)  # the shop's program has declared it
    token, name = settings.carrier_token, settings.name_of("carrier_token")
    if token is None:
        raise NotTheCarrier(f"no notice is accepted before {name} is set")
    expected, given = f"Bearer {token.get_secret_value()}", request.headers.get("authorization", "")
    with service.callers.attempts.tried(address_of(request.scope), "carrier", given):
        if not compare_digest(given.encode(), expected.encode()):
            raise NotTheCarrier(
                "send the header Authorization: Bearer <token>, with the carrier's token"
            )


@router.post(
    "/notices",
    dependencies=[Depends(carrier_only)],
    responses=documented(NotTheCarrier, UnknownShipment, *COMMAND_ERRORS),
)
@ruled(BY_THE_CARRIER)
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
    incoming, work = CommandRequest(service, context, None, only=None), warehouse_of(service)
    return await incoming.answer(notice.shipment_id, lambda: work.report(notice, context), response)
