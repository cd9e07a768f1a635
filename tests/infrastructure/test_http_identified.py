"""Which requests need an identity at all."""

import httpx
import pytest
from starlette.responses import PlainTextResponse

from infrastructure.http.middleware import Identified
from infrastructure.identity import Callers
from infrastructure.identity.callers import ApiToken

TOKEN = "the-token-of-the-api"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 401),
        ("/partner", 401),
        ("/partners/notices", 401),
        ("/notices/partner", 401),
        ("/partner/notices", 200),
        ("/health/live", 200),
    ],
)
async def test_all_but_what_a_service_sets_apart_needs_the_token(path: str, status: int) -> None:
    """Only ``/health/``, and the paths that the service declares, are reached without it."""
    app = Identified(PlainTextResponse("reached"), Callers([ApiToken(TOKEN)]), apart=["/partner/"])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        assert (await client.get(path)).status_code == status
        known = await client.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
    assert known.status_code == 200
