"""For operators: liveness, readiness and metrics."""

from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from application.messages import UnreadableEvent
from application.parking_stream import ParkingStream
from application.ports import StoreUnavailable, StreamUnusable
from application.projections.lag import Lag
from infrastructure.http.problems import answer, documented, of_status
from infrastructure.http.served import Serving

router = APIRouter(tags=["operations"])


class Alive(BaseModel):
    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """Everything that the service needs answers, and the read models are up to date."""

    status: Literal["ready"] = "ready"
    checks: dict[str, str]


@router.get("/health/live")
async def live() -> Alive:
    """The process runs. Dependencies are not checked: a restart would not help them."""
    return Alive()


@router.get("/health/ready", response_model=Ready, responses=documented(StoreUnavailable))
async def ready(service: Serving) -> Ready | Response:
    """Whether to send requests here: answers are right, and commands are accepted.

    The stores answer, appends are accepted, the projections run and have caught up. A provider
    that does not answer is shown, but does not count: sagas wait for it.
    """
    found = await service.health.readiness()
    checks = dict(found.checks)
    if not found.wrong:
        return Ready(checks=checks)
    wrong = "; ".join(f"{name}: {reason}" for name, reason in found.wrong.items())
    problem = of_status(HTTPStatus.SERVICE_UNAVAILABLE, wrong, checks=checks)
    return answer(problem, {"Retry-After": "1"})


async def _read(parking_streams: Sequence[ParkingStream]) -> Sequence[ParkingStream]:
    """Those that can be read now, as they are now."""
    read: list[ParkingStream] = []
    for parking in parking_streams:
        with suppress(StoreUnavailable, StreamUnusable, UnreadableEvent):
            await parking.look()
            read.append(parking)
    return read


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(service: Serving) -> Response:
    """Prometheus metrics. While the stores do not answer, those of the read models are left out."""
    staleness = service.staleness
    lags: Sequence[Lag] = ()
    with suppress(StoreUnavailable):
        lags = await service.lags.counted()
    staleness.look(lags)
    service.metrics.show(lags, staleness)
    service.metrics.show_parked(await _read(service.parking_streams))
    return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)
