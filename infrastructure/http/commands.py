"""From a request to a command's context, and from its outcome to an answer.

- ``Idempotency-Key``: repeating a request with its key repeats its answer and nothing else. The
  command id is made of method, path and key, and every id that the service makes of the
  command id; so a repeated request meets the same stream again.
- ``If-Match: "3"``: carry it out only if the stream is still at version 3, else 412. It takes one
  strong entity tag as ``ETag`` gives it; ``*`` and weak tags (``W/"3"``) are refused with 400,
  since a wish is based on one version or on none.
- ``Consistency-Token`` comes with the answer; a question that carries it waits until it shows what
  the command did (see ``reading.py``).
- ``traceparent`` is kept in the metadata of the events; a malformed one is ignored, as its
  standard says.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID, uuid4, uuid5

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel, Field

from application.backpressure import Overloaded
from application.claim_check import EventTooLarge
from application.command_dispatch import (
    CommandIdReused,
    CommandOutcome,
    StaleVersion,
    TooMuchContention,
)
from application.messages import Context
from application.ports import StreamDeleted, StreamUnusable
from domain.decider import Command, DomainError
from infrastructure.http.problems import BadHeader
from infrastructure.http.served import Served, Serving

NAMESPACE = UUID("8d5a4f0e-6b1c-4a5e-9d37-2f6c1e0b7a94")
"""In which command ids are made of idempotency keys. Changing it forgets all keys."""

COMMAND_ERRORS = (
    BadHeader,
    DomainError,
    StaleVersion,
    CommandIdReused,
    EventTooLarge,
    TooMuchContention,
    Overloaded,
    StreamDeleted,
    StreamUnusable,
)
"""What a route that carries out a command may raise: for ``documented``."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ENTITY_TAG = re.compile(r'"(0|[1-9][0-9]{0,17})"')
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)


class Done(BaseModel):
    """What a command led to. Repeating the request with its Idempotency-Key repeats this."""

    id: str = Field(description="the stream that it was about, without its category")
    version: int = Field(description="the version of its stream now, as in ETag; for If-Match")
    events: list[str] = Field(description="what has happened; empty: there was nothing to do")


@dataclass(frozen=True)
class Asked:
    """One request for a command: who asks, since when, on which version."""

    service: Served
    context: Context
    expected_version: int | None

    def make_id(self, of: str) -> str:
        """An id for something that this command makes: the same for the same command."""
        return str(uuid5(self.context.command_id, of))

    async def carry_out(self, id: str, command: Command, response: Response) -> Done:
        """Carry out the command on that aggregate, and tell its version as ``ETag``.

        Raises :class:`~application.backpressure.Overloaded`, and what dispatch raises.
        """
        dispatch = self.service.dispatch
        version = self.expected_version
        return await self.answer(
            id, lambda: dispatch(id, command, self.context, expected_version=version), response
        )

    async def answer(
        self, id: str, act: Callable[[], Awaitable[CommandOutcome]], response: Response
    ) -> Done:
        """The same, of a use case that carries out more than one command."""
        await self.service.backpressure.admit()
        outcome = await act()
        response.headers["ETag"] = entity_tag(outcome.version)
        response.headers["Consistency-Token"] = await self.service.consistency.token(outcome)
        events = [type(event).__name__ for event in outcome.events]
        return Done(id=id, version=outcome.version, events=events)


async def asked(
    request: Request,
    service: Serving,
    idempotency_key: Annotated[
        str | None, Header(description="your name for this request; send it again to retry safely")
    ] = None,
    if_match: Annotated[
        str | None, Header(description='the version you have seen, as in ETag: "3"')
    ] = None,
    traceparent: Annotated[str | None, Header(description="W3C trace context")] = None,
) -> Asked:
    """Raises :class:`BadHeader`."""
    context = Context.start(
        "api",
        _command_id(request, idempotency_key),
        datetime.now(UTC),
        correlation_id=request.state.correlation_id,
        traceparent=_valid(traceparent),
    )
    return Asked(service, context, _expected_version(if_match))


Ask = Annotated[Asked, Depends(asked)]


def entity_tag(version: int) -> str:
    """The version of a stream as an HTTP entity tag."""
    return f'"{version}"'


def _command_id(request: Request, key: str | None) -> UUID:
    if key is None:
        return uuid4()
    if not _KEY.fullmatch(key):
        raise BadHeader("Idempotency-Key has to be 1 to 255 visible ASCII characters, no spaces")
    return command_id_of(request.method, request.url.path, key)


def command_id_of(method: str, path: str, key: str) -> UUID:
    """The id of the command of a request with that Idempotency-Key."""
    return uuid5(NAMESPACE, f"{method} {path} {key}")


def _expected_version(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    if found := _ENTITY_TAG.fullmatch(if_match):
        return int(found[1])
    raise BadHeader('If-Match takes one version as in ETag, with its quotes: "3"')


def _valid(traceparent: str | None) -> str | None:
    return traceparent if traceparent and _TRACEPARENT.fullmatch(traceparent) else None
