"""The simulated providers over HTTP, as :mod:`infrastructure.providers` describes it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from application.ports import OutcomeUnknown, ProviderRefused, ProviderUnavailable
from infrastructure.providers.provider import Provider
from infrastructure.providers.simulated.faults import FaultPlan
from infrastructure.providers.simulated.simulation import Simulation, UnknownFault
from infrastructure.web.hosts import Trusted

Address = tuple[str, int]
_LARGEST_BODY: Final = 1024 * 1024


def create_app(
    simulation: Simulation, hang_up: Callable[[Address], None], names: Collection[str] = ()
) -> Starlette:
    """The application; ``hang_up`` cuts the connection from that address, without an answer.

    It answers under these host names, besides those of the loopback.
    """

    async def faults(request: Request) -> Response:
        if request.method == "PUT":
            simulation.set_faults(FaultPlan.model_validate_json(await _body(request)))
        return JSONResponse(simulation.plan.model_dump(mode="json"))

    async def struck(_: Request) -> Response:
        return JSONResponse(simulation.struck)

    async def no_answer(request: Request, _: Exception) -> Response:
        assert request.client is not None  # it came over TCP
        hang_up(request.client)
        return Response(status_code=500)  # never arrives

    app = Starlette(
        routes=[
            *(route for one in simulation.providers for route in _routes(simulation, one.provider)),
            Route("/faults/struck", struck),
            Route("/faults", faults, methods=["GET", "PUT"]),
        ],
        exception_handlers={**_ERRORS, OutcomeUnknown: no_answer},
    )
    app.add_middleware(
        Trusted, names=names, refusal=_unknown_name
    )  # pages in a browser may not call them
    return app


def _routes(simulation: Simulation, provider: Provider[Any, Any, Any]) -> Sequence[Route]:
    """One route for each call of a provider, and two for looking."""
    connection, answers = simulation.connection(provider.name), provider.answers

    async def call(request: Request) -> Response:
        key = unquote(request.headers.get("idempotency-key", ""))
        if not key:
            raise ProviderRefused("a call has to have an Idempotency-Key")
        shape = provider.calls[request.url.path.rpartition("/")[2]]
        content = shape.model_validate_json(await _body(request))
        try:
            return JSONResponse(answers.written(await connection.call(key, content)))
        finally:
            simulation.remember_faults()

    async def find(request: Request) -> Response:
        if set(request.query_params) != {"key"}:
            raise ProviderRefused("ask for the call with one key: ?key=…")
        try:
            found = await connection.find(request.query_params["key"])
            return JSONResponse(answers.written(found))
        finally:
            simulation.remember_faults()

    async def records(_: Request) -> Response:
        listed = provider.records.dump_json(list(await connection.records()))
        return Response(listed, media_type="application/json")

    path = f"/{provider.name}"
    calls = [Route(f"{path}/{name}", call, methods=["POST"]) for name in provider.calls]
    return [Route(path, records), *calls, Route(f"{path}/calls", find)]


_unknown_name = JSONResponse({"refused": "this is not a name of the providers"}, status_code=400)


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
    UnknownFault: _refused,
    ProviderUnavailable: _unavailable,
}
