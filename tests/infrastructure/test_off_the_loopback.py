"""Off the loopback nothing answers without identity, but health and the way to log in."""

import re
from typing import Any, Final

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from infrastructure.health import Health
from infrastructure.http import operations
from infrastructure.http.worker import worker_app
from tests.sample.client import Bank, bank_over, empty_bank
from tests.sample.program import BANK

BY_PROVIDER: Final = {
    "oidc_issuers": "https://id.example.org",
    "oidc_audience": "https://headwater.example",
}
WAYS: Final = [
    pytest.param({"api_token": "a-token-of-sixteen"}, id="token"),
    pytest.param({"api_keys": True}, id="keys"),
    pytest.param(BY_PROVIDER, id="provider"),
]
OPEN: Final = {"/health/live", "/health/ready"}
LOG_IN: Final = "/console/log-in"  # only: console


def paths(bank: Bank) -> set[tuple[str, str]]:
    """Method and path of every route, with something in place of its parameters."""
    app: Any = bank.http._transport.app  # type: ignore[attr-defined]  # the one that it calls
    routers: list[APIRouter] = [*BANK.routes(), operations.router]
    routers += app.state.console.routers  # only: console
    routes: list[Any] = [one for router in routers for one in router.routes]
    routes += [one for one in app.routes if not isinstance(one, APIRoute)]
    found = ((one.methods or (), one.path) for one in routes if hasattr(one, "methods"))
    return {
        (method, re.sub(r"\{[^}]*\}", "x", path))
        for methods, path in found
        for method in {*methods} - {"HEAD"}
    }


@pytest.mark.parametrize("known", WAYS)
async def test_no_route_answers_without_identity(known: dict[str, Any]) -> None:
    """401, or the way to the log-in, also for a client on this machine; nothing in between."""
    async with bank_over(empty_bank(http_host="0.0.0.0", **known)) as bank:
        found = paths(bank)
        assert {("GET", one) for one in (*OPEN, "/metrics", "/openapi.json")} <= found
        for method, path in sorted(found):
            answer = await bank.http.request(method, path)
            if path in OPEN:
                assert answer.status_code in (200, 503), path
            # only: console
            elif path.startswith("/console"):
                leads = answer.headers.get("Location", "").startswith(LOG_IN)
                is_way = path.startswith(LOG_IN) and answer.status_code in (200, 400, 401, 404)
                assert is_way or leads or answer.status_code in (400, 401), (method, path)
            # end: console
            else:
                assert answer.status_code == 401, (method, path)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_the_start_is_refused_without_identity(host: str) -> None:
    """Whatever the address is called; the message names the settings."""
    with pytest.raises(ValueError, match="HEADWATER_API_TOKEN, HEADWATER_API_KEYS"):
        empty_bank(http_host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
def test_the_loopback_needs_none(host: str) -> None:
    assert empty_bank(http_host=host)


async def test_a_process_without_the_api_has_the_same_rules() -> None:
    """Health for everybody, metrics for those who may."""
    container = empty_bank(http_host="0.0.0.0", api_token="a-token-of-sixteen")
    async with bank_over(container) as bank:
        served = container.served()
        health: Health = served.health
        app = worker_app(health, served.exposition, served.callers, served.settings, "projections")
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            assert (await http.get("/health/live")).status_code == 200
            assert (await http.get("/metrics")).status_code == 401
            token = {"Authorization": "Bearer a-token-of-sixteen"}
            assert (await http.get("/metrics", headers=token)).status_code == 200
        assert bank
