"""The links between pages."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request

from application.paging import LARGEST_PAGE, Page
from application.ports import V

Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE)]
After = Annotated[str | None, Query(description="`next` of the page before holds it")]


def following(request: Request, page: Page[V]) -> str | None:
    """The path of the page after this one; ``None`` when this was the last."""
    if page.after is None:
        return None
    return f"{request.url.path}?{urlencode({**request.query_params, 'after': page.after})}"
