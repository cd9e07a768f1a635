"""The API token: which requests need it."""

import httpx
import pytest
from starlette.responses import PlainTextResponse

from infrastructure.http.middleware import Authorized

TOKEN = "the-token-of-the-api"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 401),
        ("/partner", 401),
        ("/partners/notices", 401),
        ("/carrier/notices", 401),
        ("/partner/notices", 200),
        ("/health/live", 200),
    ],
)
async def test_all_but_what_a_service_sets_apart_needs_the_token(path: str, status: int) -> None:
    """Only ``/health/``, and the paths that the service declares, are reached without it."""
    app = Authorized(PlainTextResponse("reached"), TOKEN, apart=["/partner/"])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        assert (await client.get(path)).status_code == status
        known = await client.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
    assert known.status_code == 200
