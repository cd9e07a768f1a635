"""From a request to the views that may answer it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Response

from application.ports import V, Views
from application.projections.projection import Projection
from infrastructure.container import Container
from infrastructure.http.commands import Wiring


@dataclass(frozen=True)
class Reader:
    """One request for an answer."""

    wiring: Container
    response: Response

    async def of(self, projection: Projection[V]) -> Views[V]:
        """The views that answer it."""
        views: Views[V] = await self.wiring.read_models().live(projection)
        return views


async def reader(wiring: Wiring, response: Response) -> Reader:
    return Reader(wiring, response)


Reading = Annotated[Reader, Depends(reader)]
