"""The simulated providers over HTTP, as told in :mod:`infrastructure.providers`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from application.ports import OutcomeUnknown, ProviderRefused, ProviderUnavailable
from infrastructure.providers.answers import written
from infrastructure.providers.simulated.line import Line
from infrastructure.shop.providers.audit import BOOKINGS, PAYMENTS
from infrastructure.shop.providers.simulation import (
    CARRIER_CALLS,
    PAYMENT_CALLS,
    FaultsTold,
    Simulation,
)
from infrastructure.web.hosts import Trusted

Address = tuple[str, int]
_LARGEST_BODY: Final = 1024 * 1024


def create_app(simulation: Simulation, hang_up: Callable[[Address], None]) -> Starlette:
    """The application; ``hang_up`` cuts the connection from that address, without an answer."""
    payments = _Desk(simulation, simulation.payment_provider, PAYMENT_CALLS)
    parcels = _Desk(simulation, simulation.carrier, CARRIER_CALLS)

    async def books_of_payments(_: Request) -> Response:
        return _listed(PAYMENTS, list(simulation.payments.payments.values()))

    async def books_of_parcels(_: Request) -> Response:
        return _listed(BOOKINGS, list(simulation.bookings.bookings.values()))

    async def faults(request: Request) -> Response:
        if request.method == "PUT":
            simulation.tell(FaultsTold.model_validate_json(await _body(request)))
        return JSONResponse(simulation.faults.model_dump(mode="json"))

    async def struck(_: Request) -> Response:
        return JSONResponse(simulation.struck)

    async def no_answer(request: Request, _: Exception) -> Response:
        assert request.client is not None  # it came over TCP
        hang_up(request.client)
        return Response(status_code=500)  # never arrives

    app = Starlette(
        routes=[
            Route("/payments", books_of_payments),
            Route("/parcels", books_of_parcels),
            *payments.routes("/payments"),
            *parcels.routes("/parcels"),
            Route("/faults/struck", struck),
            Route("/faults", faults, methods=["GET", "PUT"]),
        ],
        exception_handlers={**_ERRORS, OutcomeUnknown: no_answer},
    )
    app.add_middleware(Trusted, refusal=_unknown_name)  # a page in a browser is nobody to ask
    return app


class _Desk:
    """Where one provider is asked."""

    def __init__(
        self, simulation: Simulation, line: Line[Any, Any], calls: Mapping[str, type[Any]]
    ) -> None:
        self._simulation, self._line, self._calls = simulation, line, calls

    def routes(self, path: str) -> Sequence[Route]:
        calls = [Route(f"{path}/{call}", self._act, methods=["POST"]) for call in self._calls]
        return [*calls, Route(f"{path}/calls", self._find)]

    async def _act(self, request: Request) -> Response:
        key = unquote(request.headers.get("idempotency-key", ""))
        if not key:
            raise ProviderRefused("a call has to have an Idempotency-Key")
        call = self._calls[request.url.path.rpartition("/")[2]]
        content = call.model_validate_json(await _body(request))
        try:
            return JSONResponse(written(await self._line.call(key, content)))
        finally:
            self._simulation.remember_faults()

    async def _find(self, request: Request) -> Response:
        if set(request.query_params) != {"key"}:
            raise ProviderRefused("ask for the call with one key: ?key=…")
        try:
            return JSONResponse(written(await self._line.find(request.query_params["key"])))
        finally:
            self._simulation.remember_faults()


_unknown_name = JSONResponse({"refused": "this is no name of the providers"}, status_code=400)


async def _body(request: Request) -> bytes:
    """All of it. Raises :class:`ProviderRefused` for one that is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_BODY:
            raise ProviderRefused(f"a body may have {_LARGEST_BODY:,} bytes")
    return bytes(body)


async def _refused(_: Request, error: Exception) -> Response:
    return JSONResponse({"refused": str(error)}, status_code=422)


async def _unavailable(_: Request, error: Exception) -> Response:
    return JSONResponse({"unavailable": str(error)}, status_code=503)


_ERRORS: Mapping[Any, Any] = {
    ProviderRefused: _refused,
    ValidationError: _refused,
    ProviderUnavailable: _unavailable,
}


def _listed(shape: TypeAdapter[Any], books: Sequence[Any]) -> Response:
    return Response(shape.dump_json(list(books)), media_type="application/json")
