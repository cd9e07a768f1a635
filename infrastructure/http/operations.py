"""For operators: liveness, readiness and metrics."""

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from application.access import METRICS
from application.ports import StoreUnavailable
from infrastructure.exposition import CONTENT_TYPE
from infrastructure.http.access import everybody, ruled
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
@everybody
async def live() -> Alive:
    """The process runs. Dependencies are not checked: a restart would not help them."""
    return Alive()


@router.get("/health/ready", response_model=Ready, responses=documented(StoreUnavailable))
@everybody
async def ready(service: Serving) -> Ready | Response:
    """Whether to send requests here: answers are right, and commands are accepted.

    The stores answer, appends are accepted, the projections run and have caught up. A provider
    that does not answer is shown, but does not count: sagas wait for it.
    """
    found = await service.health.readiness()
    checks = dict(found.checks)
    if not found.wrong:
        return Ready(checks=checks)
    problem = of_status(HTTPStatus.SERVICE_UNAVAILABLE, found.detail, checks=checks)
    return answer(problem, {"Retry-After": "1"})


@router.get("/metrics", response_class=PlainTextResponse)
@ruled(METRICS)
async def metrics(service: Serving) -> Response:
    """Prometheus metrics of this process. Each process of the service has its own."""
    return Response(await service.exposition.text(), media_type=CONTENT_TYPE)
