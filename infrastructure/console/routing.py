"""Pages answer every error as a page: what was wrong, and what would be right."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import Request, Response
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.routing import APIRoute

from application.access import IdentityUnavailable, TooManyRequests
from infrastructure.http import problems

if TYPE_CHECKING:
    from infrastructure.console.site import Site

log = structlog.stdlib.get_logger(__name__)


class NotLoggedIn(Exception):
    """The page needs a session."""


class NotAllowed(Exception):
    """The operator may not do this here. The message says why, and what would help."""


class BadForm(Exception):
    """A form was not sent by a page of this console, or not as it was made. Nothing was done."""


class BadAddress(Exception):
    """The address of a page has something in it that cannot be understood."""


class NotFound(Exception):
    """What the page is about does not exist. The message names it."""


_STATUS = {
    NotAllowed: HTTPStatus.FORBIDDEN,
    BadForm: HTTPStatus.BAD_REQUEST,
    BadAddress: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    RequestValidationError: HTTPStatus.BAD_REQUEST,
    IdentityUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    **problems.STATUS,
}


class PageRoute(APIRoute):
    """A route whose errors are pages, and that leads to the log-in where a session is missing."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handled(request: Request) -> Response:
            site: Site = request.app.state.console
            try:
                response: Response = await handler(request)
            except NotLoggedIn as error:
                response = site.without_session(request, error)
            except Exception as error:
                response = site.failed(error, status_of(error))
                if isinstance(error, TooManyRequests):
                    response.headers["Retry-After"] = str(error.retry_after)
            return site.headed(response)

        return handled


@contextmanager
def understood_place() -> Iterator[None]:
    """Raises :class:`BadAddress` for a place in a list that no page has named."""
    try:
        yield
    except ValueError as error:
        raise BadAddress(f"{error}: begin at the first page again") from error


def status_of(error: Exception) -> int:
    """The status of an answer. Logs what is a fault of the service."""
    if isinstance(error, HTTPException):
        return error.status_code
    found = (status for known, status in _STATUS.items() if isinstance(error, known))
    if status := next(found, None):
        return int(status)
    log.exception("a page failed", exc_info=error)
    return int(HTTPStatus.INTERNAL_SERVER_ERROR)


def explained(error: Exception) -> str:
    """What is wrong, for the page."""
    if isinstance(error, RequestValidationError):
        wrong = ((".".join(map(str, one["loc"][1:])), one["msg"]) for one in error.errors())
        return "; ".join(f"{name}: {why}" for name, why in wrong)
    if isinstance(error, HTTPException):
        return str(error.detail)
    if isinstance(error, tuple(_STATUS)):
        return str(error)
    return "This is a fault of the console. The log of the service has it."
