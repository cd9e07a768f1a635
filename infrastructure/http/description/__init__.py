"""``/docs``: the interface as a page that needs no script, and nothing from any other host."""

import asyncio
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from infrastructure.http.description.page import page

_STYLE: Final = Path(__file__).with_name("page.css").read_bytes()
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def install(app: FastAPI) -> None:
    """Serve the description of ``app``."""

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        description = await asyncio.to_thread(request.app.openapi)  # made once: it takes its time
        return HTMLResponse(page(description), headers=_HEADERS)

    @app.get("/docs/page.css", include_in_schema=False)
    async def style() -> Response:
        return Response(_STYLE, media_type="text/css", headers=_HEADERS)
