"""The library over HTTP, in memory."""

import httpx

from infrastructure.container import in_memory
from infrastructure.http.app import create_app
from infrastructure.library.program import PROGRAM, LibrarySettings
from infrastructure.processes.catching_up import caught_up
from infrastructure.processes.service import projecting


async def test_a_copy_is_lent_and_found() -> None:
    """Lend, be refused, look, return."""
    container = in_memory(PROGRAM, LibrarySettings())
    app = create_app(container)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        projecting(container),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
    ):
        assert (await http.post("/copies/emma-1/loan", json={"reader": "ada"})).status_code == 200
        refused = await http.post("/copies/emma-1/loan", json={"reader": "bob"})
        assert (refused.status_code, refused.json()["detail"][:10]) == (409, "ada has it")
        await caught_up(container)
        assert (await http.get("/copies/emma-1")).json()["reader"] == "ada"
        assert (await http.post("/copies/emma-1/return")).json()["events"] == ["Returned"]
