"""From a request to the views that answer it, as fresh as its token requires."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Request, Response

from application.consistency import InvalidToken
from application.ports import StoreUnavailable, V, Views
from application.projections.projection import Projection
from domain.decider import Missing
from infrastructure.http.headers import RequestHeader, reads
from infrastructure.http.problems import NotKnownYet, NotYet, documented
from infrastructure.http.served import Served, served

T = TypeVar("T")

KNOWS: Final = 1.0
"""The lag, in seconds, up to which a missing view counts as not existing."""


@dataclass(frozen=True)
class Reader:
    """One query."""

    service: Served
    request: Request
    response: Response
    token: str | None

    async def of(self, projection: Projection[V]) -> Views[V]:
        """Views that have the event of the request's token; sets ``Projection-Lag`` on the answer.

        Raises :class:`InvalidToken`, :class:`NotYetProjected`, ``NotBuilt``, ``StoreUnavailable``.
        """
        views: Views[V] = await self.service.consistency.fresh(projection, self.token)
        lag = await self.service.lags.of(projection)
        shown = "unknown" if lag.seconds is None else f"{lag.seconds:.3f}"
        self.response.headers["Projection-Lag"] = shown
        self.request.state.projection_lag = shown  # for the case that the answer is a problem
        self.request.state.knows = lag.seconds is not None and lag.seconds <= KNOWS
        return views

    def found(self, answer: T | None, refusal: Missing) -> T:
        """``answer``, if there is one. Raises ``refusal`` for none.

        Raises :class:`NotKnownYet` instead while the views have not caught up.
        """
        if answer is not None:
            return answer
        if self.request.state.knows:
            raise refusal
        raise NotKnownYet(f"{refusal}, but the read model has not caught up yet")


def answers(*errors: type[Exception]) -> dict[int | str, dict[str, Any]]:
    """The ``responses=`` of a route that queries a read model."""
    waiting = {"description": "Committed, not yet projected", "model": NotYet}
    return {202: waiting, **documented(InvalidToken, StoreUnavailable, *errors)}


_TOKEN: Final = RequestHeader(
    "Consistency-Token", "from the answer to a command: wait until it is shown"
)


@reads(_TOKEN)
async def reader(request: Request, response: Response) -> Reader:
    """Raises ``BadHeader``."""
    return Reader(served(request), request, response, _TOKEN.of(request))


Reading = Annotated[Reader, Depends(reader)]
